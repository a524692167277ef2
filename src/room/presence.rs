//! Becoming a member and ceasing to be one: the row first, then what the others are told (P2, R5).

use std::collections::BTreeSet;
use std::rc::Rc;

use super::connection::User;
use super::members::Member;
use super::outbox::Audience;
use super::{MemberRow, Room, Turn};
use crate::protocol::{ConnectionId, Error, Json, server};

/// After this many milliseconds a row that could not be deleted is tried again.
const RETRY_AFTER: u64 = 1_000;

/// Rows of members that have left, which could not be deleted yet. Forgotten, they would become
/// ghosts when the room restarts.
#[derive(Debug, Default)]
pub struct Owed {
    rows: BTreeSet<ConnectionId>,
    /// When to try again; `None` if nothing is owed.
    pub retry_at: Option<u64>,
}

impl Owed {
    /// Adds a row, to be deleted from `at` on.
    pub fn owe(&mut self, id: ConnectionId, at: u64) {
        self.rows.insert(id);
        self.retry_at = Some(self.retry_at.map_or(at, |retry_at| retry_at.min(at)));
    }
}

impl Room {
    /// Makes it a member. The row is written before anybody is told.
    pub(super) fn enter(
        &mut self,
        id: ConnectionId,
        user: &Rc<User>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        let (info, at) = (user.info.clone(), turn.now);
        let user_id = user.id.to_string();
        let row = MemberRow {
            connection: id,
            user: user_id,
            info,
            state: Json::NULL,
            at,
        };
        turn.store
            .put_member(&row)
            .map_err(|error| turn.refused("join", &error))?;
        self.owed.rows.remove(&id);
        // Should a crowd end right now, the list that ends it comes before the join.
        self.judge_crowd(turn);
        let (user, state) = (user.clone(), row.state);
        self.members.insert(
            id,
            Member {
                user,
                state,
                at,
                kept: false,
            },
        );
        self.judge_crowd(turn);
        Ok(())
    }

    /// Tells the others of a new member.
    pub(super) fn tell_join(&mut self, id: ConnectionId) {
        if self.meta.crowded {
            return;
        }
        if let Some(member) = self.members.get(id) {
            let view = member.view(id);
            self.outbox
                .share(Audience::Presence, Box::new([id]), |out| {
                    server::join(out, &view)
                });
        }
    }

    /// The member leaves, if it is one; its connection may stay.
    pub(super) fn leave(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        if let Err(error) = turn.store.delete_member(id) {
            turn.storage_failed("leave", &error, 0);
            self.owed.owe(id, turn.now.saturating_add(RETRY_AFTER));
        }
        if !self.meta.crowded {
            self.outbox
                .share(Audience::Presence, Box::new([id]), |out| {
                    server::leave(out, id, &member.user.id);
                });
        }
    }

    /// Deletes the rows that could not be deleted before.
    pub(super) fn pay_owed(&mut self, turn: &mut Turn<'_>) {
        if self.owed.retry_at.is_none_or(|at| at > turn.now) {
            return;
        }
        self.owed.retry_at = None;
        for id in std::mem::take(&mut self.owed.rows) {
            if let Err(error) = turn.store.delete_member(id) {
                turn.storage_failed("leave", &error, 0);
                self.owed.owe(id, turn.now.saturating_add(RETRY_AFTER));
            }
        }
    }

    /// The attachment has died with the socket: until the member returns or leaves, its row keeps
    /// the state.
    pub(super) fn keep_state(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get(id) else {
            return;
        };
        let (kept, keep) = (member.kept, !member.state.is_null());
        if !kept && !keep {
            return;
        }
        match turn.store.set_state(id, &member.state) {
            Ok(()) => self.members.keep(id, keep),
            Err(error) => turn.storage_failed("state", &error, 0),
        }
    }

    /// The member has a socket again, whose attachment carries the state: what its row keeps would
    /// only grow old.
    pub(super) fn reclaim_state(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        if !self.members.get(id).is_some_and(|member| member.kept) {
            return;
        }
        match turn.store.set_state(id, &Json::NULL) {
            Ok(()) => self.members.keep(id, false),
            Err(error) => turn.storage_failed("state", &error, 0),
        }
    }
}
