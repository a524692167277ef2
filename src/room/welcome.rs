//! What a connection is told first: where the room stands, and what it missed (C2, R2, R3, H7).

use super::connect::Session;
use super::connection::{Connection, Link};
use super::counters::Count;
use super::delivery::Delivery;
use super::history::{self, Missed};
use super::{Action, Room, Turn, body};
use crate::auth::Rights;
use crate::protocol::{Error, server};

/// What a `welcome` has beside its members, roughly.
const WELCOME_BYTES: usize = 1_024;

impl Room {
    /// The messages missed, if all of them can be had (R2); `None` if not (R3).
    pub(super) fn missed(
        &self,
        epoch: Option<&str>,
        offset: Option<&str>,
        session: Option<Session>,
        connection: &Connection,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Missed>, Error> {
        if epoch != Some(self.meta.epoch.as_str()) {
            return Ok(None);
        }
        let Some(after) = offset.and_then(parse_offset) else {
            return Ok(None);
        };
        let has_history = connection.can.has(Rights::HISTORY);
        if !connection.subscribes() {
            // Nothing was ever addressed to it, so nothing is missing.
            let none = has_history || session.is_some();
            return Ok((none && after <= self.log.offset()).then(Missed::new));
        }
        let own = session.is_some_and(|session| after >= session.first_offset);
        if !has_history && !own {
            return Ok(None);
        }
        let missed = self.log.replay(
            after,
            connection.id,
            turn.now,
            &self.limits,
            &mut *turn.store,
        );
        missed.map_err(|error| turn.refused("replay", &error))
    }

    /// Sends the welcome, and after it what was missed. `resumed` is `None` at a first connection,
    /// and holds `None` if what was missed cannot be had.
    pub(super) fn welcome(
        &mut self,
        link: Link,
        connection: &Connection,
        resumed: Option<Option<Missed>>,
        turn: &mut Turn<'_>,
    ) {
        let recovered = resumed.as_ref().map(Option::is_some);
        let missed = resumed.flatten().unwrap_or_default();
        self.counters.one(match recovered {
            None => Count::New,
            Some(true) => Count::Recovered,
            Some(false) => Count::Lost,
        });
        self.counters
            .add(Count::MessagesSent, missed.len().saturating_add(1));
        let welcome = self.welcome_text(connection, recovered, turn.now);
        let to = || vec![link];
        let told = missed.iter().fold(welcome.len(), |bytes, (_, text)| {
            bytes.saturating_add(text.len())
        });
        self.rates
            .charge_arrival(&connection.user.id, told, turn.now, &self.limits);
        if connection.kind.is_stream() {
            let mut text = String::new();
            body::event(&mut text, &welcome, None, &self.meta.epoch);
            for (offset, message) in missed {
                body::event(&mut text, &message, Some(offset), &self.meta.epoch);
            }
            turn.out.push(Action::Stream(Delivery { to: to(), text }));
            if self.comment_at.is_none() {
                self.comment_at = Some(turn.now.saturating_add(self.limits.ping_ms));
            }
        } else {
            turn.out.push(Action::Send(Delivery {
                to: to(),
                text: welcome,
            }));
            for text in history::frames(&missed) {
                turn.out.push(Action::Send(Delivery { to: to(), text }));
            }
        }
    }

    fn welcome_text(
        &mut self,
        connection: &Connection,
        recovered: Option<bool>,
        now: u64,
    ) -> String {
        let user = &connection.user;
        let session = (!connection.kind.is_stream()).then(|| {
            let (key, epoch) = (self.session_key(), &self.meta.epoch);
            key.issue(epoch, connection.id, &user.id, connection.first_offset)
        });
        // The connection itself is not among the live ones yet.
        let mut occupancy = self.occupancy();
        occupancy.connections = occupancy.connections.saturating_add(1);
        self.told_one(occupancy);
        let listed = connection.sees_presence() && !self.meta.crowded;
        let members = listed.then(|| self.members.list());
        let can: Vec<&str> = connection.can.names().collect();
        let mut out =
            String::with_capacity(members.map_or(0, str::len).saturating_add(WELCOME_BYTES));
        server::welcome(
            &mut out,
            &server::Welcome {
                room: &self.name,
                connection: connection.id,
                session: session.as_deref(),
                user: &user.id,
                info: user.info.as_str(),
                can: &can,
                expires_in: connection.expires_at.map(|at| at.saturating_sub(now)),
                epoch: &self.meta.epoch,
                offset: self.log.offset(),
                recovered,
                members,
                occupancy: Some(occupancy),
                ping: self.limits.ping_ms,
                message_bytes: self.limits.message_bytes,
                state_bytes: self.limits.state_bytes,
                rate_per_second: self.limits.rate_per_second,
            },
        );
        out
    }
}

/// An offset in a URL or a `Last-Event-ID`: decimal digits, nothing else.
fn parse_offset(text: &str) -> Option<u64> {
    let length = matches!(text.len(), 1..=16);
    let digits = length && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
