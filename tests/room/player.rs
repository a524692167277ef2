//! A client of the simulation: what the protocol promises it, checked with every message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::world::{Arrival, Client, arrival, json};

/// A message that is sent again until it is acknowledged.
#[derive(Clone, Debug)]
pub struct Unacked {
    pub id: String,
    pub echo: bool,
    /// Whether it has been sent on the present connection.
    pub sent: bool,
}

/// What became known of the log, by epoch and offset: everybody must see the same.
#[derive(Default)]
pub struct Truth(BTreeMap<(String, u64), String>);

pub struct Player {
    pub user: String,
    pub base: Arrival,
    pub client: Option<Client>,
    pub session: Option<String>,
    pub connection: String,
    pub epoch: String,
    /// The last offset seen, or told by a welcome.
    pub offset: u64,
    /// It did not receive messages for a while, so the next offset may be any later one.
    gap: bool,
    pub can: BTreeSet<String>,
    /// Who is there by what it was told; `None` in a crowd.
    pub view: Option<BTreeMap<String, (String, Value)>>,
    pub state: Value,
    pub unacked: VecDeque<Unacked>,
    pub acked: BTreeMap<String, u64>,
    pub next_number: u64,
    /// The last number heard of each sender.
    heard: BTreeMap<String, u64>,
    asked: Asked,
    /// After the clock was set back and the room restarted, a connection id may come again.
    clock_jumps: bool,
}

/// With what it connected last.
#[derive(Default)]
struct Asked {
    session: bool,
    offset: Option<u64>,
}

impl Player {
    pub fn new(number: usize, clock_jumps: bool) -> Player {
        // Some users have two tabs.
        let user = format!("u{}", number % 7);
        Player {
            base: arrival(&user),
            user,
            client: None,
            session: None,
            connection: String::new(),
            epoch: String::new(),
            offset: 0,
            gap: false,
            can: BTreeSet::new(),
            view: None,
            state: Value::Null,
            unacked: VecDeque::new(),
            acked: BTreeMap::new(),
            next_number: 1,
            heard: BTreeMap::new(),
            asked: Asked::default(),
            clock_jumps,
        }
    }

    pub fn can(&self, right: &str) -> bool {
        self.can.contains(right)
    }

    /// How it arrives: with what it knows, or as if it were new.
    pub fn arrival(&mut self, resume: bool) -> Arrival {
        let mut arrival = self.base.clone();
        self.asked = Asked::default();
        if let (true, Some(session)) = (resume, &self.session) {
            arrival = arrival.session(session).at(&self.epoch, self.offset);
            self.asked = Asked {
                session: true,
                offset: Some(self.offset),
            };
        } else {
            // Whoever forgets its session forgets what it was about to send.
            self.unacked.clear();
            self.acked.clear();
        }
        arrival
    }

    /// Takes a message in, and returns what it answers.
    pub fn take(&mut self, message: &Value, truth: &mut Truth) -> Option<Value> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match message["type"].as_str().unwrap() {
            "welcome" => return self.welcomed(message),
            "message" => self.hear(message, truth),
            "skip" => {
                self.follow(message["offset"].as_u64().unwrap());
            }
            "ack" => self.acknowledged(message),
            "error" => {
                let id = text(&message["id"]);
                // It is tried again with the next connection, or when it is idle.
                if let Some(unacked) = self.unacked.iter_mut().find(|unacked| unacked.id == id) {
                    unacked.sent = false;
                }
            }
            "join" => {
                let member = &message["member"];
                let id = text(&member["connection"]);
                assert_ne!(id, self.connection, "never to the one it is about");
                let view = self.view.as_mut().expect("no join in a crowd");
                let entry = (text(&member["user"]["id"]), member["state"].clone());
                assert!(view.insert(id, entry).is_none(), "joined twice: {message}");
            }
            "leave" => {
                let view = self.view.as_mut().expect("no leave in a crowd");
                let left = view.remove(message["connection"].as_str().unwrap());
                let (user, _) = left.unwrap_or_else(|| panic!("left twice: {message}"));
                assert_eq!(user, text(&message["user"]));
            }
            "states" => self.take_states(message),
            "members" => {
                self.view = Some(listed(message));
                return self.own_state();
            }
            "occupancy" => self.view = None,
            "auth" => {
                let before = self.can("subscribe");
                self.take_rights(&message["can"]);
                self.gap |= !before;
                if !self.can("presence") {
                    self.view = None;
                }
            }
            "history" => {}
            other => panic!("unknown {other}"),
        }
        None
    }

    fn take_rights(&mut self, can: &Value) {
        let names = can.as_array().unwrap().iter();
        self.can = names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
    }

    fn welcomed(&mut self, message: &Value) -> Option<Value> {
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        let same_epoch = self.epoch == text("epoch");
        let same_id = self.connection == text("connection");
        if self.asked.session && same_epoch && !self.clock_jumps {
            assert!(same_id, "the session gives its id back");
        } else if !same_epoch || (self.asked.session && !same_id) {
            self.unacked.clear();
            self.acked.clear();
            self.heard.clear();
        }
        let offset = message["offset"].as_u64().unwrap();
        match (message["recovered"].as_bool(), self.asked.offset) {
            (None, asked) => assert!(asked.is_none() && message["recovered"].is_null()),
            (Some(recovered), asked) => {
                let asked = asked.expect("nothing was asked");
                assert!(!recovered || (same_epoch && asked <= offset));
            }
        }
        if self.gap {
            // It may hear now what was said before what it has heard since.
            self.heard.clear();
        }
        if message["recovered"] != true {
            self.offset = offset;
            self.gap = false;
        }
        (self.session, self.connection, self.epoch) =
            (Some(text("session")), text("connection"), text("epoch"));
        self.take_rights(&message["can"]);
        self.view = message.get("members").map(|_| listed(message));
        for unacked in &mut self.unacked {
            unacked.sent = false;
        }
        self.own_state()
    }

    /// R5: the state once more, if the list has another one.
    pub fn own_state(&self) -> Option<Value> {
        let own = self.view.as_ref()?.get(&self.connection);
        let (_, state) = own.expect("members include the connection itself");
        (*state != self.state).then(|| json!({"type": "state", "state": self.state}))
    }

    /// Whether it has missed what was said while it did not receive messages.
    pub fn gap(&self) -> bool {
        self.gap
    }

    /// Offsets grow by one: no gap, no double, no other order.
    fn follow(&mut self, offset: u64) {
        assert!(self.can("subscribe"));
        if self.gap {
            assert!(offset > self.offset);
        } else {
            assert_eq!(offset, self.offset + 1, "{} misses something", self.user);
        }
        (self.offset, self.gap) = (offset, false);
    }

    fn hear(&mut self, message: &Value, truth: &mut Truth) {
        if let Some(offset) = message["offset"].as_u64() {
            self.follow(offset);
            let text = message.to_string();
            let known = truth
                .0
                .entry((self.epoch.clone(), offset))
                .or_insert_with(|| text.clone());
            assert_eq!(*known, text, "everybody sees the same");
        }
        // What was never sent twice comes in the order in which its sender said it.
        if self.clock_jumps {
            return;
        }
        if let (Some(from), Some(number)) = (message["from"].as_str(), message["data"].as_u64()) {
            let heard = self.heard.entry(from.to_owned()).or_default();
            assert!(number > *heard, "{number} of {from} after {heard}");
            *heard = number;
        }
    }

    fn acknowledged(&mut self, message: &Value) {
        let id = message["id"].as_str().unwrap().to_owned();
        let Some(offset) = message["offset"].as_u64() else {
            return;
        };
        self.unacked.retain(|unacked| unacked.id != id);
        let before = self.acked.insert(id, offset);
        assert!(
            before.is_none_or(|before| before == offset),
            "the same ack again"
        );
    }

    fn take_states(&mut self, message: &Value) {
        let Some(view) = &mut self.view else {
            panic!("no states in a crowd")
        };
        for (id, state) in message["states"].as_object().into_iter().flatten() {
            view.get_mut(id)
                .unwrap_or_else(|| panic!("state of a stranger {id}"))
                .1 = state.clone();
        }
        for (id, patch) in message["patches"].as_object().into_iter().flatten() {
            let entry = view
                .get_mut(id)
                .unwrap_or_else(|| panic!("patch of a stranger {id}"));
            merge(&mut entry.1, patch);
        }
    }
}

/// P1.
pub fn merge(state: &mut Value, patch: &Value) {
    if !state.is_object() {
        *state = json!({});
    }
    let object = state.as_object_mut().unwrap();
    for (key, value) in patch.as_object().unwrap() {
        if value.is_null() {
            object.remove(key);
        } else {
            object.insert(key.clone(), value.clone());
        }
    }
}

/// The members of a message, by connection.
pub fn listed(message: &Value) -> BTreeMap<String, (String, Value)> {
    let members = message["members"].as_array().unwrap().iter();
    members
        .map(|member| {
            let id = member["connection"].as_str().unwrap().to_owned();
            let user = member["user"]["id"].as_str().unwrap().to_owned();
            (id, (user, member["state"].clone()))
        })
        .collect()
}
