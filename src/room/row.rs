//! Rows of the log being put together and taken apart.

use serde_json::value::RawValue;

use super::store::{LogHead, LogRow};
use crate::protocol::{ConnectionId, Limits};

/// A row holds at most about this many bytes of messages: a row in storage may have 2 MB, what else
/// is in it included.
const ROW_BYTES: usize = 1_000_000;
/// And at most so many messages, each with up to a kilobyte of ids.
pub const ROW_MESSAGES: u64 = 500;
/// What one connection takes in the list of those that skip a message, at most.
const SKIP_BYTES: usize = 16;
/// A row leaves the history as a whole, so it holds no more than this part of it.
const PART_OF_HISTORY: u64 = 4;

/// A row grows by later flushes up to so many messages and bytes, so that a quiet room has few rows:
/// each that is read is billed, and after a wake the first publish with an id reads the ids of the
/// whole history. Written, a row is billed as one whatever its size. With these bounds a full history
/// of short messages is 32 rows, a thirtieth of what writing one costs; more would only move bytes.
/// The bytes are what a page of the database (4 KiB) has room for beside ids: a row that outgrows its
/// page takes another one, and then messages of 250 bytes take twice the space.
const GROWN_MESSAGES: u64 = 32;
const GROWN_BYTES: u64 = 3_500;
/// All messages in a row are as old as the newest of them, so they may differ by this part of the
/// history's age, and by no more than a quarter of an hour.
const GROWN_PART_OF_AGE: u64 = 100;
const GROWN_MS: u64 = 900_000;

/// Whether the newest row may become `grown`, if the row before it was written at `before`: nothing in
/// it is older than that. Only what is in storage decides, so that a room that slept decides alike.
pub fn may_grow(newest: &LogHead, grown: &LogHead, before: u64, limits: &Limits) -> bool {
    let messages = grown.last.saturating_add(1).saturating_sub(grown.first);
    let bytes = part(limits.history_bytes, PART_OF_HISTORY).min(GROWN_BYTES);
    // Without a history rows have no text, and only count.
    limits.history_messages > 0
        && newest.bytes > 0
        && messages <= GROWN_MESSAGES
        && grown.bytes <= bytes
        && grown.at.saturating_sub(before) <= span_ms(limits)
}

/// How much later than a message its row may have been written last, in milliseconds.
pub fn span_ms(limits: &Limits) -> u64 {
    part(limits.history_ms, GROWN_PART_OF_AGE).min(GROWN_MS)
}

fn part(of: u64, divisor: u64) -> u64 {
    of.checked_div(divisor).unwrap_or(0)
}

/// A row being put together.
pub struct Draft<'a> {
    row: LogRow,
    skips: Vec<(u64, &'a [ConnectionId])>,
    skip_bytes: usize,
}

impl<'a> Draft<'a> {
    /// A row that begins with the message after `after`.
    pub fn new(after: u64) -> Draft<'a> {
        let row = LogRow {
            first: after.saturating_add(1),
            last: after,
            ..LogRow::default()
        };
        Draft {
            row,
            skips: Vec::new(),
            skip_bytes: 0,
        }
    }

    /// Whether a message of so many bytes had better go into the next row.
    pub fn is_full(&self, bytes: usize, limits: &Limits) -> bool {
        let part = part(limits.history_bytes, PART_OF_HISTORY);
        let most = usize::try_from(part).unwrap_or(usize::MAX).min(ROW_BYTES);
        let messages = self
            .row
            .last
            .saturating_add(1)
            .saturating_sub(self.row.first);
        let lies = self.row.messages.len().saturating_add(self.skip_bytes);
        let full = lies.saturating_add(bytes) > most;
        !self.row.messages.is_empty() && (full || messages >= ROW_MESSAGES)
    }

    /// Adds the next message. What is not to be kept only counts.
    pub fn push(&mut self, offset: u64, text: &str, without: &'a [ConnectionId], keep: bool) {
        self.row.last = offset;
        if !keep {
            return;
        }
        if !self.row.messages.is_empty() {
            self.row.messages.push(',');
        }
        self.row.messages.push_str(text);
        if !without.is_empty() {
            self.skips.push((offset, without));
            let bytes = without.len().saturating_mul(SKIP_BYTES);
            self.skip_bytes = self.skip_bytes.saturating_add(bytes);
        }
    }

    /// The row, without its ids, of an epoch of which `total` bytes have been stored before.
    pub fn finish(mut self, at: u64, total: u64) -> LogRow {
        if !self.skips.is_empty() {
            self.row.skips = serde_json::to_string(&self.skips).unwrap_or_default();
        }
        self.row.at = at;
        self.row.total = total.saturating_add(self.row.bytes());
        self.row
    }
}

impl LogRow {
    /// Calls `visit` with each message, oldest first.
    pub(super) fn each_message(&self, mut visit: impl FnMut(u64, &str)) {
        let text = format!("[{}]", self.messages);
        // What cannot be read leaves a gap, which a replay notices.
        let messages: Vec<&RawValue> = serde_json::from_str(&text).unwrap_or_default();
        for (offset, message) in (self.first..=self.last).zip(messages) {
            visit(offset, message.get());
        }
    }

    /// Calls `visit` with each message that somebody is to skip.
    pub(super) fn each_skip(&self, mut visit: impl FnMut(u64, &[ConnectionId])) {
        if self.skips.is_empty() {
            return;
        }
        let skips: Vec<(u64, Vec<ConnectionId>)> =
            serde_json::from_str(&self.skips).unwrap_or_default();
        for (offset, without) in skips {
            visit(offset, &without);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n10_a_row_that_many_skip_stays_below_what_a_value_may_have() {
        // The longest ids: 10 characters each.
        let longest = 36_u64.pow(10) - 1;
        let without: Vec<ConnectionId> = (0..100)
            .filter_map(|n| ConnectionId::new(longest - n))
            .collect();
        assert_eq!(without.len(), 100);
        let message = "x".repeat(1_000);
        let limits = Limits::default();
        let mut draft = Draft::new(0);
        let mut count = 0;
        while !draft.is_full(message.len(), &limits) {
            count += 1;
            draft.push(count, &message, &without, true);
        }
        assert!(count < ROW_MESSAGES, "not the number of messages ends it");
        let row = draft.finish(0, 0);
        assert!(row.messages.len() + row.skips.len() <= ROW_BYTES + 3_000);
    }
}
