//! Leaving: drops and their grace, and connections that the room closes (R4, R5).

use super::counters::Count;
use super::delivery::Delivery;
use super::rate::{Faults, Rate};
use super::{Action, Event, Link, Room, Turn, body};
use crate::protocol::{ConnectionId, Error};

/// Grace after a tab was closed or reloaded, in milliseconds (R4).
const GRACE_GOING_AWAY: u64 = 2_000;

/// A connection that has dropped and may come back as if nothing had happened (R4).
#[derive(Debug)]
pub struct Absent {
    pub leave_at: u64,
    pub user: Box<str>,
    pub rate: Rate,
    pub faults: Faults,
}

impl Room {
    /// What carried a connection has ended.
    pub(super) fn drop_link(&mut self, link: Link, code: u16, turn: &mut Turn<'_>) {
        let Some(connection) = self.unlink(link) else {
            return;
        };
        let grace = if connection.kind.is_stream() {
            0
        } else {
            self.grace(code)
        };
        self.rates
            .leave(&connection.user.id, connection.rate, turn.now);
        if grace == 0 {
            self.leave(connection.id, turn);
            return;
        }
        self.keep_state(connection.id, turn);
        let absent = Absent {
            leave_at: turn.now.saturating_add(grace),
            user: connection.user.id.clone(),
            rate: connection.rate,
            faults: connection.faults,
        };
        self.begin_absence(connection.id, absent);
    }

    fn grace(&self, code: u16) -> u64 {
        match code {
            4504 => self.limits.grace_ms,
            1000 | 1005 | 4102 | 4500..=4999 => 0,
            1001 => GRACE_GOING_AWAY.min(self.limits.grace_ms),
            _ => self.limits.grace_ms,
        }
    }

    /// A connection is gone, but keeps its place until `absent.leave_at`.
    pub(super) fn begin_absence(&mut self, id: ConnectionId, absent: Absent) {
        self.seat(id, &absent.user);
        self.leaves.insert((absent.leave_at, id));
        self.absent.insert(id, absent);
    }

    /// Ends the absence of a connection that has come back, or that is to leave.
    pub(super) fn forget_absent(&mut self, id: ConnectionId) -> Option<Absent> {
        let absent = self.absent.remove(&id)?;
        self.leaves.remove(&(absent.leave_at, id));
        self.unseat(id, &absent.user);
        Some(absent)
    }

    /// A connection that has not come back leaves; false if it was not absent.
    pub(super) fn end_absence(&mut self, id: ConnectionId, turn: &mut Turn<'_>) -> bool {
        if self.forget_absent(id).is_none() {
            return false;
        }
        self.leave(id, turn);
        true
    }

    /// Closes a connection for what it did: it is told why, then its link ends with the error's
    /// close code.
    pub(super) fn close(&mut self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        if self.outbox.concerns(connection.id) {
            // It gets its last answers before the end.
            self.flush(turn);
        }
        self.cut(link, error, turn);
    }

    /// The same, but it gets nothing of what waits for the tick.
    pub(super) fn cut(&mut self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let id = connection.id;
        let (user, is_stream) = (connection.user.id.clone(), connection.kind.is_stream());
        self.counters.errors(error.code, 1);
        let code = error.code.as_str();
        turn.out.push(Action::Log(Event::Closed {
            connection: id,
            user,
            error: code,
        }));
        if !is_stream {
            self.counters.one(Count::MessagesSent);
            turn.out.push(Action::Send(Delivery {
                to: vec![link],
                text: error.to_frame(),
            }));
        }
        self.end(link, error, turn);
    }

    /// Ends a link, with what that means for the room.
    pub(super) fn end(&mut self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        self.say_goodbye(link, error, turn);
        self.drop_link(link, error.code.close(), turn);
    }

    /// Ends a link. A socket learns why from its close code; a stream has none, and gets the error
    /// as its last event.
    pub(super) fn say_goodbye(&mut self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let left = self.stuck.closed(link, connection.user.id.clone());
        if connection.kind.is_stream() {
            self.counters.one(Count::MessagesSent);
            let mut text = String::new();
            body::event(&mut text, &error.to_frame(), None, &self.meta.epoch);
            turn.out.push(Action::Stream(Delivery {
                to: vec![link],
                text,
            }));
        }
        turn.out.push(Action::Close {
            link,
            code: error.code.close(),
            reason: error.message.to_string(),
            left,
        });
    }
}
