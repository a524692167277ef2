//! What a client was promised of the messages that it hears, and of the word that its own are stored.

use serde_json::Value;

use super::ledger::Ledger;
use super::player::{NUMBERS, Player};
use roomful::protocol::Limits;

impl Player {
    /// Offsets grow by one: no gap, no double, no other order.
    pub fn follow(&mut self, offset: u64) {
        assert!(self.can("subscribe"), "M7");
        if self.gap {
            assert!(offset > self.offset);
        } else {
            assert_eq!(offset, self.offset + 1, "{} misses something", self.user);
        }
        (self.offset, self.gap) = (offset, false);
    }

    pub fn hear(&mut self, message: &Value, ledger: &mut Ledger) {
        let data = &message["data"];
        if let Some(offset) = message["offset"].as_u64() {
            ledger.told(&self.epoch, offset, message);
            self.follow(offset);
        }
        // What is never sent twice comes in the order in which its sender said it.
        if self.lenient || data["id"].is_string() {
            return;
        }
        if let (Some(from), Some(number)) = (message["from"].as_str(), data["n"].as_u64()) {
            let sender = (from.to_owned(), number / NUMBERS);
            let heard = self.heard.entry(sender).or_default();
            assert!(number > *heard, "M6: {number} of {from} after {heard}");
            *heard = number;
        }
    }

    pub fn acknowledged(&mut self, message: &Value, ledger: &mut Ledger, limits: &Limits) {
        let id = message["id"].as_str().unwrap();
        let Some(offset) = message["offset"].as_u64() else {
            return;
        };
        ledger.acked(&self.epoch, id, offset);
        let heard = offset <= self.offset || self.gap || !self.can("subscribe");
        assert!(
            heard,
            "M6: the ack of {offset} overtakes it, after {}",
            self.offset
        );
        self.outbox.acknowledged(id, offset, limits);
    }

    pub fn page(&self, message: &Value, ledger: &mut Ledger) {
        assert_eq!(message["epoch"], self.epoch.as_str());
        let mut last = None;
        for message in message["messages"].as_array().unwrap() {
            let offset = message["offset"].as_u64().unwrap();
            assert!(
                last.is_none_or(|last| offset == last + 1),
                "R6: dense pages"
            );
            last = Some(offset);
            ledger.told(&self.epoch, offset, message);
        }
    }
}
