//! N6, N11: how much one connection (or one user over HTTP) may say, and how often one user may connect.

use crate::protocol::{Error, ErrorCode, Limits};

/// How long a connection may stay over its rate before it is closed, in milliseconds (E3).
const OVER_FOR: u64 = 10_000;
/// A pause of this length, in milliseconds, ends a period of being over the rate.
const OVER_PAUSE: u64 = 1_000;
/// A bucket can be so many messages below empty: what one reply from the history costs at most.
const DEBT: u64 = 128;
/// So much is read of who is over the rate, in bytes and in frames of the largest size, whichever is more, in one
/// period (E3).
const OVER_BYTES: usize = 1_024 * 1_024;
const OVER_FRAMES: usize = 16;
/// What a refusal costs beside the reading, in bytes: the error is written and sent.
const REFUSAL: usize = 256;

/// A token bucket in the form of the generic cell rate algorithm: one time instead of a level and a
/// time, so that it fits an attachment and "full" needs no upkeep.
///
/// `full_at` is when the bucket will be full again, in microseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    full_at: u64,
    /// When the current period of refusals began and last went on, in milliseconds; 0 for none.
    over_since: u64,
    refused_at: u64,
    /// Bytes refused in that period. No attachment keeps them: periods are shorter than the quiet before a hibernation.
    refused: usize,
}

/// How fast a bucket refills, and how much it holds.
#[derive(Copy, Clone, Debug)]
pub struct Pace {
    /// Microseconds in which one message's worth is refilled.
    cost: u64,
    /// Microseconds in which an empty bucket is refilled.
    depth: u64,
}

impl Pace {
    /// N6: messages.
    pub fn messages(limits: &Limits) -> Pace {
        Pace::of(
            u64::from(limits.rate_per_second),
            u64::from(limits.rate_burst),
        )
    }

    /// N11: connects of one user. All tabs may come three times in a row, and a tenth of them each second.
    pub fn connects(limits: &Limits) -> Pace {
        let tabs = limits.connections_per_user as u64;
        let per_second = tabs.checked_div(10).unwrap_or(1).max(1);
        Pace::of(per_second, Pace::connects_at_once(limits) as u64)
    }

    /// So many of them may come at once.
    pub fn connects_at_once(limits: &Limits) -> usize {
        limits.connections_per_user.saturating_mul(3).max(30)
    }

    fn of(per_second: u64, burst: u64) -> Pace {
        let cost = 1_000_000_u64.checked_div(per_second).unwrap_or(1_000_000);
        let cost = cost.max(1);
        Pace {
            cost,
            depth: cost.saturating_mul(burst),
        }
    }
}

/// A refusal by [`Rate::take`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Milliseconds until it would be taken.
    pub retry_after: u64,
    /// It has been over the rate for ten seconds on end.
    pub too_long: bool,
}

impl Over {
    /// What whoever is refused is told.
    pub fn error(self) -> Error {
        Error::new(ErrorCode::RateLimited).with_retry_after(self.retry_after)
    }
}

impl Rate {
    /// Takes one message's worth.
    pub fn take(&mut self, now: u64, pace: Pace) -> Result<(), Over> {
        self.spend(pace.cost, now, pace)
    }

    /// Takes as much of one message's worth as so many bytes are of the largest message.
    pub fn take_bytes(&mut self, bytes: usize, now: u64, limits: &Limits) -> Result<(), Over> {
        let pace = Pace::messages(limits);
        let cost = pace.cost.saturating_mul(bytes as u64);
        let largest = limits.message_bytes as u64;
        self.spend(cost.div_ceil(largest.max(1)), now, pace)
    }

    fn spend(&mut self, cost: u64, now: u64, pace: Pace) -> Result<(), Over> {
        let now_us = now.saturating_mul(1_000);
        self.full_at = self.level(now_us, pace);
        let next = self.full_at.saturating_add(cost);
        let latest = now_us.saturating_add(pace.depth);
        if next <= latest {
            self.full_at = next;
            return Ok(());
        }
        Err(self.over(now, next.saturating_sub(latest).div_ceil(1_000)))
    }

    /// Notes a refusal, after which `retry_after` milliseconds have to pass.
    pub fn over(&mut self, now: u64, retry_after: u64) -> Over {
        if self.over_since == 0 || now.saturating_sub(self.refused_at) > OVER_PAUSE {
            self.over_since = now.max(1);
            self.refused = 0;
        }
        self.refused_at = now;
        Over {
            retry_after,
            too_long: now.saturating_sub(self.over_since) >= OVER_FOR,
        }
    }

    /// Notes how many bytes were read only to be refused; true if it was too much in this period (E3).
    pub fn refuse(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.refused = self.refused.saturating_add(bytes).saturating_add(REFUSAL);
        let frames = limits.message_bytes.saturating_mul(OVER_FRAMES);
        self.refused > frames.max(OVER_BYTES)
    }

    /// Charges for work already done (history replies); may leave the bucket below empty.
    pub fn charge(&mut self, messages: u64, now: u64, pace: Pace) {
        let now_us = now.saturating_mul(1_000);
        let cost = pace.cost.saturating_mul(messages);
        self.full_at = self.level(now_us, pace).saturating_add(cost);
    }

    /// The clock was set back by so many milliseconds.
    pub fn set_back(&mut self, back: u64) {
        self.full_at = self.full_at.saturating_sub(back.saturating_mul(1_000));
        self.over_since = self.over_since.saturating_sub(back);
        self.refused_at = self.refused_at.saturating_sub(back);
    }

    /// Of two buckets the emptier one.
    pub fn emptier(self, other: Rate) -> Rate {
        if other.full_at > self.full_at {
            other
        } else {
            self
        }
    }

    /// `full_at`, but never further off than a bucket can be from full: after the clock was set
    /// back nobody is refused for longer than that.
    fn level(&self, now_us: u64, pace: Pace) -> u64 {
        let debt = pace.cost.saturating_mul(DEBT);
        let most = now_us.saturating_add(pace.depth).saturating_add(debt);
        self.full_at.clamp(now_us, most)
    }

    /// From when on this, in milliseconds, need not be remembered.
    pub fn rested_at(&self) -> u64 {
        let pause = match self.over_since {
            0 => 0,
            _ => self.refused_at.saturating_add(OVER_PAUSE).saturating_add(1),
        };
        self.full_at.div_ceil(1_000).max(pause)
    }

    /// The three numbers that an attachment keeps.
    pub fn to_parts(self) -> (u64, u64, u64) {
        (self.full_at, self.over_since, self.refused_at)
    }

    pub fn from_parts((full_at, over_since, refused_at): (u64, u64, u64)) -> Rate {
        Rate {
            full_at,
            over_since,
            refused_at,
            refused: 0,
        }
    }
}

/// C6: when the latest malformed messages came, in milliseconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<u64>);

impl Faults {
    /// With this many within a minute a connection is closed.
    pub const LIMIT: usize = 10;
    const WINDOW: u64 = 60_000;

    /// Counts one; true when it is the last one that is borne.
    pub fn count(&mut self, now: u64) -> bool {
        self.0
            .retain(|at| *at <= now && now.saturating_sub(*at) < Self::WINDOW);
        self.0.push(now);
        self.0.len() >= Self::LIMIT
    }

    pub fn to_parts(&self) -> Vec<u64> {
        self.0.clone()
    }

    pub fn from_parts(times: Vec<u64>) -> Faults {
        Faults(times)
    }
}
