//! The log: what the room has said, one row for each flush, as far back as the history reaches
//! (N5).
//!
//! A row that has left the history is overwritten in place by the next one, so that a commit costs
//! one row written rather than two. Rows outside the history may therefore still lie in storage; no
//! read shows them.

use std::ops::ControlFlow;

use super::ids::Ids;
use super::row::Draft;
use super::store::{Direction, LogHead, Place, Store, StoreResult};
use super::window::Window;
use crate::protocol::{ConnectionId, Limits};

/// Where the log stands, and the ids in it.
#[derive(Debug, Default)]
pub struct Log {
    /// The newest row; all zeros before the first.
    newest: LogHead,
    /// The oldest row in storage; `None` if there is none, or if it is to be looked up again.
    oldest: Option<LogHead>,
    ids: Ids,
}

impl Log {
    /// Reads where the log stands.
    pub fn restore(store: &mut dyn Store) -> StoreResult<Log> {
        Ok(Log {
            newest: end(Direction::Backward, store)?.unwrap_or_default(),
            oldest: end(Direction::Forward, store)?,
            ids: Ids::default(),
        })
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
        let window = Window::new(row.last, row.total, at, limits);
        let place = match &self.oldest {
            Some(oldest) if !window.holds(oldest) => Place::Over(oldest.first),
            _ => Place::New,
        };
        store.append(&row, place)?;
        self.newest = row.head();
        self.ids.settle(&self.newest);
        if place != Place::New || self.oldest.is_none() {
            // Should this fail, the row is stored all the same, and the next one looks again.
            self.oldest = end(Direction::Forward, store).unwrap_or_default();
        }
        Ok(())
    }

    /// Forgets the ids of messages that could not be stored.
    pub fn revoke(&mut self) {
        self.ids.forget_after(self.offset());
    }
}

/// The oldest (`Forward`) or the newest (`Backward`) row there is.
fn end(direction: Direction, store: &mut dyn Store) -> StoreResult<Option<LogHead>> {
    let mut found = None;
    store.heads(0, direction, &mut |head| {
        found = Some(head);
        ControlFlow::Break(())
    })?;
    Ok(found)
}
