//! Reading the log: what a resumed connection missed, pages of history, and how much there is
//! (R2, R3, R6, H3).

use std::ops::ControlFlow;

use super::log::Log;
use super::store::{Direction, LogRow, Store, StoreResult};
use super::window::Window;
use crate::protocol::{ConnectionId, HistoryQuery, Limits, MAX_HISTORY_REPLY_BYTES, server};

/// Missed messages are replayed in frames of about this many bytes.
const REPLAY_BYTES: usize = 256 * 1024;

/// And no more than this is: it lies in memory several times over, with all rooms of an isolate sharing
/// 128 MB, and a client for whom more is waiting counts as too slow (E3).
const REPLAY_MOST: usize = 8 * 1024 * 1024;

/// The messages that a connection missed, with their offsets, oldest first.
pub type Missed = Vec<(u64, String)>;

/// A page of history (R6).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Encoded messages, oldest first, joined by commas.
    pub messages: String,
    /// Whether there is more in the direction that was asked for.
    pub more: bool,
    /// Bytes of the rows that were read for it.
    pub read: usize,
}

impl Page {
    /// The bytes that it counts as: a row is read as a whole, whatever of it is wanted, and has up to a
    /// megabyte. To read is a quarter of the work of reading, copying and sending.
    pub fn weight(&self) -> usize {
        self.messages.len().max(self.read >> 2)
    }
}

/// What `GET /room/{room}` says of the history (H3).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub messages: u64,
    pub bytes: u64,
    pub first_offset: Option<u64>,
}

impl Log {
    /// What `connection` missed after `after`, or `None` if not all of it is there any more (R2,
    /// R3).
    pub fn replay(
        &self,
        after: u64,
        connection: ConnectionId,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Option<Missed>> {
        let Some(count) = self.offset().checked_sub(after) else {
            return Ok(None);
        };
        if count == 0 {
            return Ok(Some(Vec::new()));
        }
        if count > limits.recover_messages || count > limits.history_messages {
            return Ok(None);
        }
        let window = self.window(now, limits);
        let mut missed = Missed::new();
        let (mut bytes, mut complete) = (0, true);
        store.rows(after, u64::MAX, Direction::Forward, &mut |row| {
            complete = window.holds(&row.head());
            if !complete {
                return ControlFlow::Break(());
            }
            bytes = push_missed(&mut missed, &row, after, connection).saturating_add(bytes);
            complete = bytes <= REPLAY_MOST;
            if complete {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let offsets = after.saturating_add(1)..=self.offset();
        let dense = missed.iter().map(|(offset, _)| *offset).eq(offsets);
        Ok((complete && dense).then_some(missed))
    }

    /// A page of history (R6).
    pub fn page(
        &self,
        query: &HistoryQuery,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Page> {
        let window = self.window(now, limits);
        let after = query.after.unwrap_or(0).max(window.floor);
        let before = query
            .before
            .unwrap_or(u64::MAX)
            .min(self.offset().saturating_add(1));
        let forward = query.after.is_some();
        let direction = if forward {
            Direction::Forward
        } else {
            Direction::Backward
        };
        let mut reader = Reader {
            window,
            after,
            before,
            forward,
            limit: usize::try_from(query.limit).unwrap_or(usize::MAX),
            texts: Vec::new(),
            bytes: 0,
            more: false,
            read: 0,
        };
        if after.saturating_add(1) < before {
            store.rows(after, before, direction, &mut |row| reader.read(&row))?;
        }
        if !forward {
            reader.texts.reverse();
        }
        Ok(Page {
            messages: reader.texts.join(","),
            more: reader.more,
            read: reader.read,
        })
    }

    /// How much history there is.
    pub fn summary(
        &self,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Summary> {
        let window = self.window(now, limits);
        let mut summary = Summary::default();
        store.heads(window.floor, Direction::Forward, &mut |head| {
            // A row that was written while the history was off has no text: it only counts offsets.
            if !window.holds(&head) || head.bytes == 0 {
                return ControlFlow::Continue(());
            }
            let first_offset = head.first.max(window.floor.saturating_add(1));
            summary = Summary {
                messages: self.offset().saturating_add(1).saturating_sub(first_offset),
                bytes: self.total().saturating_sub(head.from_byte()),
                first_offset: Some(first_offset),
            };
            ControlFlow::Break(())
        })?;
        Ok(summary)
    }
}

/// Adds what a row has of it; returns how many bytes that is.
fn push_missed(missed: &mut Missed, row: &LogRow, after: u64, connection: ConnectionId) -> usize {
    let mut bytes = 0_usize;
    let mut skips = Vec::new();
    row.each_skip(|offset, without| {
        if without.contains(&connection) {
            skips.push(offset);
        }
    });
    row.each_message(|offset, text| {
        if offset <= after {
            return;
        }
        let mut missing = String::new();
        if skips.binary_search(&offset).is_ok() {
            server::skip(&mut missing, offset);
        } else {
            missing.push_str(text);
        }
        bytes = bytes.saturating_add(missing.len());
        missed.push((offset, missing));
    });
    bytes
}

/// Gathers a page row by row.
struct Reader {
    window: Window,
    after: u64,
    before: u64,
    forward: bool,
    limit: usize,
    texts: Vec<String>,
    bytes: usize,
    more: bool,
    read: usize,
}

impl Reader {
    fn read(&mut self, row: &LogRow) -> ControlFlow<()> {
        self.read = self.read.saturating_add(row.messages.len());
        if !self.window.holds(&row.head()) {
            // Older rows lie before the history: forward, what comes next may be in it.
            return if self.forward {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            };
        }
        let mut texts = Vec::new();
        row.each_message(|offset, text| {
            if offset > self.after && offset < self.before {
                texts.push(text.to_owned());
            }
        });
        if !self.forward {
            texts.reverse();
        }
        for text in texts {
            let bytes = self.bytes.saturating_add(text.len()).saturating_add(1);
            let too_long = bytes > MAX_HISTORY_REPLY_BYTES && !self.texts.is_empty();
            if self.texts.len() >= self.limit || too_long {
                self.more = true;
                return ControlFlow::Break(());
            }
            self.bytes = bytes;
            self.texts.push(text);
        }
        ControlFlow::Continue(())
    }
}

/// Joins missed messages into frames of a bearable size.
pub fn frames(missed: &Missed) -> Vec<String> {
    let mut frames = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    let mut bytes = 0_usize;
    for (_, text) in missed {
        if bytes.saturating_add(text.len()) > REPLAY_BYTES && !texts.is_empty() {
            frames.push(frame(&texts));
            (texts, bytes) = (Vec::new(), 0);
        }
        bytes = bytes.saturating_add(text.len());
        texts.push(text);
    }
    if !texts.is_empty() {
        frames.push(frame(&texts));
    }
    frames
}

/// One message alone is not in an array.
fn frame(texts: &[&str]) -> String {
    match texts {
        [text] => (*text).to_owned(),
        _ => format!("[{}]", texts.join(",")),
    }
}
