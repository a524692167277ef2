//! What a client has published with an id and is not acknowledged yet: it is sent again until then.

use std::collections::BTreeMap;

use serde_json::Value;

use roomful::protocol::Limits;

#[derive(Debug, Default)]
pub struct Outbox {
    /// By age, the oldest first; whether it is under way.
    waiting: Vec<(Value, bool)>,
    /// Offsets by the ids that were acknowledged.
    acked: BTreeMap<String, u64>,
}

impl Outbox {
    pub fn put(&mut self, publish: Value, sent: bool) {
        self.waiting.push((publish, sent));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is under way may be lost.
    pub fn cut_off(&mut self) {
        for (_, sent) in &mut self.waiting {
            *sent = false;
        }
    }

    /// Takes what is not under way, `most` at most, for it is sent now.
    pub fn send(&mut self, most: usize) -> Vec<Value> {
        let unsent = self.waiting.iter_mut().filter(|(_, sent)| !*sent);
        let taken = unsent.take(most).map(|(publish, sent)| {
            *sent = true;
            publish.clone()
        });
        taken.collect()
    }

    pub fn acknowledged(&mut self, id: &str, offset: u64, limits: &Limits) {
        self.waiting.retain(|(publish, _)| publish["id"] != id);
        let before = self.acked.insert(id.to_owned(), offset);
        // An id counts once within the history; by age the log itself is looked at.
        let left = |before| offset >= before + limits.history_messages;
        let ages = limits.history_ms < 3_600_000;
        assert!(
            before.is_none_or(|before| before == offset || left(before) || ages),
            "M4: the same ack again"
        );
    }

    pub fn refused(&mut self, message: &Value) {
        let Some(id) = message["id"].as_str() else {
            return;
        };
        let again = message["retryable"] == true;
        if let Some(place) = self
            .waiting
            .iter()
            .position(|(publish, _)| publish["id"] == id)
        {
            if again {
                self.waiting[place].1 = false;
            } else {
                self.waiting.remove(place);
            }
        }
    }
}
