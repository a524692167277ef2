//! A room that nobody uses any more erases itself (N9), so that it costs nothing for ever after.
//!
//! An alarm is billed as a row each time it is set, and wakes the object. So it is set when the last
//! connection has left, and when the room is first written without one; never for a message. If
//! somebody was there meanwhile, or something was said, it is set once more. Hence every room that is in
//! storage has an alarm: this one, or the next look at those who are there.
//!
//! Nothing in storage says when the last one left, which would cost rows. It need not: whoever is there
//! keeps an earlier look in the alarm's place, and whoever goes puts this one back, so an alarm that
//! finds nobody was set when nobody was there. After a crash it may be a look; then the members' rows
//! tell that there was somebody, and connections that are no members come back or miss nothing.

use super::connection::silence;
use super::{Action, Event, Fresh, Room, Turn};

/// Since when nobody is there.
#[derive(Debug, Default)]
pub struct Vacancy {
    /// Somebody was there when last looked at, or might have come back.
    occupied: bool,
    /// When the last one went, as far as memory goes.
    since: u64,
}

impl Vacancy {
    /// Who is there as the room wakes may go with the event that wakes it.
    pub fn restored(occupied: bool) -> Vacancy {
        Vacancy { occupied, since: 0 }
    }

    /// The clock was set back to `now`.
    pub fn set_back(&mut self, now: u64) {
        self.since = self.since.min(now);
    }
}

impl Room {
    /// Whether somebody is there, or may come back within the grace.
    pub(super) fn is_occupied(&self) -> bool {
        !self.connections.is_empty() || !self.absent.is_empty()
    }

    /// Sets the alarm when the last one has gone, and if there is none.
    pub(super) fn note_vacancy(&mut self, turn: &mut Turn<'_>) {
        let occupied = self.is_occupied();
        let left = std::mem::replace(&mut self.vacancy.occupied, occupied) && !occupied;
        if left {
            self.vacancy.since = turn.now;
        }
        if !self.known || (!left && self.has_alarm) {
            return;
        }
        let at = turn.now.max(self.log.at()).saturating_add(self.patience());
        if left {
            self.set_alarm(at, turn);
        } else {
            self.arm_at(Some(at), turn);
        }
    }

    /// How long a room waits for somebody, in milliseconds: until the last message has left the history,
    /// and no less than it waits to look at those who are there.
    pub(super) fn patience(&self) -> u64 {
        let most = self.limits.history_ms.max(silence(&self.limits));
        // To the millisecond a message is still in the history.
        most.saturating_add(1)
    }

    /// The alarm: if nobody has been there for long enough, and nothing is to be remembered or done, the
    /// room ends.
    pub(super) fn judge_vacancy(&mut self, fresh: Fresh, turn: &mut Turn<'_>) {
        // Whoever was there when this event began may be back within the same time as everybody else.
        let busy =
            self.vacancy.occupied || !self.connections.is_empty() || self.next_wake().is_some();
        if busy {
            return;
        }
        // The alarm of bans that a deletion left may come before the time of the room that follows. A clock that
        // was set back since then tells nothing.
        let founded_at = Some(self.meta.created_at).filter(|at| self.known && *at <= turn.now);
        let used_at = self.vacancy.since.max(self.log.at());
        let used_at = used_at.max(founded_at.unwrap_or(0));
        let at = used_at.saturating_add(self.patience());
        if turn.now < at {
            self.set_alarm(at, turn);
            return;
        }
        match self.begin_anew(fresh, turn) {
            Ok(old) => {
                // Nobody is there, but sockets of theirs may be.
                self.stuck = old.stuck;
                if old.known {
                    turn.out.push(Action::Log(Event::Vacated));
                }
            }
            Err(error) => turn.storage_failed("erase", &error, 0),
        }
    }
}
