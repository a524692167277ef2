//! What was said to a room, taken down as it arrives there, and what is heard of it at the same
//! door: as it was said, by whom (M1), and by everyone it is for, once (M2, M3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Somebody at the room's door.
pub struct Listener {
    pub wire: usize,
    pub connection: String,
    pub user: String,
}

/// What tells it from everything else that is said in a room: whether it came over HTTP, and a
/// number.
type Key = (bool, u64);

/// Something that was said.
struct Speech {
    event: Value,
    data: Value,
    user: String,
    /// The connections that said it: what was not acknowledged is said again. None over HTTP.
    from: BTreeSet<String>,
    /// The wires that have heard it, if it is not stored.
    heard: BTreeSet<usize>,
}

#[derive(Default)]
pub struct Said {
    speeches: BTreeMap<Key, Speech>,
    /// Who has still to hear what is not stored.
    due: BTreeSet<(Key, usize)>,
    /// How often somebody heard something ephemeral, or private, who had to.
    pub ephemeral: u64,
    pub private: u64,
}

impl Said {
    /// Somebody may publish this; `connection` is `None` over HTTP.
    pub fn says(&mut self, publish: &Value, user: &str, connection: Option<&str>) {
        let Some(key) = key(&publish["data"]) else {
            return;
        };
        let speech = self.speeches.entry(key).or_insert_with(|| Speech {
            event: publish["event"].clone(),
            data: publish["data"].clone(),
            user: user.to_owned(),
            from: BTreeSet::new(),
            heard: BTreeSet::new(),
        });
        speech.from.extend(connection.map(str::to_owned));
    }

    /// The room has taken it: those of `listeners` for whom it is have to hear it, if it is not
    /// stored.
    pub fn taken(&mut self, publish: &Value, from: Option<&str>, listeners: &[Listener]) {
        let data = &publish["data"];
        let stored = data["ephemeral"] != true && data["to"].is_null();
        let Some(key) = key(data).filter(|_| !stored) else {
            return;
        };
        let due = listeners.iter().filter(|it| is_for(data, from, it));
        self.due.extend(due.map(|it| (key, it.wire)));
    }

    /// Nobody knows any more whether this one has to hear what was said.
    pub fn excuse(&mut self, wire: usize) {
        self.due.retain(|(_, due)| *due != wire);
    }

    /// What the room had not sent yet is lost.
    pub fn crashed(&mut self) {
        self.due.clear();
    }

    /// The room has nothing left to send.
    pub fn settled(&self) {
        let missed: Vec<_> = self.due.iter().take(3).collect();
        assert!(missed.is_empty(), "M2, M3: {missed:?} never arrived");
    }

    /// How many have heard what is not stored, of this number.
    pub fn hearers(&self, number: u64) -> usize {
        self.speeches[&(false, number)].heard.len()
    }

    /// A message is in the log, or on its way to somebody: it is what was said.
    pub fn is_true(&self, message: &Value) {
        let speech = key(&message["data"]).and_then(|key| self.speeches.get(&key));
        let speech = speech.unwrap_or_else(|| panic!("M1, M7: nobody said {message}"));
        assert_eq!(message["data"], speech.data, "M1: {message}");
        assert_eq!(message["event"], speech.event, "M1: {message}");
        assert_eq!(message["user"], *speech.user, "M1: {message}");
        match message["from"].as_str() {
            Some(from) => assert!(speech.from.contains(from), "M1: not from {from}: {message}"),
            None => assert!(speech.from.is_empty(), "H1: {message} has a sender"),
        }
    }

    /// Somebody is sent a message.
    pub fn heard(&mut self, message: &Value, by: &Listener) {
        self.is_true(message);
        let data = &message["data"];
        let private = data["to"].is_array();
        let stored = !private && data["ephemeral"] != true;
        assert_eq!(message["private"] == true, private, "M3: {message}");
        assert_eq!(message["offset"].is_u64(), stored, "M2: {message}");
        let own = message["from"].as_str();
        assert!(
            is_for(data, own, by),
            "M3: {message} is not for {} of {}",
            by.connection,
            by.user
        );
        let Some(key) = key(data).filter(|_| !stored) else {
            return;
        };
        let speech = self.speeches.get_mut(&key).expect("it was said");
        assert!(speech.heard.insert(by.wire), "M2, M3: twice: {message}");
        if self.due.remove(&(key, by.wire)) {
            *(if private {
                &mut self.private
            } else {
                &mut self.ephemeral
            }) += 1;
        }
    }
}

fn key(data: &Value) -> Option<Key> {
    let http = data["http"].as_u64().map(|number| (true, number));
    http.or_else(|| Some((false, data["n"].as_u64()?)))
}

/// Whether this is for somebody who may hear it; the data says what the publish said.
fn is_for(data: &Value, from: Option<&str>, listener: &Listener) -> bool {
    let Listener {
        connection, user, ..
    } = listener;
    let lists = |list: &Value, name: &str| {
        let list = list.as_array();
        list.is_some_and(|list| list.iter().any(|it| it == name))
    };
    let named = || lists(&data["to"], connection) || lists(&data["to"], &format!("user:{user}"));
    (data["to"].is_null() || named())
        && !(data["echo"] == false && from == Some(connection))
        && !lists(&data["except"], connection)
}
