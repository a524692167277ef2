//! The room: who is connected, what is said, what is kept. A state machine without a runtime.
//!
//! ```text
//!            Input                      Action
//! shell ───────────────▶ Room::handle ───────────▶ shell
//!                          │      ▲
//!                          ▼      │
//!                           Store
//! ```
//!
//! The same inputs at the same times give the same actions: there is no clock, no randomness and no
//! `async` in here. Storage is a port ([`Store`]) rather than an action, since it is synchronous in a
//! Durable Object and the room must know that a write has succeeded before it tells anybody.
//!
//! | file | holds |
//! | --- | --- |
//! | [`connection`] | one connection, and what of it survives hibernation |
//! | `connect` | arriving: capacity, resuming, the welcome (R1 to R3) |
//! | `depart` | leaving: grace, closing, liveness, the alarm (R4, R5, C4, T5) |
//! | `speak` | what a connection says: frames, messages, states, history (C5, C6, M, P1) |
//! | `serve` | what an HTTP request asks (section 7) |
//! | `members` | presence (section 6) |
//! | `outbox`, `tick` | what waits to be sent, and until when |
//! | `log`, `window`, `ids` | the history, and publish ids that count once |
//! | `rate` | how much one may say (N6) |

mod action;
mod connect;
mod connection;
mod depart;
mod ids;
mod input;
mod log;
mod members;
mod outbox;
mod rate;
mod serve;
mod speak;
mod store;
mod tick;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use action::{Action, Event};
pub use connection::{Connection, Kind, Link, User};
pub use input::{Call, Connect, Fresh, Input, RequestId};
pub use outbox::{Deliveries, Delivery};
pub use store::{Direction, LogHead, LogRow, MemberRow, Meta, Store, StoreError, StoreResult};

use crate::auth::SessionKey;
use crate::protocol::server::{self, Occupancy};
use crate::protocol::{ConnectionId, Error, ErrorCode, Limits};
use log::Log;
use members::{Member, Members};
use outbox::{Audience, Outbox};
use rate::{Faults, Rate};
use tick::Tick;

/// A connection's attachment is written at most this often, in milliseconds.
const SAVE_EVERY: u64 = 1_000;
/// Occupancy is told at most this often, in milliseconds (P4).
const OCCUPANCY_EVERY: u64 = 1_000;
/// An outbox of this many bytes does not wait for the tick.
const OUTBOX_BYTES: usize = 1_000_000;

/// A connection that has dropped and may come back as if nothing had happened (R4).
#[derive(Debug)]
struct Absent {
    leave_at: u64,
    user: Box<str>,
    rate: Rate,
    faults: Faults,
}

/// HTTP publishes whose messages lie in the outbox.
#[derive(Debug)]
struct Waiting {
    request: RequestId,
    results: Vec<Result<Published, Error>>,
}

/// The outcome of one publish over HTTP.
#[derive(Copy, Clone, Debug)]
enum Published {
    Ephemeral,
    /// Was in the log before this request came.
    Before(u64),
    /// Is stored by the next flush.
    Next(u64),
}

/// One room.
#[derive(Debug)]
pub struct Room {
    name: String,
    limits: Limits,
    meta: Meta,
    /// `meta` is in storage. A room that nobody has used writes nothing (H5).
    known: bool,
    awake_since: u64,

    log: Log,
    /// Messages in the outbox that wait to be stored.
    pending: u64,
    outbox: Outbox,
    tick: Tick,
    waiting: Vec<Waiting>,

    connections: BTreeMap<Link, Connection>,
    links: BTreeMap<ConnectionId, Link>,
    absent: BTreeMap<ConnectionId, Absent>,
    /// When each of the absent is to leave.
    leaves: BTreeSet<(u64, ConnectionId)>,
    /// The connections of each user, present and absent.
    users: BTreeMap<Box<str>, BTreeSet<ConnectionId>>,
    /// Rates of connections that left with less than a full bucket, so that a resume does not refill it (N6).
    resting: BTreeMap<ConnectionId, Rate>,
    /// Rates of users over HTTP.
    publishers: BTreeMap<Box<str>, Rate>,
    members: Members,
    last_connection: u64,
    /// Connections that arrived since the last flush.
    arrived: Vec<Link>,

    /// What was last told of occupancy, and when it may be told again.
    occupancy_told: Occupancy,
    occupancy_at: u64,
    /// When event streams get their next comment; `None` without streams.
    comment_at: Option<u64>,
    /// Connections whose attachment is to be written, and when.
    saves: VecDeque<(u64, Link)>,
    timer_at: Option<u64>,
    alarm_at: Option<u64>,
}

/// Everything that handling one input needs.
struct Turn<'t> {
    now: u64,
    store: &'t mut dyn Store,
    out: &'t mut Vec<Action>,
}

impl Room {
    /// Builds the room from what storage and the attachments of its sockets tell, without any outward effect.
    ///
    /// `fresh` is used if storage knows nothing of the room. A socket whose attachment is of another epoch, or of a
    /// connection that a newer socket has taken over, is nobody's and is left alone.
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
        if !known {
            return Ok(room);
        }
        room.log = Log::restore(store)?;
        for (link, attachment) in sockets {
            room.restore_socket(link, attachment.as_ref(), now);
        }
        let leave_at = now.saturating_add(room.limits.grace_ms);
        for row in store.members()? {
            room.last_connection = room.last_connection.max(row.connection.get());
            if room.members.contains(row.connection) {
                continue;
            }
            let user = std::rc::Rc::new(User {
                id: row.user.into(),
                info: row.info,
            });
            room.seat(row.connection, &user.id);
            let absent = Absent {
                leave_at,
                user: user.id.clone(),
                rate: Rate::default(),
                faults: Faults::default(),
            };
            room.members.insert(
                row.connection,
                Member {
                    user,
                    state: row.state,
                    at: row.at,
                },
            );
            room.leaves.insert((leave_at, row.connection));
            room.absent.insert(row.connection, absent);
        }
        room.occupancy_told = room.occupancy();
        Ok(room)
    }

    fn empty(name: String, limits: Limits, meta: Meta, known: bool, now: u64) -> Room {
        Room {
            name,
            limits,
            meta,
            known,
            awake_since: now,
            log: Log::default(),
            pending: 0,
            outbox: Outbox::default(),
            tick: Tick::default(),
            waiting: Vec::new(),
            connections: BTreeMap::new(),
            links: BTreeMap::new(),
            absent: BTreeMap::new(),
            leaves: BTreeSet::new(),
            users: BTreeMap::new(),
            resting: BTreeMap::new(),
            publishers: BTreeMap::new(),
            members: Members::default(),
            last_connection: 0,
            arrived: Vec::new(),
            occupancy_told: Occupancy::default(),
            occupancy_at: 0,
            comment_at: None,
            saves: VecDeque::new(),
            timer_at: None,
            alarm_at: None,
        }
    }

    fn restore_socket(&mut self, link: Link, attachment: &str, now: u64) {
        let Some(restored) = Connection::restore(attachment, &self.meta.epoch, now) else {
            return;
        };
        let connection = restored.connection;
        if self.links.contains_key(&connection.id) {
            return;
        }
        self.last_connection = self.last_connection.max(connection.id.get());
        self.links.insert(connection.id, link);
        self.seat(connection.id, &connection.user.id);
        if connection.is_member() {
            let member = Member {
                user: connection.user.clone(),
                state: restored.state,
                at: restored.joined_at,
            };
            self.members.insert(connection.id, member);
        }
        self.connections.insert(link, connection);
    }

    /// Takes one input to its end: what it causes, and whatever else is due by now, is appended to `actions`.
    ///
    /// `now` is in milliseconds since the Unix epoch.
    pub fn handle(
        &mut self,
        now: u64,
        input: Input<'_>,
        store: &mut dyn Store,
        actions: &mut Vec<Action>,
    ) {
        let turn = &mut Turn {
            now,
            store,
            out: actions,
        };
        match input {
            Input::Connect(connect) => self.connect(connect, turn),
            Input::Frame { link, text } => self.frame(link, text, turn),
            Input::OversizedFrame { link } => self.oversized_frame(link, turn),
            Input::BinaryFrame { link } => {
                self.close(link, &Error::new(ErrorCode::BinaryFrame), turn)
            }
            Input::Closed { link, code } => self.drop_link(link, code, turn),
            Input::Slow { link } => self.close(link, &Error::new(ErrorCode::TooSlow), turn),
            Input::Renewed { link, id, grant } => self.renewed(link, id, grant, turn),
            Input::Timer => self.timer_at = None,
            Input::Alarm { pings } => self.sweep(pings, turn),
            Input::Request {
                request,
                grant,
                call,
            } => self.serve(request, &grant, call, turn),
        }
        self.settle(turn);
    }

    /// Whether the room waits for something in memory: while it does, it must not be put away.
    pub fn is_waiting(&self) -> bool {
        self.timer_at.is_some()
    }

    /// Limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Does what is due, and asks to be woken for the rest.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.tick.clamp(turn.now);
        while let Some(&(at, connection)) = self.leaves.first()
            && at <= turn.now
        {
            self.forget_absent(connection);
            self.leave(connection, turn);
        }
        self.settle_crowd(turn);
        if self.something_to_send()
            && (turn.now >= self.flush_at() || self.outbox.bytes() >= OUTBOX_BYTES)
        {
            self.flush(turn);
        }
        self.comment(turn);
        self.save_due(turn);
        self.resting.retain(|_, rate| rate.full_at() > turn.now);
        if let Some(at) = self.next_wake()
            && self.timer_at.is_none_or(|armed| at < armed)
        {
            self.timer_at = Some(at);
            turn.out.push(Action::Timer { at });
        }
    }

    fn something_to_send(&self) -> bool {
        !self.outbox.is_empty() || self.members.changed() || !self.waiting.is_empty()
    }

    fn flush_at(&self) -> u64 {
        self.tick.due(self.outbox.stores())
    }

    fn next_wake(&self) -> Option<u64> {
        let flush = self.something_to_send().then(|| self.flush_at());
        let leave = self.leaves.first().map(|(at, _)| *at);
        let save = self.saves.front().map(|(at, _)| *at);
        let occupancy = self.occupancy_changed().then_some(self.occupancy_at);
        let rested = self.resting.values().map(Rate::full_at).max();
        [flush, leave, save, occupancy, self.comment_at, rested]
            .into_iter()
            .flatten()
            .min()
    }

    /// Persists, then sends, then acknowledges: whatever the outbox holds (design: the tick).
    fn flush(&mut self, turn: &mut Turn<'_>) {
        if self.meta.crowded {
            self.members.forget_changes();
        } else if self.members.changed() {
            let members = &mut self.members;
            self.outbox
                .share(Audience::Presence, None, Box::default(), |out| {
                    members.write_changes(out)
                });
        }
        let stores = self.outbox.stores();
        let failed = stores && self.commit(turn).is_err();
        let live = self
            .connections
            .iter()
            .map(|(link, connection)| (*link, connection));
        let deliveries = self.outbox.deliver(live, &self.meta.epoch);
        self.tick
            .flushed(turn.now, deliveries.count(), stores, &self.limits);
        for link in self.arrived.drain(..) {
            if let Some(connection) = self.connections.get_mut(&link) {
                connection.since = 0;
            }
        }
        for delivery in deliveries.frames {
            self.note_traffic(&delivery.to, turn.now);
            turn.out.push(Action::Send(delivery));
        }
        turn.out
            .extend(deliveries.events.into_iter().map(Action::Stream));
        self.answer_publishers(failed, turn);
    }

    /// Stores the messages of the outbox. If that fails they are taken back, and whoever waits for one is told.
    fn commit(&mut self, turn: &mut Turn<'_>) -> StoreResult<()> {
        let outcome = self
            .log
            .append(turn.now, self.outbox.stored(), &self.limits, turn.store);
        if let Err(error) = &outcome {
            let messages = self.pending;
            turn.storage_failed("flush", error, messages);
            self.outbox.revoke(&Error::new(ErrorCode::StorageFailed));
            self.log.revoke();
        }
        self.pending = 0;
        outcome
    }

    fn note_traffic(&mut self, to: &[Link], now: u64) {
        for link in to {
            if let Some(connection) = self.connections.get_mut(link)
                && connection.traffic(now, &self.limits)
            {
                self.save_later(*link, now);
            }
        }
    }

    /// Event streams get a comment now and then, so that nothing between takes them for dead (H7).
    fn comment(&mut self, turn: &mut Turn<'_>) {
        let Some(at) = self.comment_at else { return };
        if turn.now < at {
            return;
        }
        let streams = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.kind.is_stream());
        let to: Vec<Link> = streams.map(|(link, _)| *link).collect();
        if to.is_empty() {
            self.comment_at = None;
            return;
        }
        self.comment_at = Some(turn.now.saturating_add(self.limits.ping_ms));
        turn.out.push(Action::Stream(Delivery {
            to,
            text: ":\n\n".to_owned(),
        }));
    }

    /// Notes that a connection's attachment is out of date.
    fn save_later(&mut self, link: Link, now: u64) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if connection.dirty || connection.kind.is_stream() {
            return;
        }
        connection.dirty = true;
        if now.saturating_sub(connection.saved_at) >= SAVE_EVERY {
            self.saves.push_front((now, link));
        } else {
            self.saves.push_back((now.saturating_add(SAVE_EVERY), link));
        }
    }

    fn save_due(&mut self, turn: &mut Turn<'_>) {
        while let Some(&(at, link)) = self.saves.front()
            && at <= turn.now
        {
            self.saves.pop_front();
            self.save(link, turn);
        }
    }

    /// Writes a connection's attachment.
    fn save(&mut self, link: Link, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let member = self
            .members
            .get(connection.id)
            .map(|member| (&member.state, member.at));
        connection.dirty = false;
        connection.saved_at = turn.now;
        match connection.attachment(&self.meta.epoch, member) {
            Ok(attachment) => turn.out.push(Action::Attach { link, attachment }),
            Err(error) => turn.storage_failed("attachment", &StoreError(error.to_string()), 0),
        }
    }

    /// Counts a connection as one of its user's.
    fn seat(&mut self, connection: ConnectionId, user: &str) {
        if let Some(seats) = self.users.get_mut(user) {
            seats.insert(connection);
        } else {
            self.users.insert(user.into(), BTreeSet::from([connection]));
        }
    }

    fn unseat(&mut self, connection: ConnectionId, user: &str) {
        if let Some(seats) = self.users.get_mut(user) {
            seats.remove(&connection);
            if seats.is_empty() {
                self.users.remove(user);
            }
        }
    }

    /// Connections (present and within their grace) and users (those of the members).
    fn occupancy(&self) -> Occupancy {
        let connections = self.connections.len().saturating_add(self.absent.len());
        Occupancy {
            connections,
            users: self.members.users(),
        }
    }

    fn occupancy_changed(&self) -> bool {
        self.meta.crowded && self.occupancy() != self.occupancy_told
    }

    /// Switches between the list of members and mere occupancy, and tells occupancy when it is due (P4).
    fn settle_crowd(&mut self, turn: &mut Turn<'_>) {
        let crowded = self.members.crowded(self.meta.crowded, &self.limits);
        if crowded != self.meta.crowded {
            self.meta.crowded = crowded;
            self.put_meta(turn);
            if !crowded {
                self.members.forget_changes();
                let members = &self.members;
                self.outbox
                    .share(Audience::Presence, None, Box::default(), |out| {
                        server::members(out, &members.views())
                    });
            }
        }
        if self.occupancy_changed() && turn.now >= self.occupancy_at {
            self.occupancy_told = self.occupancy();
            self.occupancy_at = turn.now.saturating_add(OCCUPANCY_EVERY);
            let told = self.occupancy_told;
            self.outbox
                .share(Audience::Presence, None, Box::default(), |out| {
                    server::occupancy(out, told)
                });
        }
    }

    fn put_meta(&mut self, turn: &mut Turn<'_>) {
        match turn.store.put_meta(&self.meta) {
            Ok(()) => self.known = true,
            Err(error) => turn.storage_failed("meta", &error, 0),
        }
    }

    /// Makes sure that storage knows the room before anything refers to its epoch.
    fn found(&mut self, turn: &mut Turn<'_>) -> Result<(), Error> {
        if !self.known {
            self.put_meta(turn);
        }
        if self.known {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::StorageFailed))
        }
    }

    fn session_key(&self) -> SessionKey {
        SessionKey::new(self.meta.key)
    }
}

impl Turn<'_> {
    fn storage_failed(&mut self, what: &'static str, error: &StoreError, messages: u64) {
        self.out.push(Action::Log(Event::StorageFailed {
            what,
            reason: error.0.clone(),
            messages,
        }));
    }
}
