//! Processor time of a process, from Linux's `/proc`; elsewhere it is not known.

use std::fs;

/// Linux counts it in hundredths of a second for everybody who asks, whatever it uses inside.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time so far, in user and in kernel mode.
#[derive(Copy, Clone, Debug)]
pub struct Cpu {
    pub user: f64,
    pub system: f64,
}

impl Cpu {
    pub fn of(pid: Option<u32>) -> Option<Cpu> {
        let pid = pid.map_or("self".to_owned(), |pid| pid.to_string());
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
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

/// Processor time between two moments, as JSON: seconds for each second.
pub fn used(from: Option<Cpu>, to: Option<Cpu>, seconds: f64) -> String {
    match (from, to) {
        (Some(from), Some(to)) if seconds > 0.0 => {
            let user = (to.user - from.user) / seconds;
            let system = (to.system - from.system) / seconds;
            format!(r#"{{"user":{user:.3},"system":{system:.3}}}"#)
        }
        _ => "null".to_owned(),
    }
}
