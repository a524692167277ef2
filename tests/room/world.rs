//! A room with its surroundings: time, sockets and streams, timers and alarms, eviction, restarts.
//!
//! It does what the shell does, and checks on the way what a shell relies on.

mod actions;
mod clients;
mod requests;
mod time;

use std::collections::BTreeMap;
use std::rc::Rc;

use roomful::protocol::{ConnectionId, Error, Limits};
use roomful::room::{Action, Event, Fresh, Input, Kind, Link, RequestId, Room};

use crate::disk::{Disk, Saved};
use crate::frame::Frame;
use crate::memory::Memory;
use crate::verifying::Verifying;

pub use serde_json::json;

pub use crate::arrival::{Arrival, arrival};
pub use crate::frame::{brief, flatten};

/// When every world begins.
pub const START: u64 = 1_800_000_000_000;

/// A fake client, by its number in the world.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub usize);

/// What is at the other end of a link.
pub struct End {
    pub link: Option<Link>,
    pub kind: Kind,
    pub accepted: bool,
    /// The id that it has had since it was accepted.
    pub connection: Option<ConnectionId>,
    pub attachment: Option<String>,
    /// Texts as they arrived.
    pub frames: Vec<Rc<Frame>>,
    /// How many of them have been read.
    read: usize,
    pub closed: Option<(u16, String)>,
    /// The code with which it ended, though nobody may have been told yet.
    pub ended: Option<u16>,
    pub refused: Option<Error>,
    pub pinged_at: Option<u64>,
}

pub struct World {
    pub name: String,
    pub now: u64,
    pub limits: Limits,
    pub store: Memory,
    /// When what is in `store` is safe, and when the process dies.
    pub disk: Disk,
    pub room: Option<Room>,
    pub clients: Vec<End>,
    links: BTreeMap<Link, Client>,
    next_link: u32,
    lives: u32,
    next_request: u32,
    pub timer: Option<u64>,
    pub alarm: Option<u64>,
    /// How often the alarm was set: each time is billed as a row.
    pub alarms_set: u64,
    /// The alarm that is being handled: the runtime forgets it only afterwards.
    ringing: Option<u64>,
    /// How often its process has died.
    pub crashes: u64,
    pub replies: BTreeMap<RequestId, Result<String, Error>>,
    pub events: Vec<Event>,
    /// In the order in which they were asked for.
    pub verifying: Vec<Verifying>,
    /// When alarms went off.
    pub looks: Vec<u64>,
    /// When frames went out: how many links a text went to.
    pub sends: Vec<(u64, usize)>,
    pub attaches: u64,
    /// How often the room asked to be woken.
    pub timers: u64,
    /// What the room has closed and has not ended, with what is attached to it. It ends at once unless it is to `linger`.
    left: Vec<(Link, Kind, String)>,
    pub linger: bool,
    /// When the room last had something to do.
    pub last_event: u64,
}

impl World {
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Limits)) -> World {
        // So that three or four clients make a room busy.
        let mut limits = Limits {
            frames_per_second: 100,
            ..Limits::default()
        };
        change(&mut limits);
        World {
            name: "lobby".to_owned(),
            now: START,
            limits,
            store: Memory::default(),
            disk: Disk::default(),
            room: None,
            clients: Vec::new(),
            links: BTreeMap::new(),
            next_link: 1,
            lives: 0,
            next_request: 1,
            timer: None,
            alarm: None,
            alarms_set: 0,
            ringing: None,
            crashes: 0,
            replies: BTreeMap::new(),
            events: Vec::new(),
            verifying: Vec::new(),
            looks: Vec::new(),
            sends: Vec::new(),
            attaches: 0,
            timers: 0,
            left: Vec::new(),
            linger: false,
            last_event: START,
        }
    }

    // Life and death.

    fn fresh(&mut self) -> Fresh {
        if self.store.meta.is_none() {
            self.lives += 1;
        }
        // No two rooms have an epoch or a key in common.
        let room = self.name.strip_prefix("lobby").unwrap_or(&self.name);
        let mut key = [self.lives as u8; 32];
        for (byte, of_name) in key.iter_mut().skip(1).zip(room.bytes()) {
            *byte ^= of_name;
        }
        Fresh {
            epoch: format!("e{room}{}", self.lives),
            key,
        }
    }

    /// The values of the life that a deletion begins.
    pub fn next_life(&mut self) -> Fresh {
        self.lives += 1;
        self.fresh()
    }

    /// False if storage fails.
    fn wake(&mut self) -> bool {
        if self.room.is_some() {
            return true;
        }
        let fresh = self.fresh();
        // The runtime lists the newest socket first; links are numbered anew.
        self.links.clear();
        let mut sockets = Vec::new();
        for (number, end) in self.clients.iter_mut().enumerate().rev() {
            if end.link.is_none() {
                continue;
            }
            let link = Link(self.next_link);
            self.next_link += 1;
            end.link = Some(link);
            self.links.insert(link, Client(number));
            if let Some(attachment) = &end.attachment {
                sockets.push((link, attachment.clone()));
            }
        }
        for (link, _, left) in &mut self.left {
            *link = Link(self.next_link);
            self.next_link += 1;
            sockets.push((*link, left.clone()));
        }
        let limits = self.limits.clone();
        let name = self.name.clone();
        let before = self.store.rows_written;
        let room = Room::restore(name, limits, fresh, self.now, sockets, &mut self.store);
        assert_eq!(before, self.store.rows_written, "waking writes nothing");
        self.room = room.ok();
        self.room.is_some()
    }

    /// Puts the room away if it does not mind; its sockets live on.
    pub fn evict(&mut self) -> bool {
        let may = self.room.as_ref().is_some_and(|room| !room.is_waiting());
        let open = self.clients.iter().filter(|end| end.link.is_some());
        let open = open.map(|end| end.kind);
        let mut kinds = open.chain(self.left.iter().map(|(_, kind, _)| *kind));
        if !may || kinds.any(Kind::is_stream) || self.disk.is_busy() {
            return false;
        }
        assert_eq!(
            self.timer, None,
            "a room that waits for nothing has no timer"
        );
        self.room = None;
        true
    }

    /// The room's process dies, and with it all sockets and what is not on the disk yet.
    pub fn restart(&mut self) {
        if let Some(saved) = self.disk.crash() {
            self.roll_back(saved);
        }
        self.now += 1;
        self.crashes += 1;
        self.room = None;
        self.timer = None;
        self.links.clear();
        self.left.clear();
        self.replies.clear();
        self.verifying.clear();
        for end in &mut self.clients {
            if end.link.take().is_some() {
                (end.attachment, end.ended) = (None, Some(1006));
            }
            // Nobody tells any more how it ended.
            if end.ended.is_some() && end.closed.is_none() && end.refused.is_none() {
                end.closed = Some((1006, String::new()));
            }
        }
    }

    /// Some of what the room has closed ends.
    pub fn end_left(&mut self, most: usize) {
        let some = self.left.len().min(most);
        for (link, ..) in self.left.drain(..some).collect::<Vec<_>>() {
            self.handle(Input::Closed {
                link,
                code: 1006,
                unread: 0,
            });
        }
    }

    fn roll_back(&mut self, saved: Saved) {
        // What was erased may be there again, and what went missing before with it.
        let lost = saved.store.faults.oldest_lost;
        self.store.roll_back(saved.store);
        self.store.faults.oldest_lost = self.store.faults.oldest_lost.max(lost);
        self.alarm = saved.alarm;
    }

    pub fn handle(&mut self, input: Input<'_>) {
        let Some(room) = &mut self.room else { return };
        self.last_event = self.now;
        let before = self.disk.needs_copy().then(|| Saved {
            store: self.store.clone(),
            alarm: self.ringing.or(self.alarm),
        });
        let rows_written = self.store.rows_written;
        let mut actions = Vec::new();
        let erased = self.store.erased;
        room.handle(self.now, input, &mut self.store, &mut actions);
        if self.store.erased > erased {
            self.alarm = None;
        }
        let sets_alarm = |action: &Action| matches!(action, Action::Alarm { .. });
        if rows_written != self.store.rows_written || actions.iter().any(sets_alarm) {
            // The alarm is set in the same turn, and lies in the same storage.
            for action in &actions {
                if let Action::Alarm { at } = action {
                    self.alarm = Some(*at);
                }
            }
            if let Some(saved) = self.disk.dies(before.as_ref()) {
                let ringing = self.ringing;
                if let Some(saved) = saved {
                    self.roll_back(saved);
                }
                self.restart();
                // The runtime rings again what was not handled to its end.
                self.alarm = ringing.map(|_| self.now + 2_000).or(self.alarm);
                return;
            }
            let (store, alarm) = (&self.store, self.alarm);
            self.disk.write(self.now, before, || Saved {
                store: store.clone(),
                alarm,
            });
        }
        for action in actions {
            self.carry_out(action);
        }
        if !self.linger {
            self.end_left(usize::MAX);
        }
        let someone = self.links.values().any(|client| {
            let end = &self.clients[client.0];
            end.accepted && end.attachment.is_some()
        });
        assert!(
            !someone || self.alarm.is_some(),
            "someone is connected, so there is an alarm"
        );
        let stored = self.store.meta.is_some() || self.store.bans.values().any(|at| *at > self.now);
        assert!(
            !stored || self.alarm.is_some(),
            "what is stored has an alarm, or it would stay for ever"
        );
        let waiting = self.room.as_ref().is_some_and(Room::is_waiting);
        assert_eq!(waiting, self.timer.is_some());
    }
}
