//! Numbers that only grow, and what of them has been told.

use super::exposition::Family;
use super::pace::Pace;

/// So many at most.
const PLACES: usize = 128;

/// Numbers, each at its place in a table of [families](Family): the samples of all of them, one after
/// the other. What lies behind them is 0.
pub type Numbers = [u64; PLACES];

/// What is counted.
///
/// Counting costs an addition. Nothing is stored: a life of the object, or of the isolate, begins at
/// zero, which whoever scrapes takes for what it is, a counter that was reset.
#[derive(Debug)]
pub struct Ledger {
    counts: Numbers,
    /// As they were at the last data point.
    told: Option<Box<Numbers>>,
    pace: Pace,
    /// When the last data point was written, or counting began.
    told_at: u64,
}

impl Ledger {
    /// Zeros, counted from `now` on, in milliseconds.
    pub fn new(now: u64) -> Ledger {
        Ledger {
            counts: [0; PLACES],
            told: None,
            pace: Pace::default(),
            told_at: now,
        }
    }

    /// Counts so many.
    pub fn add(&mut self, place: usize, number: u64) {
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(number);
        }
    }

    /// The numbers.
    pub fn counts(&self) -> &Numbers {
        &self.counts
    }

    /// What has come since the last data point, and in how many milliseconds, if it is time for
    /// another and anything has. A `busy` room is not asked for its last words yet.
    pub fn news(&mut self, now: u64, busy: bool) -> Option<(u64, Numbers)> {
        if !self.pace.allows(now, busy) {
            return None;
        }
        let mut news = self.counts;
        let mut any = 0;
        let told = self.told.get_or_insert_with(|| Box::new([0; PLACES]));
        for (number, told) in news.iter_mut().zip(told.iter()) {
            *number = number.wrapping_sub(*told);
            any |= *number;
        }
        if any == 0 {
            return None;
        }
        self.pace.written(now);
        **told = self.counts;
        let elapsed = now.saturating_sub(self.told_at);
        self.told_at = now;
        Some((elapsed, news))
    }
}

/// Those codes that occur in `numbers`, such as `errors_total:silent=2`, with spaces between; for people.
pub fn codes(table: &'static str, numbers: &Numbers) -> String {
    let mut text = String::new();
    let mut numbers = numbers.iter();
    for family in Family::all(table) {
        for value in family.values() {
            let number = numbers.next().copied().unwrap_or(0);
            if number > 0 && family.label == "code" {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(family.name);
                text.push(':');
                text.push_str(value);
                text.push('=');
                text.push_str(&number.to_string());
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h9_news_are_what_has_come_since_and_in_which_time() {
        let mut ledger = Ledger::new(1_000_000);
        let mut news = |now, place| {
            ledger.add(place, 3);
            let (elapsed, news) = ledger.news(now, false)?;
            Some((elapsed, news.get(..2)?.to_vec()))
        };
        assert_eq!(news(1_000_000, PLACES), None);
        assert_eq!(news(1_000_500, 1), Some((500, vec![0, 3])));
        assert_eq!(news(1_001_000, PLACES), None);
        assert_eq!(news(1_001_500, 0), Some((1_000, vec![3, 0])));
    }
}
