//! Looking after connections that say nothing: silence, ends of tokens, and the alarm (C4, T5).
//!
//! All looks lie on a grid of the room's own, so that they are rare, so that many connections share
//! one, and so that they fall at the same times whether the room was put away meanwhile or not.

use super::connection::{Connection, silence};
use super::{Action, Fresh, Link, Room, Turn};
use crate::auth::LEEWAY_MS;
use crate::protocol::{Error, ErrorCode};

/// Ends of tokens are looked at on this grid, in milliseconds.
const EXPIRY_GRID: u64 = 5_000;

impl Room {
    /// Asks for an alarm in time for what may befall this connection.
    pub(super) fn arm(&mut self, link: Link, turn: &mut Turn<'_>) {
        if self.alarm_at.is_none() {
            // It is the first connection, or the room has just woken: the wish that stands from
            // before is replaced by one for all of them.
            self.arm_for_all(turn);
        } else {
            let connection = self.connections.get(&link);
            let at = connection.and_then(|connection| self.look_at(connection, 0, turn.now));
            self.arm_at(at, turn);
        }
    }

    pub(super) fn arm_for_all(&mut self, turn: &mut Turn<'_>) {
        let looks = self
            .connections
            .values()
            .filter_map(|c| self.look_at(c, 0, turn.now));
        let at = looks.min();
        self.arm_at(at, turn);
    }

    pub(super) fn arm_at(&mut self, at: Option<u64>, turn: &mut Turn<'_>) {
        if let Some(at) = at
            && self.alarm_at.is_none_or(|armed| at < armed)
        {
            self.set_alarm(at, turn);
        }
    }

    pub(super) fn set_alarm(&mut self, at: u64, turn: &mut Turn<'_>) {
        (self.has_alarm, self.alarm_at) = (true, Some(at));
        turn.out.push(Action::Alarm { at });
    }

    /// When the room has to look at a connection next, if it last pinged at `pinged_at`.
    fn look_at(&self, connection: &Connection, pinged_at: u64, now: u64) -> Option<u64> {
        // A time that is past by what is known here is none: the pings may not be known.
        let silent = connection.silent_at(pinged_at, &self.limits);
        let silent = silent.map(|at| self.on_grid(at.max(now), silence(&self.limits)));
        let at = silent
            .into_iter()
            .chain(self.expires_at(connection))
            .min()?;
        // A stream is never silent, and its token may hold for years. What has expired would lie on the disk for as
        // long (N5), and for a time after 2262 the runtime sets no alarm at all (workerd, 2026-11).
        let most = now.saturating_add(self.patience());
        Some(if connection.kind.is_stream() {
            at.min(most)
        } else {
            at
        })
    }

    /// When a connection is closed for its token.
    fn expires_at(&self, connection: &Connection) -> Option<u64> {
        let at = connection.expires_at?;
        Some(self.on_grid(at.saturating_add(LEEWAY_MS), EXPIRY_GRID))
    }

    /// The first look at or after `at`. Rooms do not look at the same time as each other.
    fn on_grid(&self, at: u64, step: u64) -> u64 {
        let shift = self.meta.created_at.checked_rem(step).unwrap_or(0);
        let steps = at.saturating_sub(shift).div_ceil(step.max(1));
        steps.saturating_mul(step).saturating_add(shift)
    }

    /// Whether a connection's token has ended, leeway included.
    pub(super) fn expired(connection: &Connection, now: u64) -> bool {
        connection
            .expires_at
            .is_some_and(|at| now >= at.saturating_add(LEEWAY_MS))
    }

    /// The alarm: closes who has fallen silent and whose token has ended, and asks for the next
    /// look. If nobody is there any more, the room may end itself.
    pub(super) fn sweep(&mut self, pings: &[(Link, u64)], fresh: Fresh, turn: &mut Turn<'_>) {
        (self.has_alarm, self.alarm_at) = (false, None);
        let now = turn.now;
        let pings: crate::map::Map<Link, u64> = pings.iter().copied().collect();
        let mut next = None;
        let mut ended = Vec::new();
        for (link, connection) in &self.connections {
            let pinged_at = pings.get(link).copied().unwrap_or(0).min(now);
            let silent = connection.silent_at(pinged_at, &self.limits);
            let silent = silent.map(|at| self.on_grid(at, silence(&self.limits)));
            if self.expires_at(connection).is_some_and(|at| at <= now) {
                ended.push((connection.id, *link, ErrorCode::TokenExpired));
            } else if silent.is_some_and(|at| at <= now) {
                ended.push((connection.id, *link, ErrorCode::Silent));
            } else if let Some(at) = self.look_at(connection, pinged_at, now) {
                next = Some(next.map_or(at, |next: u64| next.min(at)));
            }
        }
        // By age, which does not depend on how often the room was put away.
        ended.sort_unstable_by_key(|(id, _, _)| *id);
        for (_, link, code) in ended {
            self.close(link, &Error::new(code), turn);
        }
        self.arm_at(next, turn);
        self.judge_vacancy(fresh, turn);
        self.look_at_storage(turn);
    }
}
