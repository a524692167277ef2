//! M4: a publish retried after a lost connection counts once.
//!
//! Remembers which publish ids the messages of the history carried. The ids are stored beside the
//! messages; after a wake they are read back only when somebody publishes with an id.

use std::collections::VecDeque;

use super::store::LogHead;
use super::window::Window;
use crate::map::Map;
use crate::protocol::ConnectionId;

/// Who gave an id. Ids of a connection and ids of a user over HTTP never meet.
#[derive(Copy, Clone, Debug)]
pub enum Origin<'a> {
    Connection(ConnectionId),
    User(&'a str),
}

/// The key under which an id is remembered and stored.
///
/// Unambiguous, since neither a connection id nor a user id can hold a line feed.
pub fn key(origin: Origin<'_>, id: &str) -> Box<str> {
    match origin {
        Origin::Connection(connection) => format!("c{connection}\n{id}"),
        Origin::User(user) => format!("u{user}\n{id}"),
    }
    .into()
}

/// The ids within the history, and of the messages that wait for the next flush.
#[derive(Debug, Default)]
pub struct Ids {
    entries: Map<Box<str>, Entry>,
    /// All ids by offset, oldest first.
    order: VecDeque<(u64, Box<str>)>,
    /// The stored ids have been read.
    pub loaded: bool,
}

/// When an id leaves the history is decided by its message's row.
#[derive(Copy, Clone, Debug)]
struct Entry {
    offset: u64,
    at: u64,
    from_byte: u64,
}

impl Ids {
    /// The offset of the message that carried this id, if it is still within `window`.
    pub fn offset(&self, key: &str, window: &Window) -> Option<u64> {
        let entry = self.entries.get(key)?;
        let held = window.holds_message(entry.offset, entry.at, entry.from_byte);
        held.then_some(entry.offset)
    }

    /// Adds the id of a message that is newer than all others.
    pub fn insert(&mut self, key: Box<str>, offset: u64, at: u64, from_byte: u64) {
        self.order.push_back((offset, key.clone()));
        self.entries.insert(
            key,
            Entry {
                offset,
                at,
                from_byte,
            },
        );
    }

    /// Reads the `ids` column of a row; one that cannot be read is one without ids.
    pub fn load(&mut self, row: &LogHead, ids: &str) {
        let entries: Vec<(u64, Box<str>)> = serde_json::from_str(ids).unwrap_or_default();
        for (offset, key) in entries {
            self.insert(key, offset, row.at, row.from_byte());
        }
    }

    /// The `ids` column for the messages `first` to `last`.
    pub fn row(&self, first: u64, last: u64) -> String {
        let entries: Vec<_> = self.between(first, last).collect();
        if entries.is_empty() {
            return String::new();
        }
        serde_json::to_string(&entries).unwrap_or_default()
    }

    /// Notes that messages have come to lie in this row.
    pub fn settle(&mut self, row: &LogHead) {
        let Ids { entries, order, .. } = self;
        let older = order.partition_point(|(offset, _)| *offset < row.first);
        for (offset, key) in order
            .iter()
            .skip(older)
            .take_while(|(offset, _)| *offset <= row.last)
        {
            if let Some(entry) = entries.get_mut(key) {
                *entry = Entry {
                    offset: *offset,
                    at: row.at,
                    from_byte: row.from_byte(),
                };
            }
        }
    }

    /// How many there are.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn count(&self) -> usize {
        self.order.len()
    }

    fn between(&self, first: u64, last: u64) -> impl Iterator<Item = &(u64, Box<str>)> {
        let older = self.order.partition_point(|(offset, _)| *offset < first);
        self.order
            .iter()
            .skip(older)
            .take_while(move |(offset, _)| *offset <= last)
    }

    /// Forgets the ids that have left the history.
    pub fn forget_outside(&mut self, window: &Window) {
        while let Some((offset, key)) = self.order.front()
            && self.offset(key, window) != Some(*offset)
        {
            self.forget(VecDeque::pop_front);
        }
    }

    /// Forgets ids of messages after `offset`: they could not be stored.
    pub fn forget_after(&mut self, offset: u64) {
        while self
            .order
            .back()
            .is_some_and(|(latest, _)| *latest > offset)
        {
            self.forget(VecDeque::pop_back);
        }
    }

    fn forget(
        &mut self,
        pop: impl FnOnce(&mut VecDeque<(u64, Box<str>)>) -> Option<(u64, Box<str>)>,
    ) {
        if let Some((offset, key)) = pop(&mut self.order)
            && self
                .entries
                .get(&key)
                .is_some_and(|entry| entry.offset == offset)
        {
            self.entries.remove(&key);
        }
    }
}
