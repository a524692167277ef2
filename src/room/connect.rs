//! Arriving: who is let in, and who gets their old place back (R1, N7).

use std::rc::Rc;

use super::connection::{Connection, Kind, Link, User};
use super::rate::{Faults, Rate};
use super::{Absent, Action, Connect, Room, Turn};
use crate::protocol::{ConnectionId, Error, ErrorCode};

/// Connection ids are counted in steps of this many a millisecond.
const IDS_PER_MS: u64 = 16;

/// The first offset of a session whose connection had no right to subscribe: no message is after it, so
/// that whoever gets the right later cannot claim what was said before (R2).
const NOTHING_HEARD: u64 = u64::MAX;

/// The session that a secret has proved.
#[derive(Copy, Clone, Debug)]
pub(super) struct Session {
    pub connection: ConnectionId,
    pub first_offset: u64,
}

/// What a connection takes over from its session's earlier socket, or from its user's others.
struct Inherited {
    rate: Rate,
    faults: Faults,
}

impl Room {
    pub(super) fn connect(&mut self, connect: Connect, turn: &mut Turn<'_>) {
        let link = connect.link;
        if let Err(error) = self.admit(connect, turn) {
            turn.out.push(Action::Refuse { link, error });
        }
    }

    fn admit(&mut self, connect: Connect, turn: &mut Turn<'_>) -> Result<(), Error> {
        let Connect {
            link,
            kind,
            grant,
            epoch,
            offset,
            session,
        } = connect;
        let banned_until = self.check_ban(&grant.user, turn)?;
        self.rates.arrive(&grant.user, turn.now, &self.limits)?;
        self.stuck.check(&grant.user, &self.limits)?;
        let session = session
            .and_then(|secret| self.session(kind, &grant.user, &secret))
            .filter(|session| !self.ended_by_ban(*session, banned_until));
        if !session.is_some_and(|session| self.has_place(session.connection)) {
            self.check_capacity(&grant.user)?;
        }
        self.found(turn)?;

        let id = self.next_id(turn.now, session)?;
        // A member's info stays as it was when it joined: the others have been told that one.
        let user = match self.members.get(id) {
            Some(member) => member.user.clone(),
            None => Rc::new(User {
                id: grant.user,
                info: grant.info,
            }),
        };
        let mut connection = Connection::new(id, kind, user, grant.can, turn.now);
        connection.expires_at = grant.expires_at;
        connection.first_offset = match session.map(|session| session.first_offset) {
            _ if !connection.subscribes() => NOTHING_HEARD,
            None | Some(NOTHING_HEARD) => self.log.offset(),
            Some(first_offset) => first_offset,
        };
        let asked = epoch.is_some() || offset.is_some();
        let missed = if asked {
            self.missed(
                epoch.as_deref(),
                offset.as_deref(),
                session,
                &connection,
                turn,
            )?
        } else {
            None
        };
        let joins = connection.is_member() && !self.members.contains(id);
        if joins {
            self.enter(id, &connection.user, turn)?;
        }

        let inherited = self.take_over(&connection, turn);
        (connection.rate, connection.faults) = (inherited.rate, inherited.faults);
        turn.out.push(Action::Accept {
            link,
            connection: id,
        });
        if joins {
            self.tell_join(id);
        } else {
            self.reclaim_state(id, turn);
        }
        connection.since = self.outbox.len();
        if connection.since > 0 {
            self.arrived.push(link);
        }
        self.welcome(link, &connection, asked.then_some(missed), turn);
        self.link_up(link, connection);
        if !kind.is_stream() {
            self.save(link, turn);
        }
        self.arm(link, turn);
        Ok(())
    }

    /// Also asked when storage knows nothing of the room: bans outlive its deletion (H5).
    /// Gives the end of the user's last ban.
    pub(super) fn check_ban(&self, user: &str, turn: &mut Turn<'_>) -> Result<Option<u64>, Error> {
        match turn.store.ban(user) {
            Ok(Some(until)) if until > turn.now => Err(Error::new(ErrorCode::Banned)),
            Ok(until) => Ok(until),
            Err(error) => Err(turn.refused("ban", &error)),
        }
    }

    /// A ban ends the user's sessions (H4): they could claim what was said during it. None begins while
    /// it lasts, so it is those whose connection ids, which are times, are from before its end.
    fn ended_by_ban(&self, session: Session, banned_until: Option<u64>) -> bool {
        banned_until.is_some_and(|until| session.connection.get() < self.first_id(until))
    }

    /// The least connection id that is given at this time.
    fn first_id(&self, at: u64) -> u64 {
        at.saturating_sub(self.meta.created_at)
            .saturating_mul(IDS_PER_MS)
    }

    /// Connections within their grace keep their place: whoever comes back finds it.
    fn check_capacity(&self, user: &str) -> Result<(), Error> {
        let places = self.occupancy().connections;
        if places >= self.limits.connections {
            return Err(Error::new(ErrorCode::RoomFull));
        }
        let own = self.users.get(user).map_or(0, |seats| seats.len());
        if own >= self.limits.connections_per_user {
            return Err(Error::new(ErrorCode::UserFull));
        }
        Ok(())
    }

    pub(super) fn has_place(&self, connection: ConnectionId) -> bool {
        self.links.contains_key(&connection) || self.absent.contains_key(&connection)
    }

    /// The session that a secret proves. Streams have none.
    fn session(&self, kind: Kind, user: &str, secret: &str) -> Option<Session> {
        if kind.is_stream() {
            return None;
        }
        let (connection, first_offset) =
            self.session_key().verify(secret, &self.meta.epoch, user)?;
        // Should a clock that was set back ever make an id come twice, nobody loses a place to it.
        let stranger = self
            .user_of(connection)
            .is_some_and(|there| *there != *user);
        (!stranger).then_some(Session {
            connection,
            first_offset,
        })
    }

    /// The session's connection id, or a new one: the time since the epoch began, so that it is
    /// short, and never the same twice without a counter in storage.
    fn next_id(&mut self, now: u64, session: Option<Session>) -> Result<ConnectionId, Error> {
        if let Some(session) = session {
            // It may be ahead of the count: by a clock that was set back, after a wake.
            self.last_connection = self.last_connection.max(session.connection.get());
            return Ok(session.connection);
        }
        let next = self
            .first_id(now.max(self.log.at()))
            .max(self.last_connection.saturating_add(1));
        self.last_connection = next;
        ConnectionId::new(next).ok_or_else(|| Error::new(ErrorCode::Internal))
    }

    /// Ends what was there of this session: an older socket (4504), or a drop within its grace.
    fn take_over(&mut self, connection: &Connection, turn: &mut Turn<'_>) -> Inherited {
        let id = connection.id;
        let mut inherited = Inherited {
            rate: self.rates.left(&connection.user.id),
            faults: Faults::default(),
        };
        if let Some(Absent { rate, faults, .. }) = self.forget_absent(id) {
            inherited = Inherited { rate, faults };
        }
        if let Some(link) = self.links.get(&id).copied()
            && let Some(old) = self.unlink(link)
        {
            inherited = Inherited {
                rate: old.rate,
                faults: old.faults,
            };
            turn.out.push(Action::Close {
                link,
                code: ErrorCode::Replaced.close(),
                reason: ErrorCode::Replaced.as_str().to_owned(),
                left: self.stuck.closed(link, old.user.id.clone()),
            });
        }
        if !connection.is_member() {
            self.leave(id, turn);
        }
        inherited
    }

    /// Enters a connection into the room's books.
    pub(super) fn link_up(&mut self, link: Link, connection: Connection) {
        self.seat(connection.id, &connection.user.id);
        self.links.insert(connection.id, link);
        if connection.kind == Kind::PlainSocket {
            self.plain = self.plain.saturating_add(1);
        }
        self.connections.insert(link, connection);
    }

    /// Takes a connection out of the room's books.
    pub(super) fn unlink(&mut self, link: Link) -> Option<Connection> {
        let connection = self.connections.remove(&link)?;
        self.links.remove(&connection.id);
        self.unseat(connection.id, &connection.user.id);
        if connection.kind == Kind::PlainSocket {
            self.plain = self.plain.saturating_sub(1);
        }
        Some(connection)
    }

    /// Counts a connection as one of its user's.
    pub(super) fn seat(&mut self, connection: ConnectionId, user: &str) {
        if let Some(seats) = self.users.get_mut(user) {
            seats.insert(connection);
        } else {
            self.users.insert(user.into(), [connection].into());
        }
    }

    pub(super) fn unseat(&mut self, connection: ConnectionId, user: &str) {
        if let Some(seats) = self.users.get_mut(user) {
            seats.remove(&connection);
            if seats.is_empty() {
                self.users.remove(user);
            }
        }
    }
}
