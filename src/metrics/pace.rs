//! How often data points are written.
//!
//! Nothing tells a room that it will be put away, and a timer for its last words would keep it awake,
//! which is billed. So it speaks at the end of an event: when it has fallen quiet, six times at once
//! and then every ten seconds, and while it is busy once a minute. What somebody who speaks all the
//! time did in the last ten seconds may be missing; of one who speaks now and then nothing is.

/// One follows another after so many milliseconds in the long run,
const PACE: u64 = 10_000;
/// and so many may come at once.
const AT_ONCE: u64 = 6;
/// One that is busy waits for so many milliseconds, if it does not fall quiet before.
const BUSY: u64 = 60_000;

/// When the next data point may be written: the generic cell rate algorithm.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When there would be one had they all kept their pace, in milliseconds.
    next: u64,
    /// When the last one was written, or could have been.
    last: u64,
}

impl Pace {
    /// Whether one may be written at `now`, in milliseconds.
    pub fn allows(&mut self, now: u64, busy: bool) -> bool {
        if self.last == 0 || now < self.last {
            // The beginning; or the clock was set back.
            *self = Pace { next: 0, last: now };
        }
        if busy {
            now.saturating_sub(self.last) >= BUSY
        } else {
            self.next <= now.saturating_add(PACE * (AT_ONCE - 1))
        }
    }

    /// Notes that one was written.
    pub fn written(&mut self, now: u64) {
        let most = now.saturating_add(PACE * AT_ONCE);
        self.next = self.next.max(now).saturating_add(PACE).min(most);
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are written within so many milliseconds, if there is something every second.
    fn written(pace: &mut Pace, from: u64, milliseconds: u64, busy: bool) -> usize {
        let times = (from..from + milliseconds).step_by(1_000);
        let allowed = times.filter(|now| {
            let allows = pace.allows(*now, busy);
            if allows {
                pace.written(*now);
            }
            allows
        });
        allowed.count()
    }

    #[test]
    fn h9_points_come_at_once_and_then_at_their_pace() {
        let mut pace = Pace::default();
        assert_eq!(written(&mut pace, 1_000_000, 6_000, false), 6);
        assert_eq!(written(&mut pace, 1_006_000, 60_000, false), 6);
        assert_eq!(
            written(&mut pace, 1_600_000, 6_000, false),
            6,
            "after a rest"
        );
        assert_eq!(written(&mut pace, 2_000_000, 600_000, true), 10);
    }

    #[test]
    fn h9_a_clock_that_is_set_back_stops_no_points() {
        let mut pace = Pace::default();
        written(&mut pace, 10_000_000, 60_000, false);
        assert_eq!(written(&mut pace, 1_000_000, 6_000, false), 6);
        written(&mut pace, 10_000_000, 60_000, true);
        assert_eq!(written(&mut pace, 1_000_000, 61_000, true), 1);
    }
}
