//! What a room keeps on disk, and the port through which it reaches it.
//!
//! The room decides what is read and written, the shell only knows how (SQL on the runtime, a map in
//! tests). The port is a trait rather than a list of actions because storage in a Durable Object is
//! synchronous and a write can fail: the room must know before it tells anybody that a message is safe.

use std::fmt;
use std::ops::ControlFlow;

use crate::protocol::{ConnectionId, ErrorCode, Json};

/// Storage refused: the disk is full, a value is too large, the database is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(
    /// What the runtime said, for the operator's log; never shown to a client.
    pub String,
);

impl StoreError {
    /// What a client is told.
    pub fn code(&self) -> ErrorCode {
        // SQLite's own word for it, which the runtime passes on.
        if self.0.contains("SQLITE_FULL") {
            ErrorCode::StorageFull
        } else {
            ErrorCode::StorageFailed
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage failed: {}", self.0)
    }
}

impl std::error::Error for StoreError {}

/// What storage answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// What makes a room this room: written with its first join, publish or ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Names this life of the room: offsets compare only within one epoch.
    pub epoch: String,
    /// Signs session secrets (R1).
    pub key: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Whether presence has been reduced to occupancy (P4). Kept because the way back has hysteresis.
    pub crowded: bool,
}

/// A member's row: there from join to leave, so that a restart makes nobody flicker (R5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Its connection; the key.
    pub connection: ConnectionId,
    /// Its user's id.
    pub user: String,
    /// Its user's info.
    pub info: Json<'static>,
    /// `null` while a socket carries the state in its attachment.
    pub state: Json<'static>,
    /// When it joined, in milliseconds.
    pub at: u64,
}

/// Messages of one flush, or of several small ones, already encoded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LogRow {
    /// Offset of the first message in the row; the key.
    pub first: u64,
    /// Offset of the last one. Rows are dense: the next row's `first` is this plus one.
    pub last: u64,
    /// When the row was last written, in milliseconds; never less than an older row's.
    pub at: u64,
    /// Bytes of `messages` of all rows ever written in this epoch, up to and with this one.
    pub total: u64,
    /// Publish ids in the row: a JSON array of `[offset, key]` (see `ids.rs`), or empty.
    pub ids: String,
    /// Who gets a `skip` in place of a message: a JSON array of `[offset, [connection, …]]`, or empty.
    pub skips: String,
    /// The encoded messages, joined by commas.
    pub messages: String,
}

impl LogRow {
    /// Bytes of `messages`.
    pub fn bytes(&self) -> u64 {
        self.messages.len() as u64
    }

    /// The row without its text.
    pub fn head(&self) -> LogHead {
        LogHead {
            first: self.first,
            last: self.last,
            at: self.at,
            total: self.total,
            bytes: self.bytes(),
        }
    }
}

/// A row without its text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct LogHead {
    /// As in the row.
    pub first: u64,
    /// As in the row.
    pub last: u64,
    /// As in the row.
    pub at: u64,
    /// As in the row.
    pub total: u64,
    /// Bytes of the row's `messages`.
    pub bytes: u64,
}

impl LogHead {
    /// Bytes of the rows before this one.
    pub fn from_byte(&self) -> u64 {
        self.total.saturating_sub(self.bytes)
    }

    /// What this row becomes with those messages behind its own, and a comma between.
    pub fn and(&self, more: &LogRow) -> LogHead {
        let grown = more.bytes().saturating_add(1);
        LogHead {
            first: self.first,
            last: more.last,
            at: more.at,
            total: self.total.saturating_add(grown),
            bytes: self.bytes.saturating_add(grown),
        }
    }
}

/// Where messages are put in the log; each counts as one row written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a row of their own.
    New,
    /// Into a row of their own, in place of the row whose `first` is this.
    Over(u64),
    /// Into the newest row, whose `first` is this, as in [`LogHead::and`]: lists grow at their ends.
    Onto(u64),
}

/// Which way rows are read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// Durable storage of one room. All calls of one event are one transaction; a call that fails has
/// no effect, unless it says otherwise, and does not undo those before it.
pub trait Store {
    /// What was last put, if anything was.
    fn meta(&mut self) -> StoreResult<Option<Meta>>;
    /// Keeps this, in place of what was put before.
    fn put_meta(&mut self, meta: &Meta) -> StoreResult<()>;

    /// The members' rows that `wanted` asks for, oldest first. It is told of every row whose it is, and
    /// whether it keeps a state.
    ///
    /// A room that wakes knows nearly all of its members from their sockets, and a row costs far more
    /// to read than to count.
    fn members(
        &mut self,
        wanted: &mut dyn FnMut(ConnectionId, bool) -> bool,
    ) -> StoreResult<Vec<MemberRow>>;
    /// Keeps a member's row, in place of one of the same connection.
    fn put_member(&mut self, row: &MemberRow) -> StoreResult<()>;
    /// Puts a state into a member's row. If there is none, nothing happens.
    fn set_state(&mut self, connection: ConnectionId, state: &Json<'_>) -> StoreResult<()>;
    /// Deletes a member's row. If there is none, nothing happens.
    fn delete_member(&mut self, connection: ConnectionId) -> StoreResult<()>;

    /// Until when (milliseconds) a user is banned, if there is a ban, expired or not. Asked of a
    /// room that has written nothing as well.
    fn ban(&mut self, user: &str) -> StoreResult<Option<u64>>;
    /// Bans a user, in place of an earlier ban.
    fn put_ban(&mut self, user: &str, until: u64) -> StoreResult<()>;
    /// Deletes the bans that had ended by `now`, and tells how many are left.
    fn count_bans(&mut self, now: u64) -> StoreResult<u64>;
    /// Deletes the ban that ended first, if one had ended by `now`; tells whether there was one.
    fn forget_ban(&mut self, now: u64) -> StoreResult<bool>;

    /// Heads of the rows that hold offsets above `after`, in `direction`, until `visit` breaks.
    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()>;
    /// Rows that hold an offset in `after + 1 .. before`, in `direction`, until `visit` breaks.
    fn rows(
        &mut self,
        after: u64,
        before: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogRow) -> ControlFlow<()>,
    ) -> StoreResult<()>;
    /// Visits the `ids` of the rows that hold offsets above `after`, oldest first, leaving out
    /// empty ones.
    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()>;
    /// Adds messages behind the newest ones. If it fails, all rows are as they were; it does if the row of `place` is
    /// not there.
    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()>;
    /// Deletes the rows before the one that begins with `first`. With `text`, that one loses its
    /// messages, ids and skips. If it fails, some of this may have been done.
    fn forget(&mut self, first: u64, text: bool) -> StoreResult<()>;

    /// How many bytes the database takes, without pages that are free.
    fn size(&mut self) -> StoreResult<u64>;

    /// Forgets everything but bans that end after `now`, and tells when the last of these does. If there
    /// are none, the alarm goes as well.
    fn erase(&mut self, now: u64) -> StoreResult<Option<u64>>;

    /// Rows written in this life of the object, as they are billed. Alarms are not among them.
    fn rows_written(&mut self) -> u64 {
        0
    }
}
