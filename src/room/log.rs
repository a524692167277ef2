//! The log: what the room has said, one row for each flush or for several small ones, as far back as
//! the history reaches (N5).
//!
//! A row that has left the history is overwritten in place by the next one, so that a commit costs
//! one row written rather than two. Rows outside the history may therefore still lie in storage; no
//! read shows them. As long as rows are of about one size they lie there one at a time. But when
//! large ones follow many small ones, each overwrites only one of those, while four of them fill the
//! history: without a bound there would be as many large rows in the end as there were small ones. So
//! what lies there is no more than twice the history; beyond that, rows outside are deleted, of which
//! each is billed as one written, and each was written before.
//!
//! What time has ended goes from the disk with the next alarm, whether anything follows or not.

use std::ops::ControlFlow;

use super::ids::Ids;
use super::row::{Draft, ROW_MESSAGES, may_grow};
use super::store::{Direction, LogHead, Place, Store, StoreResult};
use super::window::Window;
use crate::protocol::{ConnectionId, Limits};

/// Where the log stands, and the ids in it.
#[derive(Debug, Default)]
pub struct Log {
    /// The newest row; all zeros before the first.
    newest: LogHead,
    /// Time of the row before it; 0 if there is none, so that the oldest row does not grow.
    before: u64,
    /// The oldest row in storage; `None` if there is none, or if it is to be looked up again.
    oldest: Option<LogHead>,
    ids: Ids,
}

impl Log {
    /// Reads where the log stands.
    pub fn restore(store: &mut dyn Store) -> StoreResult<Log> {
        let mut log = Log::default();
        store.heads(0, Direction::Backward, &mut |head| {
            if log.newest.last == 0 {
                log.newest = head;
                return ControlFlow::Continue(());
            }
            log.before = head.at;
            ControlFlow::Break(())
        })?;
        log.oldest = oldest(store)?;
        Ok(log)
    }

    /// Offset of the last committed message; 0 before the first.
    pub fn offset(&self) -> u64 {
        self.newest.last
    }

    /// Bytes of messages ever stored in this epoch.
    pub fn total(&self) -> u64 {
        self.newest.total
    }

    /// Time of the newest row in milliseconds.
    pub fn at(&self) -> u64 {
        self.newest.at
    }

    /// What is in the history at this moment.
    pub fn window(&self, now: u64, limits: &Limits) -> Window {
        Window::new(self.offset(), self.total(), now.max(self.at()), limits)
    }

    /// The window in which ids count once.
    fn memory(&self, now: u64, limits: &Limits) -> Window {
        if limits.history_messages > 0 {
            self.window(now, limits)
        } else {
            Window::of_ids(self.offset())
        }
    }

    /// The offset of the message in the history that carried the publish id `key`, or of the one
    /// about to be stored.
    pub fn published(
        &mut self,
        key: &str,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<Option<u64>> {
        if !self.ids.loaded {
            let floor = self.window(now, limits).floor;
            self.ids = Ids::default();
            if limits.history_messages > 0 {
                store.ids(floor, &mut |head, ids| self.ids.load(&head, ids))?;
            }
            self.ids.loaded = true;
        }
        Ok(self.ids.offset(key, &self.memory(now, limits)))
    }

    /// Remembers the id of a message that the next flush stores.
    pub fn remember(&mut self, key: Box<str>, offset: u64, now: u64) {
        let at = now.max(self.at());
        self.ids.insert(key, offset, at, self.total());
    }

    /// Stores the messages of a flush: dense offsets from [`Log::offset`] + 1 on.
    ///
    /// # Errors
    ///
    /// A row could not be written. Messages up to [`Log::offset`] are stored, which may be some of
    /// these; the others are not.
    pub fn append<'a>(
        &mut self,
        now: u64,
        messages: impl Iterator<Item = (u64, &'a str, &'a [ConnectionId])>,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<()> {
        let at = now.max(self.at());
        let keep = limits.history_messages > 0;
        let mut draft = Draft::new(self.offset());
        for (offset, text, without) in messages {
            if draft.is_full(text.len(), limits) {
                let next = Draft::new(offset.saturating_sub(1));
                self.write(std::mem::replace(&mut draft, next), at, limits, store)?;
            }
            draft.push(offset, text, without, keep);
        }
        self.write(draft, at, limits, store)?;
        let memory = self.memory(now, limits);
        self.ids.forget_outside(&memory);
        Ok(())
    }

    fn write(
        &mut self,
        draft: Draft<'_>,
        at: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<()> {
        let mut row = draft.finish(at, self.total());
        if limits.history_messages > 0 {
            row.ids = self.ids.row(row.first, row.last);
        }
        let grown = self.newest.and(&row);
        if may_grow(&self.newest, &grown, self.before, limits) {
            row.total = grown.total;
            store.append(&row, Place::Onto(grown.first))?;
            self.newest = grown;
        } else {
            let window = Window::new(row.last, row.total, at, limits);
            let left = self.oldest.filter(|oldest| !window.holds(oldest));
            let place = left.map_or(Place::New, |oldest| Place::Over(oldest.first));
            store.append(&row, place)?;
            let overwritten = place == Place::Over(self.newest.first);
            self.before = if overwritten { 0 } else { self.newest.at };
            self.newest = row.head();
            if left.is_some() {
                self.oldest = None;
            }
        }
        self.ids.settle(&self.newest);
        if self.oldest.is_none() {
            // Should this fail, the messages are stored all the same, and the next ones look again.
            self.oldest = oldest(store).unwrap_or_default();
        }
        if self.lies_too_much(limits) {
            // Likewise.
            let _ = self.forget_outside(at, limits, store);
        }
        Ok(())
    }

    /// Whether the rows in storage hold more than twice what the history may.
    fn lies_too_much(&self, limits: &Limits) -> bool {
        let Some(oldest) = self.oldest else {
            return false;
        };
        let bytes = self.total().saturating_sub(oldest.from_byte());
        let messages = self.offset().saturating_sub(oldest.first);
        let most = limits.history_messages.saturating_mul(2);
        bytes > limits.history_bytes.saturating_mul(2)
            || messages > most.saturating_add(ROW_MESSAGES)
    }

    /// Takes from storage what has left the history because of its age, or because the limits are
    /// lower than they were.
    pub fn forget_expired(
        &mut self,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<()> {
        if self.oldest.is_none() && self.offset() > 0 {
            self.oldest = oldest(store)?;
        }
        let window = self.window(now, limits);
        let expired = self.oldest.is_some_and(|oldest| {
            window.has_expired(&oldest) && (oldest.first < self.newest.first || oldest.bytes > 0)
        });
        if expired || self.lies_too_much(limits) {
            self.forget_outside(now, limits, store)?;
        }
        Ok(())
    }

    /// Deletes the rows outside the history. The newest one stays, since it tells the offset; if it has
    /// expired it loses its text.
    fn forget_outside(
        &mut self,
        now: u64,
        limits: &Limits,
        store: &mut dyn Store,
    ) -> StoreResult<()> {
        let window = self.window(now, limits);
        let mut first = self.newest.first;
        store.heads(0, Direction::Forward, &mut |head| {
            if !window.holds(&head) {
                return ControlFlow::Continue(());
            }
            first = head.first;
            ControlFlow::Break(())
        })?;
        let text = window.has_expired(&self.newest) && self.newest.bytes > 0;
        // Should anything fail from here on, nothing may be written over a row that has gone.
        self.oldest = None;
        store.forget(first, text)?;
        if text {
            self.newest.bytes = 0;
        }
        if first == self.newest.first {
            self.before = 0;
        }
        self.oldest = oldest(store)?;
        Ok(())
    }

    /// How many ids are remembered.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn ids(&self) -> usize {
        self.ids.count()
    }

    /// Forgets the ids of messages that could not be stored.
    pub fn revoke(&mut self) {
        self.ids.forget_after(self.offset());
    }
}

/// The oldest row in storage.
fn oldest(store: &mut dyn Store) -> StoreResult<Option<LogHead>> {
    let mut found = None;
    store.heads(0, Direction::Forward, &mut |head| {
        found = Some(head);
        ControlFlow::Break(())
    })?;
    Ok(found)
}
