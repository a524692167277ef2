//! How much a room may store (N10): a bound that follows from the limits, so that nobody has to set it,
//! and that is told of before it is reached.
//!
//! The log keeps to twice the history ([`Log`](super::log::Log)), members to the connections that a room
//! takes, and bans to [`MAX_BANS`]. So the bound is not reached as long as all is well: it holds off
//! what nobody has thought of, long before the platform's own limit (10 GB an object). The size is
//! looked at with each alarm, since to ask for it is a query.

use super::row::{ROW_MESSAGES, span_ms};
use super::{Action, Event, Room, Turn};
use crate::protocol::{Error, ErrorCode, Limits, MAX_BANS, MAX_INFO_BYTES};

/// A user id has 128 characters.
const USER_BYTES: u64 = 512;
/// The publish id of a message, and a hundred connections that skip it.
const LISTS_BYTES: u64 = 2_600;
/// The numbers of a row.
const NUMBERS_BYTES: u64 = 64;
/// A row takes at most two pages beyond its bytes: one that it shares with none, and the end of its last.
const PAGES_BYTES: u64 = 8_192;
/// One row of the log may be written before others go.
const ROW_BYTES: u64 = 2_097_152;
/// The database without any row, and its inner pages.
const BASE_BYTES: u64 = 1_048_576;

/// How long a client waits before it tries again, in milliseconds.
const TRY_AGAIN_MS: u64 = 10_000;

/// Why a message was not stored.
pub(super) fn not_stored(code: ErrorCode) -> Error {
    let error = Error::new(code);
    if code == ErrorCode::StorageFull {
        // Space does not come back within a moment.
        error.with_retry_after(TRY_AGAIN_MS)
    } else {
        error
    }
}

/// What the database of a room may take under these limits, in bytes (N10).
///
/// ```
/// use roomful::{protocol::Limits, room::storage_bound};
///
/// assert_eq!(storage_bound(&Limits::default()) / 1_000_000, 198);
/// ```
pub fn storage_bound(limits: &Limits) -> u64 {
    let row = NUMBERS_BYTES.saturating_add(PAGES_BYTES);
    let state = u64::try_from(limits.state_bytes).unwrap_or(u64::MAX);
    let member = USER_BYTES
        .saturating_add(MAX_INFO_BYTES as u64)
        .saturating_add(state)
        .saturating_add(row);
    let members = u64::try_from(limits.connections).unwrap_or(u64::MAX);
    let messages = limits
        .history_messages
        .saturating_mul(2)
        .saturating_add(ROW_MESSAGES);
    BASE_BYTES
        .saturating_add(ROW_BYTES)
        .saturating_add(limits.history_bytes.saturating_mul(2))
        .saturating_add(messages.saturating_mul(LISTS_BYTES.saturating_add(row)))
        .saturating_add(members.saturating_mul(member))
        .saturating_add(MAX_BANS.saturating_mul(USER_BYTES.saturating_mul(2)))
}

impl Room {
    /// With the alarm: takes from the disk what has expired, and looks how much there is.
    pub(super) fn look_at_storage(&mut self, turn: &mut Turn<'_>) {
        let expired = self
            .log
            .forget_expired(turn.now, &self.limits, &mut *turn.store);
        if let Err(error) = expired {
            turn.storage_failed("expiry", &error, 0);
        }
        let bytes = match turn.store.size() {
            Ok(bytes) => bytes,
            Err(error) => return turn.storage_failed("size", &error, 0),
        };
        let most = storage_bound(&self.limits);
        self.is_full = bytes >= most;
        // 80 %.
        if bytes.saturating_mul(5) >= most.saturating_mul(4) {
            turn.out
                .push(Action::Log(Event::StorageHigh { bytes, most }));
        }
    }

    /// Makes sure that one more user can be banned. A ban in place of another takes no space.
    pub(super) fn check_bans(&self, user: &str, turn: &mut Turn<'_>) -> Result<(), Error> {
        // One that has ended still ends sessions (H4), while what was said meanwhile can be had.
        let readable = self.limits.history_ms.saturating_add(span_ms(&self.limits));
        let forgotten = turn.now.saturating_sub(readable);
        let bans = turn.store.count_bans(forgotten);
        let bans = bans.map_err(|error| turn.refused("ban", &error))?;
        if bans < MAX_BANS {
            return Ok(());
        }
        let fits = match turn.store.ban(user) {
            // To keep somebody out matters more than what another could claim whose ban is over.
            Ok(None) => turn.store.forget_ban(turn.now),
            Ok(Some(_)) => Ok(true),
            Err(error) => Err(error),
        };
        match fits {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(ErrorCode::StorageFull)
                .with_message("The room has 10,000 bans that still run; no more are kept.")),
            Err(error) => Err(turn.refused("ban", &error)),
        }
    }
}
