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
//! `async` in here. Storage is a port ([`Store`]) rather than an action, since it is synchronous in
//! a Durable Object and the room must know that a write has succeeded before it tells anybody.
//!
//! | file | holds |
//! | --- | --- |
//! | `connection`, `attachment` | one connection, and what of it survives hibernation |
//! | `connect`, `welcome`, `renew` | arriving, what is told first, a new token (R1 to R3, T5) |
//! | `depart`, `watch` | leaving and its grace; silence, ends of tokens, the alarm (R4, C4) |
//! | `speak`, `publish` | what a connection says (C5, C6, M, P1, R6) |
//! | `serve`, `admin` | what an HTTP request asks (section 7) |
//! | `members`, `presence`, `crowd` | who is here, and what the others are told (section 6) |
//! | `outbox`, `delivery`, `body`, `flush` | what waits to be sent, and for whom |
//! | `tick`, `due` | until when it waits, and everything else that waits |
//! | `log`, `row`, `history`, `window`, `ids` | what is stored, and publish ids that count once |
//! | `rate`, `rates`, `stuck` | how much one may say, how often a user may connect (N6, N11, E3) |
//! | `restore`, `saving` | waking up, and being ready to |
//! | `vacancy` | a room that nobody uses any more erases itself (N9) |
//! | `fill` | how much a room may store, and what becomes of it then (N10) |
//! | `owed`, `clock` | writes that failed, and clocks that are set back |
//! | `size` | how much a room keeps in memory |
//! | `counters`, `metrics`, `report` | numbers for the operator (H9) |

mod action;
mod admin;
mod attachment;
mod body;
mod clock;
mod connect;
mod connection;
mod counters;
mod crowd;
mod delivery;
mod depart;
mod due;
mod fill;
mod flush;
#[cfg(fuzzing)]
pub mod fuzzing;
mod history;
mod ids;
mod input;
mod log;
mod members;
mod metrics;
mod outbox;
mod owed;
mod presence;
mod publish;
mod rate;
mod rates;
mod renew;
mod report;
mod restore;
mod row;
mod saving;
mod serve;
#[cfg(not(target_arch = "wasm32"))]
mod size;
mod speak;
mod store;
mod stuck;
mod tick;
mod vacancy;
mod watch;
mod welcome;
mod window;

use std::collections::{BTreeMap, BTreeSet};

pub use action::{Action, Event};
pub use connection::{Kind, Link};
pub use delivery::Delivery;
pub use fill::storage_bound;
pub use input::{Call, Connect, Fresh, Input, RequestId};
pub use report::Report;
#[cfg(not(target_arch = "wasm32"))]
pub use size::Size;
pub use store::{
    Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreError, StoreResult,
};

use crate::auth::SessionKey;
use crate::map::Map;
use crate::protocol::{ConnectionId, Error, ErrorCode, Limits};
use connection::Connection;
use counters::Counters;
use crowd::Crowd;
use depart::Absent;
use log::Log;
use members::Members;
use outbox::Outbox;
use owed::Owed;
use publish::Waiting;
use rates::Rates;
use saving::Saves;
use stuck::Stuck;
use tick::Tick;
use vacancy::Vacancy;

/// One room.
#[derive(Debug)]
pub struct Room {
    name: String,
    limits: Limits,
    meta: Meta,
    /// `meta` is in storage. A room that nobody has used writes nothing (H5).
    known: bool,
    awake_since: u64,
    /// When the last input came, in milliseconds.
    now: u64,

    log: Log,
    /// Messages in the outbox that wait to be stored.
    pending: u64,
    outbox: Outbox,
    tick: Tick,
    /// Storage is as full as it may be.
    is_full: bool,
    /// HTTP publishes that the next flush answers.
    waiting: Vec<Waiting>,

    connections: BTreeMap<Link, Connection>,
    links: Map<ConnectionId, Link>,
    /// How many of the connections are plain clients.
    plain: usize,
    absent: Map<ConnectionId, Absent>,
    /// When each of the absent is to leave.
    leaves: BTreeSet<(u64, ConnectionId)>,
    /// The connections of each user, present and absent.
    users: Map<Box<str>, BTreeSet<ConnectionId>>,
    last_connection: u64,
    /// Connections that arrived since the last flush.
    arrived: Vec<Link>,
    rates: Rates,
    stuck: Stuck,

    members: Members,
    crowd: Crowd,
    owed: Owed,
    saves: Saves,
    /// When event streams get their next comment; `None` without streams.
    comment_at: Option<u64>,
    timer_at: Option<u64>,
    /// An alarm stands for the room itself, as it does for every one that is in storage.
    has_alarm: bool,
    /// When it goes off, if this life of the object has set it.
    alarm_at: Option<u64>,
    vacancy: Vacancy,

    counters: Counters,
    /// Rows written up to the last report.
    rows_told: u64,
}

/// Everything that handling one input needs.
struct Turn<'t> {
    now: u64,
    store: &'t mut dyn Store,
    out: &'t mut Vec<Action>,
}

impl Room {
    /// Takes one input to its end: what it causes, and whatever else is due by now, is appended to
    /// `actions`.
    ///
    /// `now` is in milliseconds since the Unix epoch. It may be less than at an earlier input, when
    /// somebody has set the clock.
    pub fn handle(
        &mut self,
        now: u64,
        input: Input<'_>,
        store: &mut dyn Store,
        actions: &mut Vec<Action>,
    ) {
        let before = actions.len();
        let turn = &mut Turn {
            now,
            store,
            out: actions,
        };
        self.look_at_clock(turn);
        match input {
            Input::Connect(connect) => self.connect(connect, turn),
            Input::Frame { link, text } => self.frame(link, text, turn),
            Input::OversizedFrame { link } => self.oversized_frame(link, turn),
            Input::BinaryFrame { link } => {
                self.close(link, &Error::new(ErrorCode::BinaryFrame), turn);
            }
            Input::Closed { link, code, unread } => {
                let user = self.connections.get(&link).map(|open| open.user.clone());
                if user.is_some() {
                    self.counters.ended(code);
                }
                self.stuck
                    .ended(link, unread, user.as_ref().map(|user| &*user.id));
                self.drop_link(link, code, turn);
            }
            Input::Slow { link, unread } => self.slow(link, unread, turn),
            Input::Renewed {
                link,
                id,
                nth,
                grant,
            } => self.renewed(link, id, nth, grant, turn),
            Input::Timer => {
                let late = now.saturating_sub(self.timer_at.take().unwrap_or(now));
                self.tick.timer_late(late, &self.limits);
                self.counters.timer_late(late);
            }
            Input::Alarm { pings, fresh } => self.sweep(pings, fresh, turn),
            Input::Request {
                request,
                grant,
                call,
            } => self.serve(request, &grant, call, turn),
        }
        self.settle(turn);
        for action in turn.out.iter().skip(before) {
            self.counters.note(action);
        }
    }

    /// Whether the room waits for something in memory: while it does, it must not be put away.
    pub fn is_waiting(&self) -> bool {
        self.timer_at.is_some()
    }

    /// Limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn session_key(&self) -> SessionKey {
        SessionKey::new(self.meta.key)
    }

    /// False if storage fails.
    fn put_meta(&mut self, turn: &mut Turn<'_>) -> bool {
        let put = turn.store.put_meta(&self.meta);
        match &put {
            Ok(()) => self.known = true,
            Err(error) => turn.storage_failed("meta", error, 0),
        }
        put.is_ok()
    }

    /// Makes sure that storage knows the room before anything refers to its epoch.
    fn found(&mut self, turn: &mut Turn<'_>) -> Result<(), Error> {
        if !self.known {
            self.meta.created_at = turn.now;
            self.put_meta(turn);
        }
        if self.known {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::StorageFailed))
        }
    }
}

impl Turn<'_> {
    fn storage_failed(&mut self, what: &'static str, error: &StoreError, messages: u64) {
        let reason = error.0.clone();
        self.out.push(Action::Log(Event::StorageFailed {
            what,
            reason,
            messages,
        }));
    }

    /// The same as an error for the client, which is not told the reason.
    fn refused(&mut self, what: &'static str, error: &StoreError) -> Error {
        self.storage_failed(what, error, 0);
        Error::new(ErrorCode::StorageFailed)
    }
}
