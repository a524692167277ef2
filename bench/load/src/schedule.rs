//! When things are due, however late the generator itself may be: an open loop.

use std::time::Duration;

use crate::histogram::Histogram;

/// Further apart than this (µs) they are done on time to the microsecond rather than the
/// millisecond, which costs a busy wait of up to one.
const FAR_APART: f64 = 5_000.0;

/// Evenly apart, from `start` until before `end` (µs).
pub struct Schedule {
    start: u64,
    end: u64,
    interval: f64,
    /// How many have come due.
    count: u64,
    /// How late those due from `measured` on were taken.
    pub late: Histogram,
    measured: u64,
}

impl Schedule {
    /// So many a second; none with 0.
    pub fn new(rate: f64, start: u64, measured: u64, end: u64) -> Schedule {
        Schedule {
            start,
            end: if rate > 0.0 { end } else { start },
            interval: 1e6 / rate.max(f64::MIN_POSITIVE),
            count: 0,
            late: Histogram::new(),
            measured,
        }
    }

    /// The next one, if its time has come: which, counted from 0, and when it was due.
    pub fn take(&mut self, now: u64) -> Option<(u64, u64)> {
        let due = self.next()?;
        if due > now {
            return None;
        }
        if due >= self.measured {
            self.late.add(now - due);
        }
        let number = self.count;
        self.count += 1;
        Some((number, due))
    }

    fn next(&self) -> Option<u64> {
        let due = self.start + (self.interval * self.count as f64) as u64;
        (due < self.end).then_some(due)
    }

    /// Whether they are so close together that a millisecond sooner or later tells nothing.
    pub fn is_dense(&self) -> bool {
        self.interval < FAR_APART
    }

    /// How long to wait for it.
    pub fn wait(&self, now: u64) -> Option<Duration> {
        let wait = self.next()?.saturating_sub(now);
        Some(Duration::from_millis(if self.interval >= FAR_APART {
            wait / 1_000
        } else {
            wait.div_ceil(1_000)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_stays_due() {
        let mut schedule = Schedule::new(1_000.0, 500, 1_500, 3_500);
        assert_eq!(schedule.take(499), None);
        let taken: Vec<_> = std::iter::from_fn(|| schedule.take(9_000)).collect();
        assert_eq!(taken, [(0, 500), (1, 1_500), (2, 2_500)]);
        assert_eq!(schedule.late.count(), 2);
        assert_eq!(schedule.wait(9_000), None);
    }

    #[test]
    fn nothing_is_due_without_a_rate() {
        let mut schedule = Schedule::new(0.0, 0, 0, u64::MAX);
        assert_eq!(schedule.take(u64::MAX), None);
    }
}
