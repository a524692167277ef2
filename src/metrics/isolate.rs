//! What one isolate of the Worker has answered.

use super::exposition::Exposition;
#[cfg(not(target_arch = "wasm32"))]
use super::exposition::Family;
use super::ledger::{Ledger, codes};
use crate::protocol::ErrorCode;

const PREFIX: &str = "roomful_worker_";

const START: &str = "start_time_seconds|gauge|||When counting began.";

/// All that is counted, in the order of the numbers.
const FAMILIES: &str = "\
requests_total|counter|outcome|answered upgraded refused|Requests, /health apart.
key_fetches_total|counter|outcome|fetched failed|Fetches of the key set.
errors_total|counter|code|*|Requests and upgrades refused.";

/// What has become of something.
#[derive(Copy, Clone, Debug)]
pub enum Outcome {
    /// A request was answered.
    Answered,
    /// It became a WebSocket.
    Upgraded,
    /// It was refused.
    Refused,
    /// The key set was fetched.
    Fetched,
    /// It could not be.
    Failed,
}

/// Where the errors begin.
const ERRORS: usize = Outcome::Failed as usize + 1;

/// The numbers of one isolate.
#[derive(Debug)]
pub struct Isolate {
    id: String,
    since: u64,
    ledger: Ledger,
}

impl Isolate {
    /// What the numbers of a data point are.
    pub const NUMBERS: [&'static str; 6] = [
        "milliseconds since the isolate's last point, or since it began",
        "requests answered",
        "requests that became WebSockets",
        "requests refused",
        "fetches of the key set",
        "fetches that failed",
    ];

    /// An isolate that has answered nothing. `id` tells it from the others.
    pub fn new(id: String, now: u64) -> Isolate {
        Isolate {
            id,
            since: now,
            ledger: Ledger::new(now),
        }
    }

    /// Counts an outcome.
    pub fn count(&mut self, outcome: Outcome) {
        self.ledger.add(outcome as usize, 1);
    }

    /// Counts a refusal.
    pub fn refused(&mut self, code: ErrorCode) {
        self.count(Outcome::Refused);
        self.ledger.add(ERRORS.saturating_add(code as usize), 1);
    }

    /// The numbers as Prometheus reads them.
    ///
    /// ```
    /// use roomful::metrics::{Isolate, Outcome};
    ///
    /// let mut isolate = Isolate::new("1f2e".to_owned(), 1_795_257_863_000);
    /// isolate.count(Outcome::Upgraded);
    /// let line = "roomful_worker_requests_total{isolate=\"1f2e\",outcome=\"upgraded\"} 1\n";
    /// assert!(isolate.text().contains(line));
    /// ```
    pub fn text(&self) -> String {
        let mut text = Exposition::new(PREFIX, "isolate", &self.id);
        text.families(START, &[self.since]);
        text.families(FAMILIES, self.ledger.counts());
        text.into_text()
    }

    /// The numbers of a data point (in the order of [`Isolate::NUMBERS`]) and the codes of refusals,
    /// such as `errors_total:invalid_token=3`, if something has come since the last and it is time.
    pub fn report(&mut self, now: u64) -> Option<(Vec<f64>, String)> {
        let (elapsed, news) = self.ledger.news(now, false)?;
        let mut numbers = Vec::new();
        numbers.push(elapsed as f64);
        for number in news.iter().take(ERRORS) {
            numbers.push(*number as f64);
        }
        // All fetches, and those of them that failed.
        if let [.., fetched, failed] = numbers.as_mut_slice() {
            *fetched += *failed;
        }
        Some((numbers, codes(FAMILIES, &news)))
    }

    /// All metrics of an isolate as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn metrics_table() -> String {
        Family::markdown_table(PREFIX, &[START, FAMILIES])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h9_every_number_of_an_isolate_has_its_place() {
        let mut places = Family::all(FAMILIES).map(|family| family.values().count());
        assert_eq!(places.by_ref().take(2).sum::<usize>(), ERRORS);
        assert_eq!(places.sum::<usize>(), ErrorCode::ALL.len());
    }

    #[test]
    fn h9_an_isolate_reports_what_has_come_since() {
        let mut isolate = Isolate::new("a".to_owned(), 1_000_000);
        isolate.refused(ErrorCode::InvalidToken);
        isolate.count(Outcome::Fetched);
        isolate.count(Outcome::Failed);
        let (numbers, codes) = isolate.report(1_002_000).unwrap();
        assert_eq!(numbers, [2_000.0, 0.0, 0.0, 1.0, 2.0, 1.0]);
        assert_eq!(codes, "errors_total:invalid_token=1");
        assert_eq!(isolate.report(1_003_000), None);
        isolate.count(Outcome::Answered);
        let (numbers, codes) = isolate.report(1_004_000).unwrap();
        assert_eq!(numbers, [2_000.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(codes, "");
    }
}
