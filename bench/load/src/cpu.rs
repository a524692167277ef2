//! Processor time of a process, from Linux's `/proc`; elsewhere it is not known.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

/// Linux counts it in hundredths of a second for everybody who asks, whatever it uses inside.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time so far, in user and in kernel mode.
#[derive(Copy, Clone, Debug)]
struct Cpu {
    user: f64,
    system: f64,
}

impl Cpu {
    fn of(process: &str) -> Option<Cpu> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The second field is the command in brackets, with whatever characters.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest
            .split(' ')
            .skip(11)
            .map(|field| field.parse::<f64>().ok());
        let mut seconds = || Some(fields.next()?? / TICKS_PER_SECOND);
        Some(Cpu {
            user: seconds()?,
            system: seconds()?,
        })
    }
}

/// Measures what the server and this process use from a moment on.
pub struct Meter {
    server: Option<u32>,
    began: Instant,
    before: [Option<Cpu>; 2],
}

/// What was used in a window, in cores: seconds of processor time for each second of it.
pub struct Usage {
    pub seconds: f64,
    server: Option<Cpu>,
    own: Option<Cpu>,
}

impl Meter {
    pub fn start(server: Option<u32>) -> Meter {
        Meter {
            server,
            began: Instant::now(),
            before: both(server),
        }
    }

    pub fn stop(&self) -> Usage {
        let seconds = self.began.elapsed().as_secs_f64().max(1e-6);
        let after = both(self.server);
        let used = |process: usize| {
            let (from, to) = (self.before[process]?, after[process]?);
            Some(Cpu {
                user: (to.user - from.user) / seconds,
                system: (to.system - from.system) / seconds,
            })
        };
        Usage {
            seconds,
            server: used(0),
            own: used(1),
        }
    }
}

impl Usage {
    pub fn server_json(&self) -> Value {
        cores(self.server)
    }

    pub fn load_json(&self) -> Value {
        cores(self.own)
    }

    /// Microseconds of the server's processor time for each of so many things in the window.
    pub fn server_micros_each(&self, count: u64) -> Option<f64> {
        let Cpu { user, system } = self.server?;
        (count > 0).then(|| rounded((user + system) * self.seconds * 1e6 / count as f64))
    }
}

fn both(server: Option<u32>) -> [Option<Cpu>; 2] {
    let server = server.and_then(|pid| Cpu::of(&pid.to_string()));
    [server, Cpu::of("self")]
}

fn cores(cpu: Option<Cpu>) -> Value {
    match cpu {
        Some(Cpu { user, system }) => json!({ "user": rounded(user), "system": rounded(system) }),
        None => Value::Null,
    }
}

/// To what is worth reading: four digits behind the point.
pub fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}
