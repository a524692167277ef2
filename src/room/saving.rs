//! Being ready to be put away: what memory knows of a connection goes into its attachment, at most
//! once a second for each, and always before the room can hibernate.

use std::collections::VecDeque;

use super::{Action, Link, Room, StoreError, Turn};

/// A connection's attachment is written at most this often, in milliseconds.
const SAVE_EVERY: u64 = 1_000;

/// Connections whose attachment is to be written, and when.
#[derive(Debug, Default)]
pub struct Saves(VecDeque<(u64, Link)>);

impl Saves {
    /// When the next one is due.
    pub fn next(&self) -> Option<u64> {
        self.0.front().map(|(at, _)| *at)
    }

    /// Adds a connection whose attachment was last written at `saved_at`.
    pub fn push(&mut self, link: Link, saved_at: u64, now: u64) {
        if now.saturating_sub(saved_at) >= SAVE_EVERY {
            self.0.push_front((now, link));
        } else {
            // Later than all others, so that they stay in order.
            self.0.push_back((now.saturating_add(SAVE_EVERY), link));
        }
    }

    fn pop_due(&mut self, now: u64) -> Option<Link> {
        let due = self.next().is_some_and(|at| at <= now);
        if due {
            self.0.pop_front().map(|(_, link)| link)
        } else {
            None
        }
    }
}

impl Room {
    /// Notes that a connection's attachment is out of date.
    pub(super) fn save_later(&mut self, link: Link, now: u64) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if connection.dirty || connection.kind.is_stream() {
            return;
        }
        connection.dirty = true;
        self.saves.push(link, connection.saved_at, now);
    }

    pub(super) fn save_due(&mut self, turn: &mut Turn<'_>) {
        while let Some(link) = self.saves.pop_due(turn.now) {
            self.save(link, turn);
        }
    }

    /// Writes a connection's attachment.
    pub(super) fn save(&mut self, link: Link, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let member = self
            .members
            .get(connection.id)
            .map(|member| (&member.state, member.at));
        connection.dirty = false;
        connection.saved_at = turn.now;
        match connection.attachment(&self.meta.epoch, member) {
            Ok(attachment) => turn.out.push(Action::Attach { link, attachment }),
            Err(error) => turn.storage_failed("attachment", &StoreError(error.to_string()), 0),
        }
    }
}
