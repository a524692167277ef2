//! A connection: one socket or stream, and what the room knows of it.

use std::rc::Rc;

use super::rate::{Faults, Rate};
use crate::auth::Rights;
use crate::protocol::{ConnectionId, Json, Limits};

/// The shell's number for what carries a connection. Never given twice in one life of the object.
///
/// The room never sees a socket: what a link leads to (a WebSocket, an event stream, one day a
/// relay) is the shell's matter.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(
    /// The number.
    pub u32,
);

/// Who a connection belongs to, as its token says.
#[derive(Debug, PartialEq, Eq)]
pub struct User {
    pub id: Box<str>,
    pub info: Json<'static>,
}

/// What kind of client is at the other end of a link.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebSocket that offered `roomful.v1`: it pings, and silence means that it is gone (C4).
    Socket,
    /// Any other WebSocket: it may never say a word, and be well.
    PlainSocket,
    /// Server-sent events (H7). Not a member.
    Stream {
        /// Whether it asked to see the members.
        presence: bool,
    },
}

impl Kind {
    /// The kind of a WebSocket that did or did not offer `roomful.v1`.
    pub fn socket(offered: bool) -> Kind {
        if offered {
            Kind::Socket
        } else {
            Kind::PlainSocket
        }
    }

    /// Whether it is an event stream.
    pub fn is_stream(self) -> bool {
        matches!(self, Kind::Stream { .. })
    }
}

/// A live connection.
#[derive(Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub kind: Kind,
    pub user: Rc<User>,
    pub can: Rights,
    /// End of its token in milliseconds; `None` for anonymous ones.
    pub expires_at: Option<u64>,
    /// The room's offset at the session's first `welcome` with `subscribe` (R2).
    pub first_offset: u64,
    pub rate: Rate,
    pub faults: Faults,
    /// When a frame last came from it.
    pub heard_at: u64,
    /// Roughly when anything last passed in either direction: see [`Connection::traffic`].
    pub traffic_at: u64,
    /// How many items of the outbox are older than this connection.
    pub since: usize,
    /// How many renewals of its token it has asked for, and the last of them that counts (T5). In
    /// memory only: the object does not go from it while a token is being verified.
    pub asked: u32,
    pub renewed: u32,
    /// Its attachment is out of date and waits to be written.
    pub dirty: bool,
}

impl Connection {
    /// A connection as it begins.
    pub fn new(id: ConnectionId, kind: Kind, user: Rc<User>, can: Rights, now: u64) -> Connection {
        Connection {
            id,
            kind,
            user,
            can,
            expires_at: None,
            first_offset: 0,
            rate: Rate::default(),
            faults: Faults::default(),
            heard_at: now,
            traffic_at: now,
            since: 0,
            asked: 0,
            renewed: 0,
            dirty: false,
        }
    }

    /// Whether it receives messages.
    pub fn subscribes(&self) -> bool {
        self.can.has(Rights::SUBSCRIBE)
    }

    /// Whether it sees who is there.
    pub fn sees_presence(&self) -> bool {
        match self.kind {
            Kind::Stream { presence } => presence && self.can.has(Rights::PRESENCE),
            Kind::Socket | Kind::PlainSocket => self.can.has(Rights::PRESENCE),
        }
    }

    /// Whether it is itself a member.
    pub fn is_member(&self) -> bool {
        self.would_be_member(self.can)
    }

    /// Whether it would be a member with these rights.
    pub fn would_be_member(&self, can: Rights) -> bool {
        !self.kind.is_stream() && can.has(Rights::PRESENCE)
    }

    /// Notes traffic; true when the note has changed. It is kept only to within a tenth of
    /// `IDLE_SECONDS`, so that traffic alone does not cause an attachment to be written more than
    /// ten times in that period.
    pub fn traffic(&mut self, now: u64, limits: &Limits) -> bool {
        let fresh = now.saturating_sub(self.traffic_at) <= slack(limits);
        if self.kind != Kind::PlainSocket || fresh {
            return false;
        }
        self.traffic_at = now;
        true
    }

    /// When silence will mean that it is gone (C4), if its last ping came at `pinged_at`. Streams
    /// never ping: their end is seen by the runtime.
    pub fn silent_at(&self, pinged_at: u64, limits: &Limits) -> Option<u64> {
        let heard_at = self.heard_at.max(pinged_at);
        match self.kind {
            Kind::Socket => Some(heard_at.saturating_add(silence(limits))),
            Kind::PlainSocket => {
                let traffic_at = self.traffic_at.saturating_add(slack(limits));
                Some(heard_at.max(traffic_at).saturating_add(limits.idle_ms))
            }
            Kind::Stream { .. } => None,
        }
    }
}

/// So much silence means that a client which pings is gone, in milliseconds (C4).
pub fn silence(limits: &Limits) -> u64 {
    limits.ping_ms.saturating_mul(4)
}

/// How far `traffic_at` may lag behind.
fn slack(limits: &Limits) -> u64 {
    limits.idle_ms.checked_div(10).unwrap_or(0)
}
