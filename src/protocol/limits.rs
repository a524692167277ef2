//! The numbers that an operator can set (section 1 of the protocol), each a variable of the Worker.

use std::borrow::Cow;
use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::fmt::Write;

/// A variable with a number.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in `wrangler.toml`.
    pub name: &'static str,
    /// What it is unless it is set, in its unit.
    pub default: u64,
    /// What it counts.
    pub unit: &'static str,
    /// The least that is allowed.
    pub min: u64,
    /// The most that is allowed.
    pub max: u64,
    /// What it is for. In the documentation, not in the Worker.
    #[cfg(not(target_arch = "wasm32"))]
    pub meaning: &'static str,
}

/// A variable whose value cannot be used. The value is not repeated: it could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    /// The variable's name.
    pub name: &'static str,
    /// What it has to be.
    pub reason: Cow<'static, str>,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidVariable {}

macro_rules! limits {
    ($(
        $field:ident: $type:ty = $name:literal, $default:literal $unit:literal x $scale:literal,
        $min:literal to $max:literal, $meaning:literal;
    )*) => {
        /// The limits of a deployment, in the units in which the code uses them: bytes,
        /// milliseconds, or a plain number.
        ///
        /// ```
        /// use roomful::protocol::Limits;
        ///
        /// let set = |name: &str| (name == "GRACE_SECONDS").then(|| "30".to_owned());
        /// let limits = Limits::from_variables(set)?;
        /// assert_eq!(limits.grace_ms, 30_000);
        /// assert_eq!(limits.message_bytes, 65_536);
        /// # Ok::<(), roomful::protocol::InvalidVariable>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $meaning] pub $field: $type,)*
        }

        impl Limits {
            /// Every variable, in the order of the documentation.
            pub const VARIABLES: &'static [Variable] = &[$(Variable {
                name: $name,
                default: $default,
                unit: $unit,
                min: $min,
                max: $max,
                #[cfg(not(target_arch = "wasm32"))]
                meaning: $meaning,
            },)*];

            /// Reads the limits from the deployment's variables. One that is absent or blank has
            /// its default.
            ///
            /// # Errors
            /// [`InvalidVariable`] for the first that is no whole number within its range.
            pub fn from_variables(
                get: impl Fn(&str) -> Option<String>,
            ) -> Result<Limits, InvalidVariable> {
                let mut variables = Limits::VARIABLES.iter();
                Ok(Limits {
                    $($field: scaled(read(variables.next(), &get)?, $scale),)*
                })
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits {
                    $($field: scaled($default, $scale),)*
                }
            }
        }
    };
}

limits! {
    message_bytes: usize = "MAX_MESSAGE_BYTES", 65_536 "bytes" x 1, 1_024 to 1_048_576,
        "Largest message of a client, and largest frame.";
    state_bytes: usize = "MAX_STATE_BYTES", 4_096 "bytes" x 1, 16 to 12_000,
        "Largest presence state, patches merged.";
    history_messages: u64 = "HISTORY_MESSAGES", 1_000 "messages" x 1, 0 to 100_000,
        "How many messages a room keeps; 0 turns the history off.";
    history_ms: u64 = "HISTORY_SECONDS", 86_400 "seconds" x 1_000, 1 to 31_536_000,
        "How long a room keeps a message.";
    history_bytes: u64 = "HISTORY_BYTES", 4_194_304 "bytes" x 1, 65_536 to 1_073_741_824,
        "How much of its messages a room keeps.";
    recover_messages: u64 = "RECOVER_MESSAGES", 500 "messages" x 1, 0 to 10_000,
        "How many missed messages a client that resumes gets at most.";
    rate_per_second: u32 = "RATE_PER_SECOND", 100 "messages" x 1, 1 to 10_000,
        "How many messages a second a connection may send in the long run.";
    rate_burst: u32 = "RATE_BURST", 200 "messages" x 1, 1 to 100_000,
        "How many messages a connection may send at once.";
    connections: usize = "MAX_CONNECTIONS", 10_000 "connections" x 1, 1 to 32_000,
        "How many connections a room takes.";
    connections_per_user: usize = "MAX_CONNECTIONS_PER_USER", 50 "connections" x 1, 1 to 32_000,
        "How many connections of one user a room takes.";
    members: usize = "MAX_MEMBERS", 1_000 "members" x 1, 0 to 10_000,
        "Up to how many members a room lists them; above, it only counts.";
    presence_bytes: usize = "MAX_PRESENCE_BYTES", 524_288 "bytes" x 1, 0 to 8_388_608,
        "Up to which size of all states and infos together a room lists its members.";
    presence_bytes_per_user: usize = "MAX_PRESENCE_BYTES_PER_USER", 65_536 "bytes" x 1, 16 to 8_388_608,
        "Up to which size of states and infos together a user's connections may set states.";
    grace_ms: u64 = "GRACE_SECONDS", 10 "seconds" x 1_000, 0 to 600,
        "How long a member stays listed after its connection dropped.";
    idle_ms: u64 = "IDLE_SECONDS", 3_600 "seconds" x 1_000, 60 to 86_400,
        "After how long without traffic the connection of a plain client is closed.";
    ping_ms: u64 = "PING_SECONDS", 25 "seconds" x 1_000, 1 to 3_600,
        "How often clients should ping; one that is silent for four times as long is closed. Hidden tabs ping once a minute, so less than 20 cuts them off.";
    frames_per_second: u64 = "FRAMES_PER_SECOND", 1_200 "frames" x 1, 100 to 1_000_000,
        "How many frames a second a room sends before it gathers more into each.";
    max_tick_ms: u64 = "MAX_TICK_MS", 40 "milliseconds" x 1, 0 to 1_000,
        "How long a busy room gathers messages into one frame at most.";
    commits_per_second: u64 = "COMMITS_PER_SECOND", 20 "commits" x 1, 1 to 1_000,
        "How many rows of messages a second a busy room writes at most, a few at once apart.";
}

impl Limits {
    /// The variables as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn markdown_table() -> String {
        let mut table = String::from(
            "| variable | default | unit | from | to | meaning |\n\
             | --- | --- | --- | --- | --- | --- |\n",
        );
        for variable in Limits::VARIABLES {
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "| `{}` | {} | {} | {} | {} | {} |",
                variable.name,
                variable.default,
                variable.unit,
                variable.min,
                variable.max,
                variable.meaning,
            );
        }
        table
    }
}

fn read(
    variable: Option<&Variable>,
    get: impl Fn(&str) -> Option<String>,
) -> Result<u64, InvalidVariable> {
    // The macro makes fields and variables from one list, so there is one for each field.
    let Some(variable) = variable else {
        return Ok(0);
    };
    let Some(text) = get(variable.name) else {
        return Ok(variable.default);
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(variable.default);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number
        .filter(|number| (variable.min..=variable.max).contains(number))
        .ok_or_else(|| InvalidVariable {
            name: variable.name,
            reason: Cow::Owned(format!(
                "must be a whole number from {} to {} ({})",
                variable.min, variable.max, variable.unit,
            )),
        })
}

/// From the variable's unit to the code's.
fn scaled<T: TryFrom<u64> + Bounded>(number: u64, scale: u64) -> T {
    T::try_from(number.saturating_mul(scale)).unwrap_or(T::MOST)
}

trait Bounded {
    const MOST: Self;
}

impl Bounded for u32 {
    const MOST: Self = u32::MAX;
}

impl Bounded for u64 {
    const MOST: Self = u64::MAX;
}

impl Bounded for usize {
    const MOST: Self = usize::MAX;
}

#[cfg(test)]
mod tests;
