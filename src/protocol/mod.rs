//! What clients and rooms say to each other: names, limits and errors, decoding of what a client
//! sends, encoding of what a room says. The wire contract itself is `docs/protocol.md`; the rule
//! ids here (`C6`, `M1`, …) are its.
//!
//! Untrusted text goes in through [`decode_frame`] and [`http`] and comes out as typed messages or
//! as an [`Error`] that can be sent back. Payloads (`data`, `state`, `info`) stay [`Json`] text and
//! are never rebuilt, so they reach everybody as they were written.

mod client;
mod error;
mod error_code;
mod frame;
mod history;
pub mod http;
mod id;
mod json;
mod limits;
pub mod names;
mod object;
mod patch;
pub mod reply;
pub mod server;

pub use client::{ClientMessage, Publish, Recipient, StateChange};
pub use error::Error;
pub use error_code::ErrorCode;
pub use frame::{Element, decode_frame};
pub use history::HistoryQuery;
pub use id::ConnectionId;
pub use json::{Json, JsonError, MAX_DEPTH, Malformed, write_string};
pub(crate) use json::{Raw, Scanner};
pub use limits::{InvalidVariable, Limits, Variable};
pub use object::MAX_INTEGER;
pub use patch::Patch;

/// The version of the protocol.
pub const PROTOCOL_VERSION: u32 = 1;

/// The WebSocket subprotocol of this version (T3).
pub const SUBPROTOCOL: &str = "roomful.v1";

/// The exact text of a client's ping (C3).
pub const PING: &str = "ping";

/// The exact text of its answer (C3).
pub const PONG: &str = "pong";

/// Most elements in a frame, and messages in a batch (N6, H2).
pub const MAX_ELEMENTS: usize = 100;

/// Most entries of `to` and of `except` (N2).
pub const MAX_RECIPIENTS: usize = 100;

/// Largest `info` of a user, in bytes (N3).
pub const MAX_INFO_BYTES: usize = 2_048;
/// Bans that a room keeps, at most (H4).
pub const MAX_BANS: u64 = 10_000;

/// Most messages in one answer from the history (R6).
pub const MAX_HISTORY_LIMIT: u32 = 500;

/// The size at which an answer from the history stops, in bytes (R6).
pub const MAX_HISTORY_REPLY_BYTES: usize = 256 * 1_024;
