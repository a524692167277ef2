//! Leaving: drops and their grace, connections that the room closes, silence, and the alarm (R4, R5, C4, T5).

use super::connection::{Connection, Link, silence};
use super::outbox::{Audience, Delivery, event};
use super::{Absent, Action, Event, Room, Turn};
use crate::protocol::{ConnectionId, Error, ErrorCode, server};

/// How long a token counts after its end, in milliseconds (T2).
const LEEWAY: u64 = 5_000;
/// Ends of tokens are looked at on this grid, in milliseconds, so that many of them share an alarm.
const EXPIRY_GRID: u64 = 5_000;
/// Grace after a tab was closed or reloaded, in milliseconds (R4).
const GRACE_GOING_AWAY: u64 = 2_000;

impl Room {
    /// What carried a connection has ended.
    pub(super) fn drop_link(&mut self, link: Link, code: u16, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.remove(&link) else {
            return;
        };
        self.links.remove(&connection.id);
        let grace = if connection.kind.is_stream() {
            0
        } else {
            self.grace(code)
        };
        if grace == 0 {
            if connection.rate.full_at() > turn.now {
                self.resting.insert(connection.id, connection.rate);
            }
            self.unseat(connection.id, &connection.user.id);
            self.leave(connection.id, turn);
            return;
        }
        self.keep_state(connection.id, turn);
        let leave_at = turn.now.saturating_add(grace);
        let Connection {
            id,
            user,
            rate,
            faults,
            ..
        } = connection;
        self.leaves.insert((leave_at, id));
        self.absent.insert(
            id,
            Absent {
                leave_at,
                user: user.id.clone(),
                rate,
                faults,
            },
        );
    }

    fn grace(&self, code: u16) -> u64 {
        match code {
            4504 => self.limits.grace_ms,
            1000 | 1005 | 4102 | 4500..=4999 => 0,
            1001 => GRACE_GOING_AWAY.min(self.limits.grace_ms),
            _ => self.limits.grace_ms,
        }
    }

    /// The attachment has died with the socket: until the member returns or leaves, its row keeps the state.
    fn keep_state(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get(id) else {
            return;
        };
        if member.state.is_null() {
            return;
        }
        if let Err(error) = turn.store.set_state(id, &member.state) {
            turn.storage_failed("state", &error, 0);
        }
    }

    /// Ends the absence of a connection that has come back, or that is to leave.
    pub(super) fn forget_absent(&mut self, id: ConnectionId) -> Option<Absent> {
        let absent = self.absent.remove(&id)?;
        self.leaves.remove(&(absent.leave_at, id));
        self.unseat(id, &absent.user);
        Some(absent)
    }

    /// The connection is gone for good.
    pub(super) fn leave(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        if self.members.contains(id) {
            self.leave_presence(id, turn);
        }
    }

    /// The member leaves; its connection may stay.
    pub(super) fn leave_presence(&mut self, id: ConnectionId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        if let Err(error) = turn.store.delete_member(id) {
            turn.storage_failed("leave", &error, 0);
        }
        if !self.meta.crowded {
            self.outbox
                .share(Audience::Presence, None, Box::new([id]), |out| {
                    server::leave(out, id, &member.user.id);
                });
        }
    }

    /// Closes a connection for what it did: it is told why, then its link ends with the error's close code.
    pub(super) fn close(&mut self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let (id, user, is_stream) = (
            connection.id,
            connection.user.id.clone(),
            connection.kind.is_stream(),
        );
        if self.outbox.concerns(id) {
            self.flush(turn);
        }
        turn.out.push(Action::Log(Event::Closed {
            connection: id,
            user,
            error: error.code.as_str(),
        }));
        if !is_stream {
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

    /// Ends a link. A socket learns why from its close code; a stream has none, and gets the error as its last event.
    pub(super) fn say_goodbye(&self, link: Link, error: &Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        if connection.kind.is_stream() {
            let mut text = String::new();
            event(&mut text, &error.to_frame(), None, &self.meta.epoch);
            turn.out.push(Action::Stream(Delivery {
                to: vec![link],
                text,
            }));
        }
        turn.out.push(Action::Close {
            link,
            code: error.code.close(),
            reason: error.message.to_string(),
        });
    }

    /// Asks for an alarm in time for what may befall this connection.
    ///
    /// When the alarm is not known (the room was just restored, or it is the first connection) it is set for all of
    /// them, so an earlier wish that is replaced is never missed.
    pub(super) fn arm(&mut self, link: Link, turn: &mut Turn<'_>) {
        let at = match self.alarm_at {
            Some(_) => self
                .connections
                .get(&link)
                .and_then(|connection| self.look_at(connection, 0, turn.now)),
            None => self
                .connections
                .values()
                .filter_map(|connection| self.look_at(connection, 0, turn.now))
                .min(),
        };
        self.arm_at(at, turn);
    }

    fn arm_at(&mut self, at: Option<u64>, turn: &mut Turn<'_>) {
        if let Some(at) = at
            && self.alarm_at.is_none_or(|armed| at < armed)
        {
            self.alarm_at = Some(at);
            turn.out.push(Action::Alarm { at });
        }
    }

    /// When the room has to look at a connection again. Never sooner than after a whole period of silence, for that alone.
    fn look_at(&self, connection: &Connection, pinged_at: u64, now: u64) -> Option<u64> {
        let silent = connection.silent_at(pinged_at, &self.limits);
        let silent = silent.map(|at| at.max(now.saturating_add(silence(&self.limits))));
        let expires = connection.expires_at.map(|at| {
            at.saturating_add(LEEWAY)
                .div_ceil(EXPIRY_GRID)
                .saturating_mul(EXPIRY_GRID)
        });
        silent.into_iter().chain(expires).min()
    }

    /// Whether a connection's token has ended, leeway included.
    pub(super) fn expired(connection: &Connection, now: u64) -> bool {
        connection
            .expires_at
            .is_some_and(|at| now >= at.saturating_add(LEEWAY))
    }

    /// The alarm: closes who has fallen silent and whose token has ended, and asks for the next look.
    pub(super) fn sweep(&mut self, pings: &[(Link, u64)], turn: &mut Turn<'_>) {
        self.alarm_at = None;
        let pings: std::collections::BTreeMap<Link, u64> = pings.iter().copied().collect();
        let mut next = None;
        let mut ended = Vec::new();
        for (link, connection) in &self.connections {
            let pinged_at = pings.get(link).copied().unwrap_or(0);
            if Self::expired(connection, turn.now) {
                ended.push((*link, ErrorCode::TokenExpired));
            } else if connection
                .silent_at(pinged_at, &self.limits)
                .is_some_and(|at| at <= turn.now)
            {
                ended.push((*link, ErrorCode::Silent));
            } else if let Some(at) = self.look_at(connection, pinged_at, turn.now) {
                next = Some(next.map_or(at, |next: u64| next.min(at)));
            }
        }
        for (link, code) in ended {
            self.close(link, &Error::new(code), turn);
        }
        self.arm_at(next, turn);
    }
}
