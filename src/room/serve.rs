//! What a server asks over HTTP (section 7). The Worker has checked the token; the room checks bans and rates.

use super::connection::Link;
use super::input::{Call, Fresh, RequestId};
use super::speak::Publisher;
use super::{Action, Event, Published, Room, Turn, Waiting};
use crate::auth::{Grant, Rights};
use crate::protocol::{
    ConnectionId, Error, ErrorCode, Publish,
    http::{Disconnect, Target},
    reply, server,
};

/// The rates of so many users over HTTP are remembered at least as long as they matter.
const PUBLISHERS: usize = 1_000;

impl Room {
    pub(super) fn serve(
        &mut self,
        request: RequestId,
        grant: &Grant,
        call: Call<'_>,
        turn: &mut Turn<'_>,
    ) {
        let reply = match self.check_ban(&grant.user, turn) {
            Err(error) => Err(error),
            Ok(()) => match call {
                Call::Publish(messages) => return self.publish_all(request, grant, messages, turn),
                Call::Presence => Ok(self.presence()),
                Call::History(query) => self.history(&query, turn).map(|page| {
                    let mut out = String::new();
                    server::history(&mut out, None, &page.messages, &self.meta.epoch, page.more);
                    out
                }),
                Call::Summary => self.summary(turn),
                Call::Disconnect(disconnect) => self.disconnect(&disconnect, turn),
                Call::Delete(fresh) => self.delete(grant, fresh, turn),
            },
        };
        turn.out.push(Action::Reply { request, reply });
    }

    /// H1, H2. The reply waits for the flush, since an offset is a promise.
    fn publish_all(
        &mut self,
        request: RequestId,
        grant: &Grant,
        messages: Vec<Result<Publish<'_>, Error>>,
        turn: &mut Turn<'_>,
    ) {
        let results = messages
            .into_iter()
            .map(|message| {
                let message = message?;
                let id = message.id.clone();
                self.publish_one(grant, &message, turn)
                    .map_err(|error| match id {
                        Some(id) => error.with_id(id),
                        None => error,
                    })
            })
            .collect();
        self.waiting.push(Waiting { request, results });
    }

    fn publish_one(
        &mut self,
        grant: &Grant,
        message: &Publish<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Published, Error> {
        if !grant.can.has(Rights::ADMIN) {
            self.take_publisher_rate(&grant.user, turn)?;
        }
        let publisher = Publisher {
            connection: None,
            user: &grant.user,
        };
        self.publish(publisher, message, message.except.clone().into(), turn)
    }

    fn take_publisher_rate(&mut self, user: &str, turn: &mut Turn<'_>) -> Result<(), Error> {
        if self.publishers.len() > PUBLISHERS {
            self.publishers.retain(|_, rate| rate.full_at() > turn.now);
        }
        let rate = self.publishers.entry(user.into()).or_default();
        rate.take(turn.now, &self.limits)
            .map_err(|over| Error::new(ErrorCode::RateLimited).with_retry_after(over.retry_after))
    }

    /// After a flush: whoever published over HTTP learns what has become of it.
    pub(super) fn answer_publishers(&mut self, failed: bool, turn: &mut Turn<'_>) {
        for Waiting { request, results } in std::mem::take(&mut self.waiting) {
            let mut out = String::from("{\"results\":[");
            for (place, result) in results.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                let result = match result {
                    Ok(Published::Next(_)) if failed => Err(Error::new(ErrorCode::StorageFailed)),
                    other => other,
                };
                match result {
                    Ok(Published::Ephemeral) => reply::published(&mut out, None, &self.meta.epoch),
                    Ok(Published::Before(offset) | Published::Next(offset)) => {
                        reply::published(&mut out, Some(offset), &self.meta.epoch);
                    }
                    Err(error) => out.push_str(&error.to_http_body()),
                }
            }
            out.push_str("]}");
            turn.out.push(Action::Reply {
                request,
                reply: Ok(out),
            });
        }
    }

    /// H3, presence.
    fn presence(&self) -> String {
        let mut out = String::new();
        let members = (!self.meta.crowded).then(|| self.members.views());
        reply::presence(&mut out, members.as_deref(), self.occupancy());
        out
    }

    /// H3, the room itself.
    fn summary(&mut self, turn: &mut Turn<'_>) -> Result<String, Error> {
        let history = self
            .log
            .summary(turn.now, &self.limits, turn.store)
            .map_err(|error| {
                turn.storage_failed("summary", &error, 0);
                Error::new(ErrorCode::StorageFailed)
            })?;
        let mut out = String::new();
        reply::room(
            &mut out,
            &reply::RoomSummary {
                room: &self.name,
                epoch: &self.meta.epoch,
                offset: self.log.offset(),
                occupancy: self.occupancy(),
                messages: history.messages,
                bytes: history.bytes,
                first_offset: history.first_offset,
                created_at: self.known.then_some(self.meta.created_at),
                awake_since: self.awake_since,
            },
        );
        Ok(out)
    }

    /// H4. The ban is written before anybody is closed.
    fn disconnect(
        &mut self,
        disconnect: &Disconnect,
        turn: &mut Turn<'_>,
    ) -> Result<String, Error> {
        let ids: Vec<ConnectionId> = match &disconnect.target {
            Target::Connection(id) => self.has_place(*id).then_some(*id).into_iter().collect(),
            Target::User(user) => self
                .users
                .get(user)
                .into_iter()
                .flatten()
                .copied()
                .collect(),
            Target::Nobody => Vec::new(),
        };
        if let Some(seconds) = disconnect.ban_seconds {
            let user = match &disconnect.target {
                Target::User(user) => Some(user.clone()),
                Target::Connection(id) => self.user_of(*id),
                Target::Nobody => None,
            };
            if let Some(user) = user {
                self.ban(user, seconds, turn)?;
            }
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
            } else if self.forget_absent(id).is_some() {
                self.leave(id, turn);
            }
        }
        Ok(format!("{{\"closed\":{closed}}}"))
    }

    fn user_of(&self, id: ConnectionId) -> Option<Box<str>> {
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
        self.found(turn)?;
        let until = turn.now.saturating_add(seconds.saturating_mul(1_000));
        if let Err(error) = turn.store.put_ban(&user, until) {
            turn.storage_failed("ban", &error, 0);
            return Err(Error::new(ErrorCode::StorageFailed));
        }
        turn.out.push(Action::Log(Event::Banned { user, until }));
        Ok(())
    }

    /// H5. A new life begins in the same turn; what the old one still had to say is dropped.
    fn delete(
        &mut self,
        grant: &Grant,
        fresh: Fresh,
        turn: &mut Turn<'_>,
    ) -> Result<String, Error> {
        if let Err(error) = turn.store.erase(turn.now) {
            turn.storage_failed("delete", &error, 0);
            return Err(Error::new(ErrorCode::StorageFailed));
        }
        let error = Error::new(ErrorCode::RoomDeleted);
        for Waiting { request, .. } in std::mem::take(&mut self.waiting) {
            turn.out.push(Action::Reply {
                request,
                reply: Err(error.clone()),
            });
        }
        let meta = super::Meta {
            epoch: fresh.epoch,
            key: fresh.key,
            created_at: turn.now,
            crowded: false,
        };
        let next = Room::empty(
            self.name.clone(),
            self.limits.clone(),
            meta,
            false,
            turn.now,
        );
        let old = std::mem::replace(self, next);
        self.awake_since = old.awake_since;
        self.timer_at = old.timer_at;
        let links: Vec<Link> = old.connections.keys().copied().collect();
        for link in links {
            old.say_goodbye(link, &error, turn);
        }
        turn.out.push(Action::Log(Event::Deleted {
            by: grant.user.clone(),
        }));
        Ok("{\"deleted\":true}".to_owned())
    }
}
