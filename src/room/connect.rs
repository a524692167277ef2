//! Arriving: who is let in, who gets their old place back, and what they are told first (R1 to R3).

use std::rc::Rc;

use super::connection::{Connection, Kind, Link, User};
use super::log;
use super::members::Member;
use super::outbox::{Audience, Delivery, event};
use super::rate::{Faults, Rate};
use super::{Absent, Action, Connect, MemberRow, Room, Turn};
use crate::auth::Rights;
use crate::protocol::{ConnectionId, Error, ErrorCode, Json, server};

/// Connection ids are counted in steps of this many a millisecond.
const IDS_PER_MS: u64 = 16;

/// The session that a secret has proved.
#[derive(Copy, Clone)]
struct Session {
    connection: ConnectionId,
    first_offset: u64,
}

/// What a connection takes over from its session's earlier socket.
#[derive(Default)]
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
        self.check_ban(&grant.user, turn)?;
        let session = session.filter(|_| !kind.is_stream()).and_then(|secret| {
            let (connection, first_offset) =
                self.session_key()
                    .verify(&secret, &self.meta.epoch, &grant.user)?;
            Some(Session {
                connection,
                first_offset,
            })
        });
        let returning = session.is_some_and(|session| self.has_place(session.connection));
        if !returning {
            self.check_capacity(&grant.user)?;
        }
        self.found(turn)?;

        let mut connection =
            Connection::new(self.next_id(turn.now, session)?, kind, grant, turn.now);
        connection.first_offset = session.map_or(self.log.offset(), |session| session.first_offset);
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
        let joins = connection.is_member() && !self.members.contains(connection.id);
        if joins {
            self.enter(connection.id, &connection.user, turn)?;
        }

        let inherited = self.take_over(&connection, turn);
        (connection.rate, connection.faults) = (inherited.rate, inherited.faults);
        self.seat(connection.id, &connection.user.id);
        self.links.insert(connection.id, link);
        turn.out.push(Action::Accept {
            link,
            connection: connection.id,
        });
        if joins {
            self.tell_join(connection.id);
        }
        connection.since = self.outbox.len();
        if connection.since > 0 {
            self.arrived.push(link);
        }
        let recovered = asked.then_some(missed.is_some());
        let welcome = self.welcome(&connection, recovered, turn.now);
        if kind.is_stream() {
            self.begin_stream(link, &welcome, missed.unwrap_or_default(), turn);
            self.connections.insert(link, connection);
        } else {
            turn.out.push(Action::Send(Delivery {
                to: vec![link],
                text: welcome,
            }));
            for text in log::frames(&missed.unwrap_or_default()) {
                turn.out.push(Action::Send(Delivery {
                    to: vec![link],
                    text,
                }));
            }
            self.connections.insert(link, connection);
            self.save(link, turn);
        }
        self.arm(link, turn);
        Ok(())
    }

    pub(super) fn check_ban(&self, user: &str, turn: &mut Turn<'_>) -> Result<(), Error> {
        if !self.known {
            return Ok(());
        }
        match turn.store.ban(user) {
            Ok(Some(until)) if until > turn.now => Err(Error::new(ErrorCode::Banned)),
            Ok(_) => Ok(()),
            Err(error) => {
                turn.storage_failed("ban", &error, 0);
                Err(Error::new(ErrorCode::StorageFailed))
            }
        }
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

    /// The session's connection id, or a new one: the time since the epoch began, so that it is short, and never the
    /// same twice without a counter in storage.
    fn next_id(&mut self, now: u64, session: Option<Session>) -> Result<ConnectionId, Error> {
        if let Some(session) = session {
            return Ok(session.connection);
        }
        let age = now.max(self.log.at()).saturating_sub(self.meta.created_at);
        let next = age
            .saturating_mul(IDS_PER_MS)
            .max(self.last_connection.saturating_add(1));
        self.last_connection = next;
        ConnectionId::new(next).ok_or_else(|| Error::new(ErrorCode::Internal))
    }

    /// The messages missed, if all of them can be had (R2); `None` if not (R3).
    fn missed(
        &self,
        epoch: Option<&str>,
        offset: Option<&str>,
        session: Option<Session>,
        connection: &Connection,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Vec<(u64, String)>>, Error> {
        if epoch != Some(self.meta.epoch.as_str()) {
            return Ok(None);
        }
        let Some(after) = offset.and_then(parse_offset) else {
            return Ok(None);
        };
        let allowed = connection.can.has(Rights::HISTORY)
            || session.is_some_and(|session| after >= session.first_offset);
        if !allowed {
            return Ok(None);
        }
        if !connection.subscribes() {
            // Nothing was ever addressed to it, so nothing is missing.
            return Ok((after <= self.log.offset()).then(Vec::new));
        }
        self.log
            .replay(after, connection.id, turn.now, &self.limits, turn.store)
            .map_err(|error| {
                turn.storage_failed("replay", &error, 0);
                Error::new(ErrorCode::StorageFailed)
            })
    }

    /// Makes it a member. The row is written before anybody is told.
    fn enter(
        &mut self,
        id: ConnectionId,
        user: &Rc<User>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        let (info, state, at) = (user.info.clone(), Json::NULL, turn.now);
        let row = MemberRow {
            connection: id,
            user: user.id.to_string(),
            info,
            state,
            at,
        };
        if let Err(error) = turn.store.put_member(&row) {
            turn.storage_failed("join", &error, 0);
            return Err(Error::new(ErrorCode::StorageFailed));
        }
        self.members.insert(
            id,
            Member {
                user: user.clone(),
                state: row.state,
                at,
            },
        );
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
                .share(Audience::Presence, None, Box::new([id]), |out| {
                    server::join(out, &view)
                });
        }
    }

    /// Ends what was there of this session: an older socket (4504), or a drop within its grace.
    fn take_over(&mut self, connection: &Connection, turn: &mut Turn<'_>) -> Inherited {
        let id = connection.id;
        let mut inherited = Inherited::default();
        if let Some(rate) = self.resting.remove(&id) {
            inherited.rate = rate;
        }
        if let Some(Absent { rate, faults, .. }) = self.forget_absent(id) {
            inherited = Inherited { rate, faults };
        }
        if let Some(link) = self.links.remove(&id)
            && let Some(old) = self.connections.remove(&link)
        {
            inherited = Inherited {
                rate: old.rate,
                faults: old.faults,
            };
            turn.out.push(Action::Close {
                link,
                code: ErrorCode::Replaced.close(),
                reason: ErrorCode::Replaced.as_str().to_owned(),
            });
        }
        if !connection.is_member() && self.members.contains(id) {
            self.leave_presence(id, turn);
        }
        inherited
    }

    fn welcome(&self, connection: &Connection, recovered: Option<bool>, now: u64) -> String {
        let session = (!connection.kind.is_stream()).then(|| {
            let key = self.session_key();
            key.issue(
                &self.meta.epoch,
                connection.id,
                &connection.user.id,
                connection.first_offset,
            )
        });
        // The connection itself is not among the live ones yet.
        let mut occupancy = self.occupancy();
        occupancy.connections = occupancy.connections.saturating_add(1);
        let members =
            (connection.sees_presence() && !self.meta.crowded).then(|| self.members.views());
        let can: Vec<&str> = connection.can.names().collect();
        let mut out = String::new();
        server::welcome(
            &mut out,
            &server::Welcome {
                room: &self.name,
                connection: connection.id,
                session: session.as_deref(),
                user: &connection.user.id,
                info: connection.user.info.as_str(),
                can: &can,
                expires_in: connection.expires_at.map(|at| at.saturating_sub(now)),
                epoch: &self.meta.epoch,
                offset: self.log.offset(),
                recovered,
                members: members.as_deref(),
                occupancy: Some(occupancy),
                ping: self.limits.ping_ms,
                message_bytes: self.limits.message_bytes,
                state_bytes: self.limits.state_bytes,
                rate_per_second: self.limits.rate_per_second,
            },
        );
        out
    }

    fn begin_stream(
        &mut self,
        link: Link,
        welcome: &str,
        missed: Vec<(u64, String)>,
        turn: &mut Turn<'_>,
    ) {
        let mut text = String::new();
        event(&mut text, welcome, None, &self.meta.epoch);
        for (offset, message) in missed {
            event(&mut text, &message, Some(offset), &self.meta.epoch);
        }
        turn.out.push(Action::Stream(Delivery {
            to: vec![link],
            text,
        }));
        if self.comment_at.is_none() {
            self.comment_at = Some(turn.now.saturating_add(self.limits.ping_ms));
        }
    }

    /// T5: a live connection's token has been replaced, or not.
    pub(super) fn renewed(
        &mut self,
        link: Link,
        id: Option<Box<str>>,
        grant: Result<crate::auth::Grant, Error>,
        turn: &mut Turn<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let own = connection.id;
        let grant = grant.and_then(|grant| {
            if grant.user == connection.user.id {
                Ok(grant)
            } else {
                Err(Error::new(ErrorCode::Unauthorized))
            }
        });
        let grant = match grant {
            Ok(grant) => grant,
            Err(error) => {
                let error = if error.code.retryable() {
                    error
                } else {
                    Error::new(ErrorCode::Unauthorized)
                };
                self.tell_error(own, id, error);
                return;
            }
        };
        connection.can = grant.can;
        connection.expires_at = grant.expires_at;
        let can: Vec<&str> = grant.can.names().collect();
        let expires_in = grant.expires_at.map(|at| at.saturating_sub(turn.now));
        let (is_member, user) = (connection.is_member(), connection.user.clone());
        self.save_later(link, turn.now);
        self.outbox
            .tell([own], |out| server::auth(out, expires_in, &can));
        if is_member && !self.members.contains(own) {
            self.begin_presence(own, user, turn);
        } else if !is_member && self.members.contains(own) {
            self.leave_presence(own, turn);
        }
        self.arm(link, turn);
    }

    /// A renewed token grants presence to one that had none: it becomes a member, and learns who is here.
    fn begin_presence(&mut self, id: ConnectionId, user: Rc<User>, turn: &mut Turn<'_>) {
        if self.enter(id, &user, turn).is_err() {
            return;
        }
        self.tell_join(id);
        if !self.meta.crowded {
            let members = &self.members;
            self.outbox
                .tell([id], |out| server::members(out, &members.views()));
        }
    }
}

impl Kind {
    /// The kind of a WebSocket that did or did not offer `roomful.v1`.
    pub fn socket(offered: bool) -> Kind {
        if offered {
            Kind::Socket
        } else {
            Kind::PlainSocket
        }
    }
}

/// An offset in a URL or a `Last-Event-ID`: decimal digits, nothing else.
fn parse_offset(text: &str) -> Option<u64> {
    let digits =
        !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
