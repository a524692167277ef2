//! The log: what the room has said, one row for each flush, as far back as the history reaches (N5).
//!
//! A row that has left the history is overwritten in place by the next one, so that a commit costs one
//! row written rather than two. Rows outside the history may therefore still lie in storage; no read
//! shows them.

use std::ops::ControlFlow;

use serde_json::value::RawValue;

use super::ids::Ids;
use super::store::{Direction, LogHead, LogRow, Store, StoreResult};
use super::window::Window;
use crate::protocol::{ConnectionId, Limits, server};

/// A row holds at most about this many bytes of messages: a value in storage may have 2 MB.
const ROW_BYTES: usize = 1_000_000;

/// A reply to a history request stops here, in bytes (R6).
pub const PAGE_BYTES: usize = 256 * 1024;

/// Missed messages are replayed in frames of about this many bytes.
const REPLAY_BYTES: usize = 256 * 1024;

#[derive(Debug, Default)]
pub struct Log {
    /// Offset of the last committed message.
    offset: u64,
    /// Bytes of all rows ever written in this epoch.
    total: u64,
    /// Time of the newest row.
    at: u64,
    oldest: Option<LogHead>,
    ids: Ids,
}

/// The messages that a resumed connection missed, as frames in order.
pub type Replay = Vec<String>;

/// A page of history (R6).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Encoded messages, oldest first, joined by commas.
    pub messages: String,
    pub more: bool,
}

/// What `GET /room/{room}` says of the history (H3).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub messages: u64,
    pub bytes: u64,
    pub first_offset: Option<u64>,
}

impl Log {
    /// Reads where the log stands.
    pub fn restore(store: &mut dyn Store) -> StoreResult<Log> {
        let Some(newest) = store.end(Direction::Backward)? else {
            return Ok(Log::default());
        };
        let oldest = store.end(Direction::Forward)?;
        Ok(Log {
            offset: newest.last,
            total: newest.total,
            at: newest.at,
            oldest,
            ids: Ids::default(),
        })
    }

    /// Offset of the last committed message; 0 before the first.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Time of the newest row in milliseconds.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The offset of the message in the history that carried the publish id `key`, or of the one about to be stored.
    pub fn published(
        &mut self,
        key: &str,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Option<u64>> {
        if !self.ids.loaded {
            if limits.history_messages > 0 {
                store.ids(self.window(now, limits).floor, &mut |head, ids| {
                    self.ids.load(&head, ids)
                })?;
            }
            self.ids.loaded = true;
        }
        Ok(self.ids.offset(key, &self.memory(now, limits)))
    }

    /// Remembers the id of a message that the next flush stores.
    pub fn remember(&mut self, key: Box<str>, offset: u64, now: u64) {
        self.ids.insert(key, offset, now.max(self.at), self.total);
    }

    fn window(&self, now: u64, limits: &Limits) -> Window {
        Window::new(self.offset, self.total, now.max(self.at), limits)
    }

    /// The window in which ids count once.
    fn memory(&self, now: u64, limits: &Limits) -> Window {
        if limits.history_messages > 0 {
            self.window(now, limits)
        } else {
            Window::of_ids(self.offset)
        }
    }

    /// Stores the messages of a flush: dense offsets from `offset() + 1` on. On an error nothing counts as stored.
    pub fn append<'a>(
        &mut self,
        now: u64,
        messages: impl Iterator<Item = (u64, &'a str, &'a [ConnectionId])>,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<()> {
        let at = now.max(self.at);
        let mut draft = Draft::new(self.offset);
        let mut rows = Vec::new();
        for (offset, text, without) in messages {
            if draft.row.messages.len().saturating_add(text.len()) > ROW_BYTES
                && !draft.row.messages.is_empty()
            {
                rows.push(std::mem::replace(
                    &mut draft,
                    Draft::new(offset.saturating_sub(1)),
                ));
            }
            draft.push(offset, text, without, limits.history_messages > 0);
        }
        rows.push(draft);
        let (mut total, mut oldest, mut offset) = (self.total, self.oldest, self.offset);
        for draft in rows {
            let row = draft.finish(at, &mut total, &mut self.ids, limits.history_messages > 0);
            offset = row.last;
            let window = Window::new(offset, total, at, limits);
            let reuse = oldest.filter(|head| !window.holds(head));
            store.append(&row, reuse.map(|head| head.first))?;
            if reuse.is_some() || oldest.is_none() {
                oldest = store.end(Direction::Forward)?;
            }
        }
        (self.total, self.oldest, self.offset, self.at) = (total, oldest, offset, at);
        let memory = self.memory(now, limits);
        self.ids.forget_outside(&memory);
        Ok(())
    }

    /// Forgets the ids of messages that could not be stored.
    pub fn revoke(&mut self) {
        self.ids.forget_after(self.offset);
    }

    /// What `connection` missed after `after`, or `None` if not all of it is there any more (R2, R3).
    pub fn replay(
        &self,
        after: u64,
        connection: ConnectionId,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Option<Vec<(u64, String)>>> {
        let Some(missed) = self.offset.checked_sub(after) else {
            return Ok(None);
        };
        if missed == 0 {
            return Ok(Some(Vec::new()));
        }
        if missed > limits.recover_messages || missed > limits.history_messages {
            return Ok(None);
        }
        let window = self.window(now, limits);
        let mut messages: Vec<(u64, String)> = Vec::new();
        let mut complete = true;
        store.rows(after, u64::MAX, Direction::Forward, &mut |row| {
            complete = window.holds(&row.head());
            if complete {
                each_message(&row, |offset, text| {
                    if offset > after {
                        messages.push((offset, text.to_owned()));
                    }
                });
                each_skip(&row, |offset, without| {
                    if without.contains(&connection)
                        && let Some((_, text)) = messages.iter_mut().find(|(o, _)| *o == offset)
                    {
                        text.clear();
                        server::skip(text, offset);
                    }
                });
            }
            if complete {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let dense = messages
            .iter()
            .map(|(offset, _)| *offset)
            .eq(after.saturating_add(1)..=self.offset);
        Ok((complete && dense).then_some(messages))
    }

    /// A page of history (R6). `limit` is in messages.
    pub fn page(
        &self,
        query: &crate::protocol::HistoryQuery,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Page> {
        let window = self.window(now, limits);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let after = query.after.unwrap_or(0).max(window.floor);
        let before = query
            .before
            .unwrap_or(u64::MAX)
            .min(self.offset.saturating_add(1));
        let direction = if query.after.is_some() {
            Direction::Forward
        } else {
            Direction::Backward
        };
        let mut page = Page::default();
        let mut texts: Vec<String> = Vec::new();
        let mut bytes = 0_usize;
        store.rows(after, before, direction, &mut |row| {
            if !window.holds(&row.head()) {
                return match direction {
                    // Older rows lie before the history: what comes next may be in it.
                    Direction::Forward => ControlFlow::Continue(()),
                    Direction::Backward => ControlFlow::Break(()),
                };
            }
            let mut messages: Vec<String> = Vec::new();
            each_message(&row, |offset, text| {
                if offset > after && offset < before {
                    messages.push(text.to_owned());
                }
            });
            if direction == Direction::Backward {
                messages.reverse();
            }
            for text in messages {
                let size = text.len().saturating_add(1);
                if texts.len() >= limit
                    || (!texts.is_empty() && bytes.saturating_add(size) > PAGE_BYTES)
                {
                    page.more = true;
                    return ControlFlow::Break(());
                }
                bytes = bytes.saturating_add(size);
                texts.push(text);
            }
            ControlFlow::Continue(())
        })?;
        if direction == Direction::Backward {
            texts.reverse();
        }
        page.messages = texts.join(",");
        Ok(page)
    }

    /// How much history there is.
    pub fn summary(
        &self,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Summary> {
        let window = self.window(now, limits);
        let mut first = None;
        store.heads(&mut |head| {
            if window.holds(&head) {
                first = Some((
                    head.first.max(window.floor.saturating_add(1)),
                    head.total.saturating_sub(head.bytes),
                ));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(
            first.map_or_else(Summary::default, |(first_offset, from_byte)| Summary {
                messages: self.offset.saturating_add(1).saturating_sub(first_offset),
                bytes: self.total.saturating_sub(from_byte),
                first_offset: Some(first_offset),
            }),
        )
    }
}

/// Joins replayed messages into frames of a bearable size.
pub fn frames(messages: &[(u64, String)]) -> Replay {
    let mut frames = Vec::new();
    let mut frame = String::new();
    for (_, text) in messages {
        if !frame.is_empty() && frame.len().saturating_add(text.len()) > REPLAY_BYTES {
            frames.push(close(std::mem::take(&mut frame)));
        }
        frame.push(if frame.is_empty() { '[' } else { ',' });
        frame.push_str(text);
    }
    if !frame.is_empty() {
        frames.push(close(frame));
    }
    frames
}

fn close(mut frame: String) -> String {
    frame.push(']');
    frame
}

/// Calls `visit` with each message of a row, oldest first.
fn each_message(row: &LogRow, mut visit: impl FnMut(u64, &str)) {
    let text = format!("[{}]", row.messages);
    // What cannot be read leaves a gap, which a replay notices.
    let messages: Vec<&RawValue> = serde_json::from_str(&text).unwrap_or_default();
    for (offset, message) in (row.first..=row.last).zip(messages) {
        visit(offset, message.get());
    }
}

/// Calls `visit` with each message that somebody is to skip.
fn each_skip(row: &LogRow, mut visit: impl FnMut(u64, &[ConnectionId])) {
    if row.skips.is_empty() {
        return;
    }
    let skips: Vec<(u64, Vec<ConnectionId>)> = serde_json::from_str(&row.skips).unwrap_or_default();
    for (offset, without) in skips {
        visit(offset, &without);
    }
}

/// A row being put together.
struct Draft<'a> {
    row: LogRow,
    skips: Vec<(u64, &'a [ConnectionId])>,
}

impl<'a> Draft<'a> {
    fn new(after: u64) -> Draft<'a> {
        let row = LogRow {
            first: after.saturating_add(1),
            last: after,
            ..LogRow::default()
        };
        Draft {
            row,
            skips: Vec::new(),
        }
    }

    fn push(&mut self, offset: u64, text: &str, without: &'a [ConnectionId], keep: bool) {
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
        }
    }

    fn finish(mut self, at: u64, total: &mut u64, ids: &mut Ids, keep: bool) -> LogRow {
        let from_byte = *total;
        ids.settle(self.row.first, self.row.last, at, from_byte);
        if keep {
            self.row.ids = ids.row(self.row.first, self.row.last);
        }
        if !self.skips.is_empty() {
            self.row.skips = serde_json::to_string(&self.skips).unwrap_or_default();
        }
        *total = total.saturating_add(self.row.bytes());
        self.row.at = at;
        self.row.total = *total;
        self.row
    }
}
