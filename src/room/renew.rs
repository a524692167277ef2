//! T5: a live connection's token is replaced, or not.

use super::counters::Count;
use super::speak::maybe_id;
use super::{Action, Link, Room, Turn};
use crate::auth::{Grant, Rights};
use crate::protocol::{ConnectionId, Error, ErrorCode, server};

impl Room {
    /// Has a token verified, which may take a while: the connection goes on meanwhile.
    pub(super) fn ask_renewal(
        &mut self,
        link: Link,
        id: Option<Box<str>>,
        token: Box<str>,
        turn: &mut Turn<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        connection.asked = connection.asked.saturating_add(1);
        turn.out.push(Action::Verify {
            link,
            id,
            token,
            nth: connection.asked,
        });
    }

    pub(super) fn renewed(
        &mut self,
        link: Link,
        id: Option<Box<str>>,
        nth: u32,
        grant: Result<Grant, Error>,
        turn: &mut Turn<'_>,
    ) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let own = connection.id;
        if let Err(error) = grant.and_then(|grant| self.renew(link, own, nth, grant, turn)) {
            // What may succeed later says so itself.
            let error = if error.code.retryable() {
                error
            } else {
                Error::new(ErrorCode::Unauthorized)
            };
            self.refuse(link, maybe_id(error, id), turn);
            // It may count as a fault, long after the frame was heard that asked for it.
            self.save_later(link, turn.now);
        }
    }

    fn renew(
        &mut self,
        link: Link,
        own: ConnectionId,
        nth: u32,
        grant: Grant,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        let Some(connection) = self.connections.get(&link) else {
            return Ok(());
        };
        if grant.user != connection.user.id {
            return Err(Error::new(ErrorCode::Unauthorized));
        }
        if nth < connection.renewed {
            // One that was sent later was verified sooner, and stays. The answer says what holds.
            self.tell_renewed(own, connection.can, connection.expires_at, turn.now);
            return Ok(());
        }
        if grant.can != connection.can && !self.outbox.is_empty() {
            // What lies in the outbox is addressed by the old rights.
            self.flush(turn);
        }
        let Some(connection) = self.connections.get(&link) else {
            return Ok(());
        };
        let (user, is_member) = (
            connection.user.clone(),
            connection.would_be_member(grant.can),
        );
        let joins = is_member && !self.members.contains(own);
        if joins {
            // It costs storage and the others what coming in anew does, whatever was renewed before.
            self.rates.arrive(&user.id, turn.now, &self.limits)?;
            self.enter(own, &user, turn)?;
        }
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.can = grant.can;
            connection.expires_at = grant.expires_at;
            connection.renewed = nth;
        }
        self.save_later(link, turn.now);
        self.arm(link, turn);
        self.counters.one(Count::Renewals);
        self.tell_renewed(own, grant.can, grant.expires_at, turn.now);
        if joins {
            self.tell_join(own);
            self.tell_members(own, &user.id, turn);
        } else if !is_member {
            self.leave(own, turn);
        }
        Ok(())
    }

    fn tell_renewed(&mut self, to: ConnectionId, can: Rights, expires_at: Option<u64>, now: u64) {
        let can: Vec<&str> = can.names().collect();
        let expires_in = expires_at.map(|at| at.saturating_sub(now));
        self.outbox
            .answer(to, |out| server::auth(out, expires_in, &can));
    }

    /// Who has just become a member by a new token learns who is here, or how many: it may have been
    /// told to the others before.
    fn tell_members(&mut self, to: ConnectionId, user: &str, turn: &mut Turn<'_>) {
        if self.meta.crowded {
            // Should all be told right now, so is it.
            if self.tell_occupancy(turn) {
                return;
            }
            let occupancy = self.occupancy();
            self.told_one(occupancy);
            self.outbox
                .answer(to, |out| server::occupancy(out, occupancy));
        } else {
            let (members, before) = (&self.members, self.outbox.bytes());
            self.outbox
                .answer(to, |out| server::members(out, &members.views()));
            let told = self.outbox.bytes().saturating_sub(before);
            self.rates
                .charge_arrival(user, told, turn.now, &self.limits);
        }
    }
}
