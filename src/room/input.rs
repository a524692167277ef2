//! What can happen to a room.

use super::connection::{Kind, Link};
use crate::auth::Grant;
use crate::protocol::{Error, HistoryQuery, Publish, http::Disconnect};

/// The shell's number for an HTTP request that waits for its reply.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u32);

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
    pub link: Link,
    pub kind: Kind,
    pub grant: Grant,
    /// `?epoch=` and `?offset=` as they came, or the two halves of `Last-Event-ID` (R1, H7).
    pub epoch: Option<String>,
    pub offset: Option<String>,
    /// The session secret, if one was sent.
    pub session: Option<String>,
}

#[derive(Debug)]
pub enum Input<'a> {
    Connect(Connect),
    /// A text frame.
    Frame {
        link: Link,
        text: &'a str,
    },
    /// A text frame over `MAX_MESSAGE_BYTES` that the shell did not bring in.
    OversizedFrame {
        link: Link,
    },
    BinaryFrame {
        link: Link,
    },
    /// What carries the connection has ended with this close code.
    Closed {
        link: Link,
        code: u16,
    },
    /// It does not read what is sent to it.
    Slow {
        link: Link,
    },
    /// The outcome of [`Action::Verify`](super::Action::Verify).
    Renewed {
        link: Link,
        id: Option<Box<str>>,
        grant: Result<Grant, Error>,
    },
    /// The time asked for by [`Action::Timer`](super::Action::Timer) has come.
    Timer,
    /// The time asked for by [`Action::Alarm`](super::Action::Alarm) has come. `pings` says when each link last pinged,
    /// in milliseconds; one that never did is left out.
    Alarm {
        pings: &'a [(Link, u64)],
    },
    /// An HTTP request. The Worker has checked that the token allows it.
    Request {
        request: RequestId,
        grant: Grant,
        call: Call<'a>,
    },
}

/// What an HTTP request asks for (section 7).
#[derive(Debug)]
pub enum Call<'a> {
    /// Messages in order; one that could not be decoded keeps its place with its error.
    Publish(Vec<Result<Publish<'a>, Error>>),
    Presence,
    History(HistoryQuery),
    Summary,
    Disconnect(Disconnect),
    /// Carries the values of the life that begins with it.
    Delete(Fresh),
}
