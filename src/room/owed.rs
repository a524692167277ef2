//! Writes that failed, though what they write has been told already: they are tried again until
//! they succeed, and the room stays in memory for it.

use std::collections::BTreeSet;

use super::{Room, Turn};
use crate::protocol::ConnectionId;

/// After this many milliseconds a write that failed is tried again.
const RETRY_AFTER: u64 = 1_000;

/// What storage is owed.
#[derive(Debug, Default)]
pub struct Owed {
    /// Rows of members that have left. Forgotten, they would become ghosts.
    leaves: BTreeSet<ConnectionId>,
    /// That the room has become crowded, or has ceased to be (P4).
    crowd: bool,
    /// When to try again; `None` if nothing is owed.
    pub retry_at: Option<u64>,
}

impl Owed {
    /// Adds a member's row, to be deleted from `at` on.
    pub fn owe_leave(&mut self, id: ConnectionId, at: u64) {
        self.leaves.insert(id);
        self.retry_at = Some(self.retry_at.map_or(at, |retry_at| retry_at.min(at)));
    }

    /// A member's row is there rightly.
    pub fn forgive_leave(&mut self, id: ConnectionId) {
        self.leaves.remove(&id);
    }
}

impl Room {
    /// Deletes a member's row.
    pub(super) fn write_leave(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        if let Err(error) = turn.store.delete_member(id) {
            turn.storage_failed("leave", &error, 0);
            self.owed
                .owe_leave(id, turn.now.saturating_add(RETRY_AFTER));
        }
    }

    /// Keeps whether the room is crowded.
    pub(super) fn write_crowd(&mut self, turn: &mut Turn<'_>) {
        self.owed.crowd = !self.put_meta(turn);
        if self.owed.crowd {
            let at = turn.now.saturating_add(RETRY_AFTER);
            self.owed.retry_at.get_or_insert(at);
        }
    }

    /// Tries again what is due.
    pub(super) fn pay_owed(&mut self, turn: &mut Turn<'_>) {
        if self.owed.retry_at.is_none_or(|at| at > turn.now) {
            return;
        }
        self.owed.retry_at = None;
        if self.owed.crowd {
            self.write_crowd(turn);
        }
        for id in std::mem::take(&mut self.owed.leaves) {
            self.write_leave(id, turn);
        }
    }
}
