//! How far back the history reaches (N5).

use super::store::LogHead;
use crate::protocol::Limits;

/// How many publish ids are remembered when the history is turned off and memory is all there is.
const IDS_WITHOUT_HISTORY: u64 = 1_000;

/// What is still in the history at one moment. Every bound that holds for a row holds for all newer ones.
#[derive(Copy, Clone, Debug)]
pub struct Window {
    /// Messages with an offset up to this are out.
    pub floor: u64,
    /// Rows written before this time are out.
    since: u64,
    /// Rows that begin before this many bytes of the epoch are out.
    from_byte: u64,
}

impl Window {
    /// The history after message `offset`, when `total` bytes have been stored in this epoch.
    pub fn new(offset: u64, total: u64, now: u64, limits: &Limits) -> Window {
        Window {
            floor: offset.saturating_sub(limits.history_messages),
            since: now.saturating_sub(limits.history_ms),
            from_byte: total.saturating_sub(limits.history_bytes),
        }
    }

    /// Where ids count once if there is no history: as far back as memory goes.
    pub fn of_ids(offset: u64) -> Window {
        Window {
            floor: offset.saturating_sub(IDS_WITHOUT_HISTORY),
            since: 0,
            from_byte: 0,
        }
    }

    /// Whether any of a row is in the history: offsets above [`Window::floor`] then are.
    pub fn holds(&self, row: &LogHead) -> bool {
        self.holds_message(row.last, row.at, row.from_byte())
    }

    /// Whether the age of a row is what has put it out.
    pub fn has_expired(&self, row: &LogHead) -> bool {
        row.at < self.since
    }

    /// Whether a message is, if its row was written at `at` and begins at byte `from_byte` of the epoch.
    pub fn holds_message(&self, offset: u64, at: u64, from_byte: u64) -> bool {
        offset > self.floor && at >= self.since && from_byte >= self.from_byte
    }
}
