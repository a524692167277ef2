//! A client that follows the protocol: what it knows, and how it takes a message in. What it was
//! promised is checked with each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger::Ledger;
use super::outbox::Outbox;
use super::view::View;
use super::wire::Asked;
use crate::world::{Arrival, arrival, json};
use roomful::protocol::Limits;
use roomful::room::Kind as Sort;

/// Nobody says as much: the numbers of each begin at its own multiple.
pub const NUMBERS: u64 = 1_000_000;

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
    pub first_offset: u64,
    /// It did not receive messages for a while, so the next offset may be any later one.
    pub gap: bool,
    can: BTreeSet<String>,
    pub view: View,
    pub state: Value,
    pub outbox: Outbox,
    pub next_number: u64,
    /// The last number heard of each sender, of whom two may share a connection by a stolen session.
    pub heard: BTreeMap<(String, u64), u64>,
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
            outbox: Outbox::default(),
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
        self.outbox = Outbox::default();
        self.session = None;
        (self.connection, self.epoch) = (String::new(), String::new());
        (arrival, Asked::default())
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
            "error" => self.outbox.refused(message),
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

    pub fn take_rights(&mut self, can: &Value) {
        let names = can.as_array().unwrap().iter();
        self.can = names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
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
}
