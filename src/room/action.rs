//! What a room wants done. The shell does it, in order, and decides nothing.

use super::connection::Link;
use super::delivery::Delivery;
use super::input::RequestId;
use crate::protocol::{ConnectionId, Error};

/// Something for the shell to do.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Let the link in: the socket is accepted, the stream begins.
    Accept {
        /// The link of [`Connect`](super::Connect).
        link: Link,
        /// The id that the connection has from now on.
        connection: ConnectionId,
    },
    /// Turn the link away.
    Refuse {
        /// The link of [`Connect`](super::Connect).
        link: Link,
        /// Why.
        error: Error,
    },
    /// One text frame to each of these sockets.
    Send(Delivery),
    /// One or more whole server-sent events to each of these streams.
    Stream(Delivery),
    /// Keep this with the socket through hibernation.
    Attach {
        /// The socket's link.
        link: Link,
        /// JSON text; see `Room::restore`.
        attachment: String,
    },
    /// End the link: a socket with this close code and reason, a stream as it is. The room has
    /// forgotten it already.
    Close {
        /// The link, which gets nothing any more.
        link: Link,
        /// The close code of a socket.
        code: u16,
        /// The reason of a socket's close, at most 123 bytes.
        reason: String,
        /// What takes the place of a socket's attachment, so that it counts until it ends (N11).
        left: String,
    },
    /// Verify a token and bring the outcome back as [`Input::Renewed`](super::Input::Renewed).
    Verify {
        /// Whose token it is to be.
        link: Link,
        /// The id of the client's message, to be brought back.
        id: Option<Box<str>>,
        /// The token.
        token: Box<str>,
        /// The how-manieth renewal of the connection it is, to be brought back.
        nth: u32,
    },
    /// Answer an HTTP request.
    Reply {
        /// The number of [`Input::Request`](super::Input::Request).
        request: RequestId,
        /// A JSON text (for [`Call::Metrics`](super::Call::Metrics) another one), or what went wrong.
        reply: Result<String, Error>,
    },
    /// Wake the room with [`Input::Timer`](super::Input::Timer); replaces an earlier wish.
    Timer {
        /// When, in milliseconds.
        at: u64,
    },
    /// Wake the room with [`Input::Alarm`](super::Input::Alarm) even if it has gone from memory;
    /// replaces an earlier wish.
    Alarm {
        /// When, in milliseconds. It may be past: then at once.
        at: u64,
    },
    /// Tell the operator.
    Log(Event),
}

/// What an operator needs to know: one line of log each. Never holds a token, a secret or a
/// message's data.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// A connection was closed for what it did.
    Closed {
        /// Which one.
        connection: ConnectionId,
        /// Its user.
        user: Box<str>,
        /// The code of what it did.
        error: &'static str,
    },
    /// A user was banned.
    Banned {
        /// Who.
        user: Box<str>,
        /// Until when, in milliseconds.
        until: u64,
    },
    /// The room was deleted on request.
    Deleted {
        /// The user of the request's token.
        by: Box<str>,
    },
    /// The room erased itself, since nobody used it any more (N9).
    Vacated,
    /// Storage is filling up, or full (N10).
    StorageHigh {
        /// What it takes.
        bytes: u64,
        /// What it may take: from there on nothing more is stored.
        most: u64,
    },
    /// Storage failed.
    StorageFailed {
        /// What was not done.
        what: &'static str,
        /// What the runtime said.
        reason: String,
        /// How many messages could not be stored; their senders have been told.
        messages: u64,
    },
}
