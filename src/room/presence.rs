//! Becoming a member and ceasing to be one: the row first, then what the others are told (P2, R5).

use std::rc::Rc;

use super::connection::User;
use super::members::Member;
use super::{MemberRow, Room, Turn};
use crate::protocol::{ConnectionId, Error, Json, server};

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
        self.owed.forgive_leave(id);
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
            self.outbox.roster(id, |out| server::join(out, &view));
        }
    }

    /// The member leaves, if it is one; its connection may stay.
    pub(super) fn leave(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        self.write_leave(id, turn);
        if !self.meta.crowded {
            self.outbox
                .roster(id, |out| server::leave(out, id, &member.user.id));
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
