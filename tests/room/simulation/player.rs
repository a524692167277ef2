//! A client that follows the protocol: what it does, and what it was promised, checked with every
//! message.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger::Ledger;
use super::view::View;
use super::wire::Asked;
use crate::world::{Arrival, arrival, json};
use roomful::protocol::Limits;
use roomful::room::Kind as Sort;

/// Nobody says as much: the numbers of each begin at its own multiple.
const NUMBERS: u64 = 1_000_000;

pub struct Player {
    pub number: usize,
    pub user: String,
    pub room: usize,
    pub sort: Sort,
    /// Does what it likes: nothing is promised to it.
    pub hostile: bool,
    /// The connection that it takes for its own.
    pub wire: Option<usize>,
    /// It has been welcomed there: before, nothing is said.
    pub welcomed: bool,
    pub session: Option<String>,
    pub connection: String,
    pub epoch: String,
    /// The last offset seen, or told by a welcome.
    pub offset: u64,
    /// The offset of its session's first welcome.
    first_offset: u64,
    /// It did not receive messages for a while, so the next offset may be any later one.
    pub gap: bool,
    can: BTreeSet<String>,
    pub view: View,
    pub state: Value,
    /// What it publishes until it is acknowledged, by id, oldest first; whether it is under way.
    pub outbox: Vec<(Value, bool)>,
    acked: BTreeMap<String, u64>,
    pub next_number: u64,
    /// The last number heard of each sender, of whom two may share a connection by a stolen session.
    heard: BTreeMap<(String, u64), u64>,
    /// After the clock was set back and the room restarted, a connection id may come again.
    pub lenient: bool,
}

impl Player {
    pub fn new(number: usize, room: usize, sort: Sort) -> Player {
        Player {
            number,
            // Some users have two tabs, and all are in several rooms.
            user: format!("u{}", number / 2 % 6),
            room,
            sort,
            hostile: false,
            wire: None,
            welcomed: false,
            session: None,
            connection: String::new(),
            epoch: String::new(),
            offset: 0,
            first_offset: 0,
            gap: false,
            can: BTreeSet::new(),
            view: View::default(),
            state: Value::Null,
            outbox: Vec::new(),
            acked: BTreeMap::new(),
            next_number: number as u64 * NUMBERS + 1,
            heard: BTreeMap::new(),
            lenient: false,
        }
    }

    pub fn can(&self, right: &str) -> bool {
        self.can.contains(right)
    }

    /// How it arrives: with what it knows, or as if it were new.
    pub fn arrival(&mut self, resume: bool) -> (Arrival, Asked) {
        let arrival = arrival(&self.user).kind(self.sort);
        let knows = !self.epoch.is_empty();
        if resume && knows {
            let asked = Asked {
                session: self.session.is_some(),
                epoch: Some(self.epoch.clone()),
                offset: Some(self.offset),
            };
            let mut arrival = arrival.at(&self.epoch, self.offset);
            arrival.session = self.session.clone();
            return (arrival, asked);
        }
        // Whoever forgets its session forgets what it was about to send.
        self.forget();
        self.session = None;
        (self.connection, self.epoch) = (String::new(), String::new());
        (arrival, Asked::default())
    }

    pub fn forget(&mut self) {
        self.outbox.clear();
        self.acked.clear();
    }

    /// Takes a message in, and returns what it answers.
    pub fn take(
        &mut self,
        message: &Value,
        asked: &Asked,
        ledger: &mut Ledger,
        limits: &Limits,
    ) -> Vec<Value> {
        match message["type"].as_str().unwrap() {
            "welcome" => return self.welcomed(message, asked, limits),
            "message" => self.hear(message, ledger),
            "skip" => {
                let offset = message["offset"].as_u64().unwrap();
                ledger.skipped(&self.epoch, offset, &self.connection);
                self.follow(offset);
            }
            "ack" => self.acknowledged(message, ledger, limits),
            "error" => self.refused(message),
            "auth" => {
                let before = self.can("subscribe");
                self.take_rights(&message["can"]);
                self.gap |= !before;
                if !self.can("presence") {
                    self.view = View::default();
                }
            }
            "history" => self.page(message, ledger),
            _ => {
                assert!(self.can("presence") || self.sort.is_stream());
                let known = self.view.take(message, &self.connection);
                assert!(known, "unknown {message}");
                if message["type"] == "members" {
                    return self.own_state().into_iter().collect();
                }
            }
        }
        Vec::new()
    }

    fn take_rights(&mut self, can: &Value) {
        let names = can.as_array().unwrap().iter();
        self.can = names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
    }

    fn welcomed(&mut self, message: &Value, asked: &Asked, limits: &Limits) -> Vec<Value> {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let same_epoch = self.epoch == text("epoch");
        let same_id = self.connection == text("connection");
        assert_eq!(message["user"]["id"], self.user.as_str());
        // Whether the session gives its id back (R1) is watched, since a ban may have ended it.
        if !same_epoch || (asked.session && !same_id) {
            self.forget();
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
        for (publish, sent) in &mut self.outbox {
            *sent = true;
            answers.push(publish.clone());
        }
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

    /// R5: the state once more, if the list has another one.
    pub fn own_state(&self) -> Option<Value> {
        if self.sort.is_stream() {
            return None;
        }
        let own = self.view.members.as_ref()?.get(&self.connection);
        let (_, state) = own.expect("members include the connection itself");
        (*state != self.state).then(|| json!({"type": "state", "state": self.state}))
    }

    /// Offsets grow by one: no gap, no double, no other order.
    fn follow(&mut self, offset: u64) {
        assert!(self.can("subscribe"), "M7");
        if self.gap {
            assert!(offset > self.offset);
        } else {
            assert_eq!(offset, self.offset + 1, "{} misses something", self.user);
        }
        (self.offset, self.gap) = (offset, false);
    }

    fn hear(&mut self, message: &Value, ledger: &mut Ledger) {
        let data = &message["data"];
        let (own, user) = (self.connection.as_str(), format!("user:{}", self.user));
        let from_me = message["from"] == own;
        match data["to"].as_array() {
            Some(to) => {
                assert_eq!(message["private"], true);
                let named = to.iter().any(|name| name == own || *name == user.as_str());
                assert!(named, "M3: {message} is not for {own} of {user}");
            }
            None => assert!(message["private"].is_null()),
        }
        assert!(
            !(from_me && data["echo"] == false),
            "M3: an echo: {message}"
        );
        let stored = message["offset"].as_u64();
        assert!(
            stored.is_none() || data["ephemeral"] != true,
            "M2: {message}"
        );
        if let Some(offset) = stored {
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

    fn acknowledged(&mut self, message: &Value, ledger: &mut Ledger, limits: &Limits) {
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
        self.outbox.retain(|(publish, _)| publish["id"] != id);
        let before = self.acked.insert(id.to_owned(), offset);
        // An id counts once within the history; by age the log itself is looked at.
        let left = |before| offset >= before + limits.history_messages;
        let ages = limits.history_ms < 3_600_000;
        assert!(
            before.is_none_or(|before| before == offset || left(before) || ages),
            "M4: the same ack again"
        );
    }

    fn refused(&mut self, message: &Value) {
        let Some(id) = message["id"].as_str() else {
            return;
        };
        let again = message["retryable"] == true;
        if let Some(place) = self
            .outbox
            .iter()
            .position(|(publish, _)| publish["id"] == id)
        {
            if again {
                self.outbox[place].1 = false;
            } else {
                self.outbox.remove(place);
            }
        }
    }

    fn page(&self, message: &Value, ledger: &mut Ledger) {
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
