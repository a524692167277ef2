//! What a room wants done. The shell does it, in order, and decides nothing.

use super::connection::Link;
use super::input::RequestId;
use super::outbox::Delivery;
use crate::protocol::{ConnectionId, Error};

#[derive(Debug, PartialEq)]
pub enum Action {
    /// Let the link in: the socket is accepted, the stream begins.
    Accept {
        link: Link,
        connection: ConnectionId,
    },
    /// Turn the link away.
    Refuse { link: Link, error: Error },
    /// One text frame to each of these sockets.
    Send(Delivery),
    /// One or more whole server-sent events to each of these streams.
    Stream(Delivery),
    /// Keep this with the socket through hibernation.
    Attach { link: Link, attachment: String },
    /// End the link: a socket with this close code and reason, a stream as it is. The room has forgotten it already, and
    /// so must its attachment be.
    Close {
        link: Link,
        code: u16,
        reason: String,
    },
    /// Verify a token and bring the outcome back as [`Input::Renewed`](super::Input::Renewed).
    Verify {
        link: Link,
        id: Option<Box<str>>,
        token: Box<str>,
    },
    /// Answer an HTTP request with a JSON text or an error.
    Reply {
        request: RequestId,
        reply: Result<String, Error>,
    },
    /// Wake the room at this time (milliseconds), in memory; replaces an earlier wish.
    Timer { at: u64 },
    /// Wake the room at this time even if it has gone from memory; replaces an earlier wish.
    Alarm { at: u64 },
    /// Tell the operator.
    Log(Event),
}

/// What an operator needs to know: one line of log each. Never holds a token, a secret or a message's data.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// A connection was closed for what it did.
    Closed {
        connection: ConnectionId,
        user: Box<str>,
        error: &'static str,
    },
    /// A user was banned until this time in milliseconds.
    Banned { user: Box<str>, until: u64 },
    /// The room was deleted on request.
    Deleted { by: Box<str> },
    /// Storage failed; `what` was not done.
    StorageFailed {
        what: &'static str,
        reason: String,
        messages: u64,
    },
}
