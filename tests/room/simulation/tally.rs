//! What happened in the runs, to see that each kind does what it exists for.

use std::collections::BTreeMap;

use serde_json::Value;

/// So few runs need not have everything in them.
const FEW: u64 = 100;

/// Counts of what happened, by name.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub runs: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    pub fn one(&mut self, what: &str) {
        self.some(what, 1);
    }

    pub fn some(&mut self, what: &str, count: u64) {
        match self.counts.get_mut(what) {
            Some(counted) => *counted += count,
            None => drop(self.counts.insert(what.to_owned(), count)),
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.runs += other.runs;
        for (what, count) in other.counts {
            self.some(&what, count);
        }
    }

    /// Somebody is sent a message.
    pub fn sent(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "error" => self.one(message["code"].as_str().unwrap()),
            "welcome" => match message["recovered"].as_bool() {
                Some(true) => self.one("recovered"),
                Some(false) => self.one("not recovered"),
                None => self.one("welcome"),
            },
            other => self.one(other),
        }
    }

    /// All of this happened, so many times in a hundred runs at least.
    pub fn holds(&self, least: &[(&str, u64)]) {
        for (what, least) in least {
            let count = self.counts.get(*what).copied().unwrap_or(0);
            assert!(
                self.runs < FEW || count * 100 >= least * self.runs,
                "{what}: {count} times in {} runs",
                self.runs
            );
        }
    }
}
