//! What a client was promised of its welcome: who it is, and whether it has missed something
//! (R2, R3).

use serde_json::Value;

use super::outbox::Outbox;
use super::player::Player;
use super::wire::Asked;
use roomful::protocol::Limits;

impl Player {
    pub fn welcomed(&mut self, message: &Value, asked: &Asked, limits: &Limits) -> Vec<Value> {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let same_epoch = self.epoch == text("epoch");
        let same_id = self.connection == text("connection");
        assert_eq!(message["user"]["id"], self.user.as_str());
        // Whether the session gives its id back (R1) is watched, since a ban may have ended it.
        if !same_epoch || (asked.session && !same_id) {
            self.outbox = Outbox::default();
            self.heard.clear();
        }
        let offset = message["offset"].as_u64().unwrap();
        self.take_rights(&message["can"]);
        let session = asked.session && same_id && same_epoch;
        if let Some(expected) = self.recovers(asked, &text("epoch"), offset, session, limits) {
            assert_eq!(message["recovered"].as_bool(), expected, "R2, R3");
        }
        if !self.can("subscribe") {
            // Its secret claims nothing.
            self.first_offset = u64::MAX;
        } else if !session || self.first_offset == u64::MAX {
            self.first_offset = offset;
        }
        if self.gap || asked.offset != Some(self.offset) {
            // It may hear now what was said before what it has heard since.
            self.heard.clear();
        }
        if message["recovered"] == true {
            self.offset = asked.offset.expect("nothing was asked");
        } else {
            self.offset = offset;
        }
        (self.gap, self.welcomed) = (false, true);
        self.session = message["session"].as_str().map(str::to_owned);
        (self.connection, self.epoch) = (text("connection"), text("epoch"));
        self.view.welcome(message);
        let mut answers: Vec<Value> = self.own_state().into_iter().collect();
        self.outbox.cut_off();
        answers.extend(self.outbox.send(usize::MAX));
        answers
    }

    /// What `recovered` has to be; `None` if that cannot be told from here.
    fn recovers(
        &self,
        asked: &Asked,
        epoch: &str,
        newest: u64,
        session: bool,
        limits: &Limits,
    ) -> Option<Option<bool>> {
        let Some(offset) = asked.offset else {
            return Some(None);
        };
        if asked.epoch.as_deref() != Some(epoch) {
            return Some(Some(false));
        }
        if !self.can("subscribe") {
            let proven = session || self.can("history");
            return Some(Some(proven && offset <= newest));
        }
        let own = session && offset >= self.first_offset;
        if !self.can("history") && !own {
            return Some(Some(false));
        }
        let missed = newest.checked_sub(offset);
        let missed = match missed {
            None => return Some(Some(false)),
            Some(0) => return Some(Some(true)),
            Some(missed) => missed,
        };
        let too_many = missed > limits.recover_messages || missed > limits.history_messages;
        let ages = limits.history_ms < 3_600_000 || self.lenient;
        (too_many || !ages).then_some(Some(!too_many))
    }
}
