//! What a room may not do to its connections, judged at its own door: ids and sessions (R1), graces
//! (R4, P5), bans (H4), ends of tokens (T5), silence (C4), rates (N6).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bans::Bans;
use super::wire::Wire;
use crate::memory::Memory;
use roomful::auth::{Grant, Rights};
use roomful::protocol::Limits;
use roomful::room::{Kind as Sort, Size};

/// The end of a token is noticed within so many milliseconds: leeway and grid.
const EXPIRY_MS: u64 = 10_000;
/// So long after a connection has left it may still be on its way out that it has.
const TELLING_MS: u64 = 5_000;

/// A connection by its room's epoch and its id.
type Name = (String, String);

/// Whose connection it is, and when it may be said to have left.
#[derive(Default)]
struct Record {
    user: String,
    welcomed: bool,
    began_at: u64,
    /// Times from which on a leave is right.
    leaves: Vec<u64>,
    /// It has left before it came back, and until then others may hear of that.
    left_until: u64,
    /// What of it was stored: numbers.
    said: BTreeSet<u64>,
    restarts: u64,
}

pub struct Watch {
    limits: Limits,
    /// Storage has begun to fail: what is due may be late.
    pub failures: bool,
    /// The clock was set back: ids may come again, and what was over begins anew.
    set_back: bool,
    /// When it was set forward: what is due since then has still to be noticed.
    forward_at: u64,
    records: BTreeMap<Name, Record>,
    /// Whose connection a secret brings back.
    sessions: BTreeMap<String, Name>,
    pub bans: Bans,
    restarts: u64,
    /// When somebody came after the last restart.
    awake_at: Option<u64>,
}

impl Watch {
    pub fn new(limits: &Limits) -> Watch {
        Watch {
            limits: limits.clone(),
            failures: false,
            set_back: false,
            forward_at: 0,
            records: BTreeMap::new(),
            sessions: BTreeMap::new(),
            bans: Bans::default(),
            restarts: 0,
            awake_at: None,
        }
    }

    /// The process has died; storage holds these for members now, some of whom nobody may have seen.
    pub fn restarted(&mut self, store: &Memory, now: u64) {
        self.restarts += 1;
        self.awake_at = None;
        let Some(meta) = &store.meta else { return };
        let leaves_at = now + self.limits.grace_ms;
        for member in store.members.values() {
            let record = self.record(&meta.epoch, &member.connection.to_string());
            if record.user.is_empty() {
                record.user.clone_from(&member.user);
                record.leaves.push(leaves_at);
            }
        }
    }

    /// Somebody has set the clock. What the room waits for lasts as long as before, and no shorter.
    pub fn clock_set(&mut self, by: i64, now: u64) {
        for record in self.records.values_mut() {
            let leaves = record.leaves.iter_mut().filter(|_| by < 0);
            for at in leaves.chain([&mut record.left_until]) {
                *at = at.saturating_add_signed(by);
            }
        }
        match by > 0 {
            true => self.forward_at = now,
            false => self.set_back = true,
        }
    }

    fn record(&mut self, epoch: &str, connection: &str) -> &mut Record {
        let name = (epoch.to_owned(), connection.to_owned());
        self.records.entry(name).or_default()
    }

    /// A welcome goes out to a wire.
    pub fn welcome(&mut self, wire: &Wire, message: &Value, room: &str, now: u64) {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let (user, connection, epoch) = (
            wire.arrival.grant.user.to_string(),
            text("connection"),
            text("epoch"),
        );
        assert_eq!(message["room"], room, "the room that was asked for");
        assert!(
            epoch.starts_with(&format!("e{room}")),
            "an epoch of another room: {epoch}"
        );
        assert_eq!(message["user"]["id"], user.as_str());
        let name = (epoch.clone(), connection.clone());
        let shown = wire.arrival.session.as_ref();
        let own = shown.and_then(|secret| self.sessions.get(secret));
        let own = own.filter(|own| own.0 == epoch && self.records[*own].user == user);
        if !self.set_back {
            let back = own.filter(|own| {
                let ended = self.ended_by_ban(own, now).unwrap_or(**own != name);
                !ended && !wire.arrival.kind.is_stream()
            });
            match back {
                Some(own) => assert_eq!(*own, name, "R1: the session gives its id back"),
                None => {
                    // One that ended before its welcome got out is no other.
                    let before = self.records.get(&name);
                    let new = before.is_none_or(|record| !record.welcomed);
                    assert!(
                        new,
                        "C2, H4: {connection} is given to {user}, and was before"
                    );
                }
            }
        }
        if let Some(secret) = message["session"].as_str() {
            self.sessions.insert(secret.to_owned(), name.clone());
        }
        let restarts = self.restarts;
        let record = self.records.entry(name).or_default();
        if !record.welcomed {
            (record.user, record.welcomed) = (user, true);
            (record.began_at, record.restarts) = (now, restarts);
        }
    }

    /// A room lets a connection in, which may be one that comes back; `was_listed` tells whether
    /// storage held it for a member until then. What the room says of it may come out much later.
    pub fn accepted(
        &mut self,
        epoch: &str,
        connection: &str,
        grant: &Grant,
        was_listed: bool,
        now: u64,
    ) {
        let (failures, user) = (self.failures, &grant.user);
        assert!(!self.bans.hold(user, now), "H4: {user} is banned");
        self.awake_at.get_or_insert(now);
        let record = self.record(epoch, connection);
        let due = record.leaves.iter().any(|due| *due <= now);
        if due && (!was_listed || failures) {
            record.left_until = now + TELLING_MS;
        }
        // It is back: nobody is to hear that it leaves.
        record.leaves.clear();
        if !grant.can.has(Rights::PRESENCE) {
            record.leaves.push(now);
        }
        if !record.welcomed {
            record.user = grant.user.to_string();
        }
    }

    /// A connection has lost its last socket; `code` decides on its grace.
    pub fn gone(&mut self, epoch: &str, connection: &str, code: u16, now: u64) {
        let grace = match code {
            4504 => self.limits.grace_ms,
            1000 | 1005 | 4102 | 4500..=4999 => 0,
            1001 => self.limits.grace_ms.min(2_000),
            _ => self.limits.grace_ms,
        };
        self.record(epoch, connection).leaves.push(now + grace);
    }

    /// A connection is to leave, though it has a socket, or is within its grace.
    pub fn leaves_now(&mut self, epoch: &str, connection: &str, now: u64) {
        self.record(epoch, connection).leaves.push(now);
    }

    /// All connections of a user are to leave.
    pub fn kicked(&mut self, user: &str, now: u64) {
        for record in self
            .records
            .values_mut()
            .filter(|record| record.user == user)
        {
            record.leaves.push(now);
        }
    }

    /// Whether a ban has ended this session (H4); `None` if that cannot be told from here.
    fn ended_by_ban(&self, own: &Name, now: u64) -> Option<bool> {
        let record = &self.records[own];
        match self.bans.last(&record.user)? {
            0 => Some(false),
            until => {
                // What was said during an older one is no more to be had.
                let kept = now < until + self.limits.history_ms;
                (kept && record.began_at < until).then_some(true)
            }
        }
    }

    /// Something else goes out to a wire that was accepted in this epoch.
    pub fn sent(&mut self, epoch: &str, message: &Value, now: u64) {
        if message["type"] == "leave" {
            let connection = message["connection"].as_str().unwrap();
            let record = self.record(epoch, connection);
            let due = record.leaves.iter().any(|due| *due <= now) || now < record.left_until;
            assert!(
                due,
                "R4, P5: {connection} has not left at {now}: {:?}",
                record.leaves
            );
        }
        let number = message["data"]["n"].as_u64();
        if let (Some(from), Some(number)) = (message["from"].as_str(), number) {
            let (limits, restarts) = (self.limits.clone(), self.restarts);
            let record = self.record(epoch, from);
            if record.said.insert(number) && record.began_at > 0 {
                let seconds = now.saturating_sub(record.began_at) / 1_000 + 1;
                let fills = 1 + restarts - record.restarts;
                let most = u64::from(limits.rate_burst) * fills
                    + u64::from(limits.rate_per_second) * (seconds + 1);
                let said = record.said.len() as u64;
                assert!(
                    said <= most || self.set_back,
                    "N6: {from} said {said} in {seconds} s"
                );
            }
        }
    }

    /// What a room keeps is bounded by its limits and by who is there.
    pub fn size(&self, size: &Size, open: usize) {
        let limits = &self.limits;
        assert!(size.places <= limits.connections, "{size:?}");
        assert!(
            size.places >= open && size.members <= size.places,
            "{size:?}, {open} are there"
        );
        let presence = size.members * (limits.state_bytes + 2_048);
        assert!(size.presence_bytes <= presence, "{size:?}");
        // One frame may add a hundred pages of history, but is flushed between them.
        assert!(
            size.outbox_bytes <= 1_000_000 + 256 * 1_024 + limits.message_bytes * 2,
            "{size:?}"
        );
        assert!(size.outbox_items <= 20_000, "{size:?}");
        let kept = limits.history_messages.max(1_000) as usize;
        assert!(size.ids <= kept + size.outbox_items + 1, "{size:?}");
        assert!(size.rates <= 6_000, "{size:?}");
    }

    /// Until when a connection without a socket may be listed; after a restart its grace begins when the
    /// room is awake again (R5). `None` if that cannot be told from here.
    pub fn listed_until(&self, epoch: &str, connection: &str) -> Option<u64> {
        let awake_at = self.awake_at.filter(|_| !self.set_back && !self.failures)?;
        let record = self.records.get(&(epoch.to_owned(), connection.to_owned()));
        let last = record.and_then(|record| record.leaves.iter().max());
        let leaves = last
            .copied()
            .unwrap_or(0)
            .max(awake_at.max(self.forward_at) + self.limits.grace_ms);
        Some(leaves + TELLING_MS)
    }

    /// A wire whose room's end is open.
    pub fn open(&self, wire: &Wire, now: u64, pinged_at: u64) {
        if self.failures {
            return;
        }
        if let Some(at) = wire.arrival.grant.expires_at {
            assert!(
                now <= at.max(self.forward_at) + EXPIRY_MS,
                "T5: its token ended at {at}, now it is {now}"
            );
        }
        let silent_at = wire.heard_at.max(pinged_at).max(self.forward_at) + 8 * self.limits.ping_ms;
        if wire.arrival.kind == Sort::Socket {
            assert!(now <= silent_at, "C4: silent since {}", wire.heard_at);
        }
    }
}
