//! The log: what the room has said, one row for each flush or for several small ones, as far back as
//! the history reaches (N5).
//!
//! A row that has left the history is overwritten in place by the next one, so that a commit costs
//! one row written rather than two. Rows outside the history may therefore still lie in storage; no
//! read shows them.

use std::ops::ControlFlow;

use super::ids::Ids;
use super::row::{Draft, may_grow};
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
        Ok(())
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
