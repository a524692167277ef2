//! What a room's log has held, seen from outside: against it everything is checked that anybody
//! is told of a message.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::said::Said;
use crate::memory::Memory;
use roomful::protocol::Limits;

/// A message that was stored.
struct Entry {
    /// `None` if the room keeps no text, until somebody is sent it.
    message: Option<Value>,
    /// When it was seen in the log.
    at: u64,
    told: bool,
}

/// One life of the room.
#[derive(Default)]
struct Life {
    entries: Vec<Entry>,
    /// Offsets by what was published with an id.
    ids: BTreeMap<String, u64>,
    /// Offsets that were acknowledged.
    acked: BTreeSet<u64>,
}

pub struct Ledger {
    room: String,
    limits: Limits,
    lives: BTreeMap<String, Life>,
    /// How many rows had been written at the last look.
    seen: Option<u64>,
    /// The clock jumps: an id of a connection may come again.
    lenient: bool,
}

impl Ledger {
    pub fn new(room: &str, limits: &Limits, lenient: bool) -> Ledger {
        Ledger {
            room: room.to_owned(),
            limits: limits.clone(),
            lives: BTreeMap::new(),
            seen: None,
            lenient,
        }
    }

    /// Storage has been rolled back, perhaps.
    pub fn crashed(&mut self, store: &Memory) {
        self.seen = None;
        let Some(meta) = &store.meta else { return };
        let newest = store.newest_offset();
        let Some(life) = self.lives.get_mut(&meta.epoch) else {
            return;
        };
        for (place, entry) in life.entries.iter().enumerate().skip(newest as usize) {
            let offset = place as u64 + 1;
            assert!(!entry.told, "M5: {offset} was told, and is lost");
            assert!(
                !life.acked.contains(&offset),
                "M5: {offset} was acknowledged"
            );
        }
        life.entries.truncate(newest as usize);
        life.ids.retain(|_, offset| *offset <= newest);
    }

    /// Looks at the log: it is dense, only grows, and holds what the history promises.
    pub fn look(&mut self, store: &Memory, said: &Said, now: u64) {
        if self.seen.replace(store.rows_written) == Some(store.rows_written) {
            return;
        }
        let Some(meta) = &store.meta else { return };
        let life = self.lives.entry(meta.epoch.clone()).or_default();
        let known = life.entries.len() as u64;
        let mut next = store.log.values().next().map_or(1, |row| row.first);
        let oldest = next;
        for row in store.log.values() {
            assert_eq!(row.first, next, "rows are dense");
            assert!(row.last >= row.first);
            next = row.last + 1;
            if row.last > known {
                life.take(row.first, row.last, &row.messages, known, now, &self.limits);
            }
        }
        let new = life.entries.iter().skip(known as usize);
        for message in new.filter_map(|entry| entry.message.as_ref()) {
            said.is_true(message);
        }
        let newest = life.entries.len() as u64;
        assert_eq!(next - 1, newest, "the log has lost what it held");
        // Whatever is young and near enough is there.
        let floor = newest.saturating_sub(self.limits.history_messages);
        let promised = (floor..oldest.saturating_sub(1))
            .filter(|offset| {
                now.saturating_sub(life.entries[*offset as usize].at) < self.limits.history_ms
            })
            .count();
        assert!(
            promised == 0 || self.lenient,
            "N5: {promised} messages left the log too early"
        );
        // Who does not know the oldest row cannot write over it, and writes one more.
        let rows = self.limits.history_messages + 3 + store.faults.oldest_lost;
        assert!(
            store.log.len() as u64 <= rows,
            "N5: {} rows",
            store.log.len()
        );
        if !self.lenient {
            life.check_ids(known, &self.limits);
        }
    }

    pub fn newest(&self, epoch: &str) -> u64 {
        self.lives
            .get(epoch)
            .map_or(0, |life| life.entries.len() as u64)
    }

    /// Somebody is told this message: it is the one in the log.
    pub fn told(&mut self, epoch: &str, offset: u64, message: &Value) {
        assert_eq!(
            message["data"]["room"],
            self.room.as_str(),
            "of another room"
        );
        let entry = self.entry(epoch, offset);
        entry.told = true;
        let known = entry.message.get_or_insert_with(|| message.clone());
        assert_eq!(known, message, "everybody sees the same at {offset}");
    }

    /// Somebody is told to skip this one: it is rightly left out.
    pub fn skipped(&mut self, epoch: &str, offset: u64, connection: &str) {
        let entry = self.entry(epoch, offset);
        entry.told = true;
        let Some(message) = &entry.message else {
            return;
        };
        let own = message["from"] == connection && message["data"]["echo"] == false;
        let except = &message["data"]["except"];
        let listed = except
            .as_array()
            .is_some_and(|list| list.iter().any(|id| id == connection));
        assert!(own || listed, "{connection} is to skip {message}");
    }

    /// Somebody is told that it published this under `id` at `offset`.
    pub fn acked(&mut self, epoch: &str, id: &str, offset: u64) {
        let message = self.entry(epoch, offset).message.clone();
        if let Some(message) = message {
            assert_eq!(message["data"]["id"], id, "acknowledged as {offset}");
        }
        self.life(epoch).acked.insert(offset);
    }

    fn life(&mut self, epoch: &str) -> &mut Life {
        let life = self.lives.get_mut(epoch);
        life.unwrap_or_else(|| panic!("{epoch} is no epoch of {}", self.room))
    }

    fn entry(&mut self, epoch: &str, offset: u64) -> &mut Entry {
        let entries = &mut self.life(epoch).entries;
        let count = entries.len();
        let entry = entries.get_mut(offset as usize - 1);
        entry.unwrap_or_else(|| panic!("{offset} is not in the log, which ends at {count}"))
    }
}

impl Life {
    /// Takes in what is new in a row.
    fn take(&mut self, first: u64, last: u64, text: &str, known: u64, now: u64, limits: &Limits) {
        let keeps = limits.history_messages > 0;
        let messages: Vec<Value> = match keeps {
            true => serde_json::from_str(&format!("[{text}]")).expect("a list of messages"),
            false => Vec::new(),
        };
        assert!(!keeps || messages.len() as u64 == last + 1 - first);
        let mut messages = messages.into_iter();
        for offset in first..=last {
            let message = messages.next();
            if let Some(message) = &message {
                assert_eq!(message["offset"], offset, "dense offsets");
            }
            if offset > known {
                self.entries.push(Entry {
                    message,
                    at: now,
                    told: false,
                });
            }
        }
    }

    /// M4: an id counts once within the history.
    fn check_ids(&mut self, known: u64, limits: &Limits) {
        for offset in known + 1..=self.entries.len() as u64 {
            let entry = &self.entries[offset as usize - 1];
            let Some(message) = &entry.message else {
                continue;
            };
            let Some(id) = message["data"]["id"].as_str() else {
                continue;
            };
            if let Some(before) = self.ids.insert(id.to_owned(), offset) {
                let age = entry.at - self.entries[before as usize - 1].at;
                let left = offset - before >= limits.history_messages || age >= limits.history_ms;
                assert!(left, "M4: {id} counts as {before} and as {offset}");
            }
        }
    }
}
