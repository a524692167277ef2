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

/// Where something may be refused, what is not stored has an id of this and its number.
pub const UNSTORED: &str = "~";

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
    /// What is not stored, and may have been refused: the room has still to say which. Whose wire it came over, and who
    /// has to hear it if it was taken.
    open: BTreeMap<Key, (Option<usize>, Vec<usize>)>,
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
        self.asked(publish, from, None, listeners);
        self.answered(key(&publish["data"]), true);
    }

    /// The room has it, and will say whether it has taken it; by then the same have to hear it.
    pub fn asked(
        &mut self,
        publish: &Value,
        from: Option<&str>,
        wire: Option<usize>,
        listeners: &[Listener],
    ) {
        let data = &publish["data"];
        let stored = data["ephemeral"] != true && data["to"].is_null();
        if let Some(key) = key(data).filter(|_| !stored) {
            let due = listeners.iter().filter(|it| is_for(data, from, it));
            self.open
                .insert(key, (wire, due.map(|it| it.wire).collect()));
        }
    }

    /// The room says whether it has taken something.
    pub fn answered(&mut self, key: Option<Key>, taken: bool) {
        let open = key.and_then(|key| Some((key, self.open.remove(&key)?)));
        let Some((key, (_, wires))) = open.filter(|_| taken) else {
            return;
        };
        for wire in wires {
            match self.speeches[&key].heard.contains(&wire) {
                true => self.count(key),
                false => drop(self.due.insert((key, wire))),
            }
        }
    }

    /// The same, to a connection.
    pub fn told(&mut self, message: &Value) {
        let number = message["id"]
            .as_str()
            .and_then(|id| id.strip_prefix(UNSTORED));
        let key = number.map(|number| (false, number.parse().expect("a number")));
        self.answered(key, message["type"] == "ack");
    }

    /// Nobody knows any more whether this one has to hear what was said, nor what is answered to it.
    pub fn excuse(&mut self, wire: usize) {
        self.due.retain(|(_, due)| *due != wire);
        self.open.retain(|_, (from, wires)| {
            wires.retain(|due| *due != wire);
            *from != Some(wire)
        });
    }

    /// What the room had not sent yet is lost.
    pub fn crashed(&mut self) {
        self.due.clear();
        self.open.clear();
    }

    /// The room has nothing left to send.
    pub fn settled(&self) {
        let missed: Vec<_> = self.due.iter().take(3).collect();
        assert!(missed.is_empty(), "M2, M3: {missed:?} never arrived");
        let open: Vec<_> = self.open.keys().take(3).collect();
        assert!(open.is_empty(), "M4, H1: {open:?} was never answered");
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
            self.count(key);
        }
    }

    /// One more has heard what it had to.
    fn count(&mut self, key: Key) {
        match self.speeches[&key].data["to"].is_array() {
            true => self.private += 1,
            false => self.ephemeral += 1,
        }
    }
}

/// What tells something from everything else, by the data of its publish.
pub fn key(data: &Value) -> Option<Key> {
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
