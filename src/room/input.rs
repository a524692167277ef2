//! What can happen to a room.

use super::connection::{Kind, Link};
use crate::auth::Grant;
use crate::protocol::{Error, HistoryQuery, Publish, http::Disconnect};

/// The shell's number for an HTTP request that waits for its reply.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(
    /// The number.
    pub u32,
);

/// Random values for a new life of the room. The core has no randomness of its own.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Names the epoch: short, since every reconnect carries it. Never used before for this room.
    pub epoch: String,
    /// Signs session secrets.
    pub key: [u8; 32],
}

/// A verified client asks to come in.
#[derive(Debug)]
pub struct Connect {
    /// What would carry it: a number that was never used in this life of the object.
    pub link: Link,
    /// What kind of client it is.
    pub kind: Kind,
    /// What its token grants.
    pub grant: Grant,
    /// `?epoch=` as it came, or the first half of `Last-Event-ID` (R1, H7).
    pub epoch: Option<String>,
    /// `?offset=` as it came, or the second half of `Last-Event-ID` (R1, H7).
    pub offset: Option<String>,
    /// The session secret, if one was sent.
    pub session: Option<String>,
}

/// One event of the runtime.
#[derive(Debug)]
pub enum Input<'a> {
    /// Answered by `Accept`, a `welcome` and what was missed, or by `Refuse`.
    Connect(Connect),
    /// A text frame.
    Frame {
        /// Who sent it.
        link: Link,
        /// What.
        text: &'a str,
    },
    /// A text frame over `MAX_MESSAGE_BYTES` that the shell did not bring in.
    OversizedFrame {
        /// Who sent it.
        link: Link,
    },
    /// A binary frame.
    BinaryFrame {
        /// Who sent it.
        link: Link,
    },
    /// What carries the connection has ended.
    Closed {
        /// The connection's link. One that the room does not know is ignored.
        link: Link,
        /// The close code, which decides on the grace (R4); 1006 if there is none.
        code: u16,
        /// How many bytes wait for its reader even so. If there are any, the same comes again once there are none.
        unread: u32,
    },
    /// It does not read what is sent to it, or has not read much of it when the room closed it.
    Slow {
        /// The connection's link, which the room may not know any more.
        link: Link,
        /// How many bytes its reader had not read when it was closed; 0 if they are few, or dropped.
        unread: u32,
    },
    /// The outcome of [`Action::Verify`](super::Action::Verify).
    Renewed {
        /// As it was.
        link: Link,
        /// As it was.
        id: Option<Box<str>>,
        /// As it was.
        nth: u32,
        /// What the token grants, or what is wrong with it.
        grant: Result<Grant, Error>,
    },
    /// The time asked for by [`Action::Timer`](super::Action::Timer) has come.
    Timer,
    /// The time asked for by [`Action::Alarm`](super::Action::Alarm) has come.
    Alarm {
        /// When each link last pinged, in milliseconds; one that never did is left out.
        pings: &'a [(Link, u64)],
        /// For the life that begins if the room erases itself (N9).
        fresh: Fresh,
    },
    /// An HTTP request. The Worker has checked that the token allows it.
    Request {
        /// Its number, which the reply bears.
        request: RequestId,
        /// What its token grants.
        grant: Grant,
        /// What it asks for.
        call: Call<'a>,
    },
}

/// What an HTTP request asks for (section 7).
#[derive(Debug)]
pub enum Call<'a> {
    /// Messages in order; one that could not be decoded keeps its place with its error (H1, H2).
    /// Answered by `{"results":[…]}`, one for each.
    Publish(Vec<Result<Publish<'a>, Error>>),
    /// Who is here (H3).
    Presence,
    /// A page of history (H3, R6).
    History(HistoryQuery),
    /// The room from outside (H3).
    Summary,
    /// The room in numbers (H9). Answered by a text for Prometheus rather than by JSON.
    Metrics,
    /// Removes and bans (H4).
    Disconnect(Disconnect),
    /// Deletes the room (H5). Carries the values of the life that begins with it.
    Delete(Fresh),
}
