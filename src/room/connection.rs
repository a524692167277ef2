//! A connection: one socket or stream, and what the room knows of it.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::rate::{Faults, Rate};
use crate::auth::{Grant, Rights};
use crate::protocol::{ConnectionId, Json, Limits};

/// The shell's number for what carries a connection. Never given twice in one life of the object.
///
/// The room never sees a socket: what a link leads to (a WebSocket, an event stream, one day a relay)
/// is the shell's matter.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub u32);

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
    /// Server-sent events (H7). Not a member; `presence` says whether it asked to see the members.
    Stream { presence: bool },
}

impl Kind {
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
    /// The room's offset at the session's first `welcome` (R2).
    pub first_offset: u64,
    pub rate: Rate,
    pub faults: Faults,
    /// When a frame last came from it.
    pub heard_at: u64,
    /// Roughly when anything last passed in either direction: see [`Connection::traffic`].
    pub traffic_at: u64,
    /// How many items of the outbox are older than this connection.
    pub since: usize,
    /// Its attachment is out of date and waits to be written.
    pub dirty: bool,
    /// When its attachment was last written.
    pub saved_at: u64,
}

impl Connection {
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
        !self.kind.is_stream() && self.can.has(Rights::PRESENCE)
    }

    /// Notes traffic; true when the note has changed. It is kept only to within a tenth of `IDLE_SECONDS`, so that
    /// traffic alone does not cause an attachment to be written more than ten times in that period.
    pub fn traffic(&mut self, now: u64, limits: &Limits) -> bool {
        if self.kind != Kind::PlainSocket || now.saturating_sub(self.traffic_at) <= slack(limits) {
            return false;
        }
        self.traffic_at = now;
        true
    }

    /// When silence will mean that it is gone (C4), if its last ping came at `pinged_at`. Streams never ping: their
    /// end is seen by the runtime.
    pub fn silent_at(&self, pinged_at: u64, limits: &Limits) -> Option<u64> {
        let heard_at = self.heard_at.max(pinged_at);
        match self.kind {
            Kind::Socket => Some(heard_at.saturating_add(silence(limits))),
            Kind::PlainSocket => Some(
                heard_at
                    .max(self.traffic_at.saturating_add(slack(limits)))
                    .saturating_add(limits.idle_ms),
            ),
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

/// What hibernation must not lose of a connection: the bytes of a socket's attachment.
///
/// JSON with one-letter keys; unknown keys are ignored and every key but the identity has a default, so that the
/// version before and the one after this can read it. At most 16,384 bytes: 12,000 of state, 2,048 of info and 512
/// of user id leave room for the numbers.
#[derive(Serialize, Deserialize)]
struct Attachment<'a> {
    /// Epoch: an attachment of an earlier life of the room is nobody's (H5).
    e: &'a str,
    c: ConnectionId,
    u: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    i: &'a RawValue,
    /// Presence state and time of joining, of a member.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    s: Option<&'a RawValue>,
    #[serde(default)]
    j: u64,
    r: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<u64>,
    #[serde(default)]
    o: u64,
    #[serde(default)]
    p: bool,
    #[serde(default)]
    b: (u64, u64, u64),
    #[serde(default)]
    f: (u32, u64),
    #[serde(default)]
    h: u64,
    #[serde(default)]
    t: u64,
}

/// What an attachment tells of a member.
#[derive(Debug)]
pub struct Restored {
    pub connection: Connection,
    pub state: Json<'static>,
    pub joined_at: u64,
}

impl Connection {
    /// A connection as it begins.
    pub fn new(id: ConnectionId, kind: Kind, grant: Grant, now: u64) -> Connection {
        Connection {
            id,
            kind,
            user: Rc::new(User {
                id: grant.user,
                info: grant.info,
            }),
            can: grant.can,
            expires_at: grant.expires_at,
            first_offset: 0,
            rate: Rate::default(),
            faults: Faults::default(),
            heard_at: now,
            traffic_at: now,
            since: 0,
            dirty: false,
            saved_at: now,
        }
    }

    /// The bytes to attach to its socket. `member` is its presence state and time of joining.
    pub fn attachment(
        &self,
        epoch: &str,
        member: Option<(&Json<'_>, u64)>,
    ) -> Result<String, serde_json::Error> {
        let state = match member {
            Some((state, _)) if !state.is_null() => {
                Some(serde_json::from_str::<&RawValue>(state.as_str())?)
            }
            _ => None,
        };
        serde_json::to_string(&Attachment {
            e: epoch,
            c: self.id,
            u: self.user.id.as_ref().into(),
            i: serde_json::from_str(self.user.info.as_str())?,
            s: state,
            j: member.map_or(0, |(_, at)| at),
            r: self.can.bits(),
            x: self.expires_at,
            o: self.first_offset,
            p: self.kind == Kind::PlainSocket,
            b: self.rate.to_parts(),
            f: self.faults.to_parts(),
            h: self.heard_at,
            t: self.traffic_at,
        })
    }

    /// Reads an attachment; `None` for one of another epoch, and for bytes that are no attachment.
    pub fn restore(attachment: &str, epoch: &str, now: u64) -> Option<Restored> {
        let a: Attachment<'_> = serde_json::from_str(attachment).ok()?;
        if a.e != epoch {
            return None;
        }
        Some(Restored {
            connection: Connection {
                id: a.c,
                kind: if a.p { Kind::PlainSocket } else { Kind::Socket },
                user: Rc::new(User {
                    id: a.u.into(),
                    info: Json::trusted(a.i.get().to_owned()),
                }),
                can: Rights::from_bits(a.r),
                expires_at: a.x,
                first_offset: a.o,
                rate: Rate::from_parts(a.b),
                faults: Faults::from_parts(a.f),
                heard_at: a.h,
                traffic_at: a.t,
                since: 0,
                dirty: false,
                saved_at: now,
            },
            state: a
                .s
                .map_or(Json::NULL, |s| Json::trusted(s.get().to_owned())),
            joined_at: a.j,
        })
    }
}
