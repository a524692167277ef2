//! Waking up: the room as it was, from what storage and the attachments of its sockets tell.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::connection::{Connection, User};
use super::counters::Counters;
use super::crowd::Crowd;
use super::log::Log;
use super::members::{Member, Members};
use super::outbox::Outbox;
use super::owed::Owed;
use super::rates::Rates;
use super::saving::Saves;
use super::stuck::Stuck;
use super::tick::Tick;
use super::vacancy::Vacancy;
use super::{Fresh, Link, MemberRow, Meta, Room, Store, StoreResult};
use crate::map::Map;
use crate::protocol::{ConnectionId, Limits};

impl Room {
    /// Builds the room from what storage and the attachments of its sockets tell, without any
    /// outward effect.
    ///
    /// `fresh` is used if storage knows nothing of the room. A socket whose attachment is of
    /// another epoch, or of a connection that an earlier one of `sockets` already is, is nobody's
    /// and is left alone: what it sends is ignored.
    ///
    /// # Errors
    ///
    /// Storage could not be read. The room can be restored again later.
    pub fn restore(
        name: String,
        limits: Limits,
        fresh: Fresh,
        now: u64,
        sockets: impl IntoIterator<Item = (Link, impl AsRef<str>)>,
        store: &mut dyn Store,
    ) -> StoreResult<Room> {
        let stored = store.meta()?;
        let known = stored.is_some();
        let meta = stored.unwrap_or(Meta {
            epoch: fresh.epoch,
            key: fresh.key,
            created_at: now,
            crowded: false,
        });
        let mut room = Room::empty(name, limits, meta, known, now);
        let sockets: Vec<_> = sockets.into_iter().collect();
        room.links.reserve(sockets.len());
        room.users.reserve(sockets.len());
        room.members.expect(sockets.len());
        for (link, attachment) in sockets {
            room.restore_socket(link, attachment.as_ref(), now);
        }
        if !known {
            return Ok(room);
        }
        room.log = Log::restore(store)?;
        let absent = store.members(&mut |id, kept| room.recognize(id, kept, now))?;
        for row in absent {
            room.restore_absent(row, now);
        }
        room.vacancy = Vacancy::restored(room.is_occupied());
        room.crowd.told = room.meta.crowded.then(|| room.occupancy());
        Ok(room)
    }

    pub(super) fn empty(name: String, limits: Limits, meta: Meta, known: bool, now: u64) -> Room {
        Room {
            name,
            limits,
            meta,
            known,
            awake_since: now,
            now,
            log: Log::default(),
            pending: 0,
            outbox: Outbox::default(),
            tick: Tick::default(),
            is_full: false,
            waiting: Vec::new(),
            connections: BTreeMap::new(),
            links: Map::default(),
            plain: 0,
            absent: Map::default(),
            leaves: BTreeSet::new(),
            users: Map::default(),
            last_connection: 0,
            arrived: Vec::new(),
            rates: Rates::default(),
            stuck: Stuck::default(),
            members: Members::default(),
            crowd: Crowd::default(),
            owed: Owed::default(),
            saves: Saves::default(),
            comment_at: None,
            timer_at: None,
            has_alarm: known,
            alarm_at: None,
            vacancy: Vacancy::default(),
            counters: Counters::new(now),
            rows_told: 0,
        }
    }

    /// Whether a link leads to a connection of this room.
    pub fn knows(&self, link: Link) -> bool {
        self.connections.contains_key(&link)
    }

    fn restore_socket(&mut self, link: Link, attachment: &str, now: u64) {
        let Some(restored) = Connection::restore(attachment, &self.meta.epoch, now) else {
            self.stuck.restore(link, attachment);
            return;
        };
        let connection = restored.connection;
        if self.links.contains_key(&connection.id) {
            return;
        }
        self.last_connection = self.last_connection.max(connection.id.get());
        if connection.is_member() {
            let (user, state) = (connection.user.clone(), restored.state);
            let member = Member {
                user,
                state,
                at: restored.joined_at,
                kept: false,
            };
            self.members.insert(connection.id, member);
        }
        self.link_up(link, connection);
    }

    /// Takes note of a member's row; true if nothing else tells who that is.
    fn recognize(&mut self, id: ConnectionId, kept: bool, now: u64) -> bool {
        self.last_connection = self.last_connection.max(id.get());
        if self.members.contains(id) {
            if kept {
                self.members.keep(id, true);
            }
            return false;
        }
        let is_here = self.links.contains_key(&id);
        if is_here {
            // It is no member any more, but its row could not be deleted at the time.
            self.owed.owe_leave(id, now);
        }
        !is_here
    }

    /// Whoever has a row but no socket has dropped, at a time that nobody noticed: its grace begins
    /// now (R5).
    fn restore_absent(&mut self, row: MemberRow, now: u64) {
        let id = row.connection;
        let user = Rc::new(User {
            id: row.user.into(),
            info: row.info,
        });
        let kept = !row.state.is_null();
        let absent = super::Absent {
            leave_at: now.saturating_add(self.limits.grace_ms),
            user: user.id.clone(),
            rate: Default::default(),
            faults: Default::default(),
        };
        self.members.insert(
            id,
            Member {
                user,
                state: row.state,
                at: row.at,
                kept,
            },
        );
        if !self.connections.is_empty() {
            // Its socket ended while the room could not be restored, and the state with it. The
            // others have seen that state; they are told what is left of it.
            self.members.note_state(id);
        }
        self.begin_absence(id, absent);
    }
}
