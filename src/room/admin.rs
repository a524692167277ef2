//! What an administrator does: removing users, bans, deleting the room (H4, H5).

use super::input::Fresh;
use super::publish::Waiting;
use super::{Action, Event, Link, Meta, Room, StoreResult, Turn};
use crate::auth::Grant;
use crate::protocol::{
    ConnectionId, Error, ErrorCode,
    http::{Disconnect, Target},
};

impl Room {
    /// H4. The ban is written before anybody is closed.
    pub(super) fn disconnect(
        &mut self,
        disconnect: &Disconnect,
        turn: &mut Turn<'_>,
    ) -> Result<String, Error> {
        let user = match &disconnect.target {
            Target::User(user) => Some(user.clone()),
            Target::Connection(id) => self.user_of(*id),
            Target::Nobody => None,
        };
        let banned = disconnect.ban_seconds.is_some_and(|seconds| seconds > 0);
        let ids: Vec<ConnectionId> = match (&disconnect.target, &user) {
            // Whoever is banned is in with no other tab either.
            (Target::Connection(id), _) if !banned => {
                self.has_place(*id).then_some(*id).into_iter().collect()
            }
            (_, Some(user)) => self
                .users
                .get(user)
                .into_iter()
                .flatten()
                .copied()
                .collect(),
            (_, None) => Vec::new(),
        };
        if let (Some(seconds), Some(user)) = (disconnect.ban_seconds, user) {
            self.ban(user, seconds, turn)?;
        }
        let mut error = Error::new(ErrorCode::Removed);
        if let Some(reason) = &disconnect.reason {
            error = error.with_message(reason.to_string());
        }
        let mut closed = 0_u64;
        for id in ids {
            if let Some(link) = self.links.get(&id).copied() {
                closed = closed.saturating_add(1);
                self.end(link, &error, turn);
            } else {
                self.end_absence(id, turn);
            }
        }
        Ok(format!("{{\"closed\":{closed}}}"))
    }

    /// Whose connection this is, if it is there or within its grace.
    pub(super) fn user_of(&self, id: ConnectionId) -> Option<Box<str>> {
        let live = self
            .links
            .get(&id)
            .and_then(|link| self.connections.get(link));
        match live {
            Some(connection) => Some(connection.user.id.clone()),
            None => self.absent.get(&id).map(|absent| absent.user.clone()),
        }
    }

    fn ban(&mut self, user: Box<str>, seconds: u64, turn: &mut Turn<'_>) -> Result<(), Error> {
        if seconds == 0 && matches!(turn.store.ban(&user), Ok(None)) {
            // There is nothing to lift, and so nothing to write (H5).
            return Ok(());
        }
        self.found(turn)?;
        self.check_bans(&user, turn)?;
        // A ban that is lifted stays so when the clock is set back.
        let until = match seconds {
            0 => 0,
            _ => turn.now.saturating_add(seconds.saturating_mul(1_000)),
        };
        if let Err(error) = turn.store.put_ban(&user, until) {
            turn.storage_failed("ban", &error, 0);
            return Err(Error::new(ErrorCode::StorageFailed));
        }
        turn.out.push(Action::Log(Event::Banned { user, until }));
        Ok(())
    }

    /// H5. A new life begins in the same turn; what the old one still had to say is dropped.
    pub(super) fn delete(
        &mut self,
        grant: &Grant,
        fresh: Fresh,
        turn: &mut Turn<'_>,
    ) -> Result<String, Error> {
        let mut old = match self.begin_anew(fresh, turn) {
            Ok(old) => old,
            Err(error) => {
                turn.storage_failed("delete", &error, 0);
                return Err(Error::new(ErrorCode::StorageFailed));
            }
        };
        let error = Error::new(ErrorCode::RoomDeleted);
        for Waiting { request, .. } in &old.waiting {
            turn.out.push(Action::Reply {
                request: *request,
                reply: Err(error.clone()),
            });
        }
        let links: Vec<Link> = old.connections.keys().copied().collect();
        for link in links {
            old.say_goodbye(link, &error, turn);
        }
        // What its readers have left unread outlives the room (E3).
        self.stuck = std::mem::take(&mut old.stuck);
        turn.out.push(Action::Log(Event::Deleted {
            by: grant.user.clone(),
        }));
        Ok("{\"deleted\":true}".to_owned())
    }

    /// Erases everything but unexpired bans, and takes the first breath of the next life; returns what
    /// memory knew of the old one.
    pub(super) fn begin_anew(&mut self, fresh: Fresh, turn: &mut Turn<'_>) -> StoreResult<Room> {
        let bans_until = turn.store.erase(turn.now)?;
        let meta = Meta {
            epoch: fresh.epoch,
            key: fresh.key,
            created_at: turn.now,
            crowded: false,
        };
        let (name, limits) = (self.name.clone(), self.limits.clone());
        let next = Room::empty(name, limits, meta, false, turn.now);
        let mut old = std::mem::replace(self, next);
        self.awake_since = old.awake_since;
        self.timer_at = old.timer_at;
        std::mem::swap(&mut self.counters, &mut old.counters);
        self.rows_told = old.rows_told;
        if let Some(at) = bans_until {
            // What is left goes when the last ban has ended. A room that is founded meanwhile needs an alarm of its
            // own, unless this one comes sooner.
            self.set_alarm(at, turn);
            self.has_alarm = false;
        }
        Ok(old)
    }
}
