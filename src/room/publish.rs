//! Publishing: a message gets its place in the room's order (M1 to M5, M7).

use super::counters::Count;
use super::fill::not_stored;
use super::ids::{self, Origin};
use super::outbox::Audience;
use super::speak::maybe_id;
use super::{Link, RequestId, Room, Turn};
use crate::auth::Rights;
use crate::protocol::{
    ConnectionId, Error, ErrorCode, Publish, Recipient,
    server::{self, Message},
};

/// Who publishes: shown in the message, and whose ids count once together.
#[derive(Copy, Clone)]
pub(super) struct Publisher<'a> {
    pub connection: Option<ConnectionId>,
    pub user: &'a str,
}

/// What has become of a publish.
#[derive(Copy, Clone, Debug)]
pub(super) enum Published {
    Ephemeral,
    /// Was in the log before.
    Before(u64),
    /// Is stored by the next flush.
    Next(u64),
}

/// HTTP publishes that the next flush answers.
#[derive(Debug)]
pub(super) struct Waiting {
    pub request: RequestId,
    pub results: Vec<Result<Published, Error>>,
}

impl Room {
    /// A connection publishes.
    pub(super) fn say(
        &mut self,
        link: Link,
        publish: &Publish<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        let Some(connection) = self.connections.get(&link) else {
            return Ok(());
        };
        let own = connection.id;
        let user = connection.user.clone();
        if !connection.can.has(Rights::PUBLISH) {
            return Err(maybe_id(
                Error::new(ErrorCode::Forbidden),
                publish.id.clone(),
            ));
        }
        let publisher = Publisher {
            connection: Some(own),
            user: &user.id,
        };
        let without: Box<[ConnectionId]> = if publish.echo {
            Box::default()
        } else {
            Box::new([own])
        };
        let published = self
            .publish(publisher, publish, without, turn)
            .map_err(|error| maybe_id(error, publish.id.clone()))?;
        let Some(id) = &publish.id else { return Ok(()) };
        match published {
            Published::Ephemeral => self.outbox.tell([own], |out| server::ack(out, id, None)),
            Published::Before(offset) => {
                self.outbox
                    .tell([own], |out| server::ack(out, id, Some(offset)));
            }
            Published::Next(offset) => self.outbox.ack(own, id, offset),
        }
        Ok(())
    }

    /// Gives a message its place in the room's order.
    pub(super) fn publish(
        &mut self,
        publisher: Publisher<'_>,
        publish: &Publish<'_>,
        without: Box<[ConnectionId]>,
        turn: &mut Turn<'_>,
    ) -> Result<Published, Error> {
        let Publisher {
            connection: from,
            user,
        } = publisher;
        let (event, data) = (&publish.event, &publish.data);
        let message = Message {
            event,
            data,
            from,
            user,
            offset: None,
            at: None,
            private: false,
        };
        if let Some(to) = &publish.to {
            let to = self.recipients(to, &without);
            let message = Message {
                private: true,
                ..message
            };
            self.counters.one(Count::Private);
            self.outbox
                .whisper(to, |out| server::message(out, &message));
            return Ok(Published::Ephemeral);
        }
        if publish.ephemeral {
            self.counters.one(Count::Ephemeral);
            self.outbox.share(Audience::Subscribers, without, |out| {
                server::message(out, &message);
            });
            return Ok(Published::Ephemeral);
        }
        let origin = from.map_or(Origin::User(user), Origin::Connection);
        let key = publish.id.as_deref().map(|id| ids::key(origin, id));
        if let Some(key) = &key
            && let Some(published) = self.published_before(key, turn)?
        {
            self.counters.one(Count::Repeated);
            return Ok(published);
        }
        if self.is_full {
            return Err(not_stored(ErrorCode::StorageFull));
        }
        self.found(turn)?;
        self.counters.one(Count::Stored);
        self.pending = self.pending.saturating_add(1);
        let offset = self.log.offset().saturating_add(self.pending);
        let at = turn.now.max(self.log.at());
        // With an id there is an ack, which turns into the error if the message cannot be stored.
        let sender = if key.is_some() { None } else { from };
        if let Some(key) = key {
            self.log.remember(key, offset, turn.now);
        }
        let message = Message {
            offset: Some(offset),
            at: Some(at),
            ..message
        };
        self.outbox.store(offset, without, sender, |out| {
            server::message(out, &message)
        });
        Ok(Published::Next(offset))
    }

    fn published_before(
        &mut self,
        key: &str,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Published>, Error> {
        let offset = self
            .log
            .published(key, turn.now, &self.limits, &mut *turn.store);
        let offset = offset.map_err(|error| turn.refused("ids", &error))?;
        Ok(offset.map(|offset| {
            if offset > self.log.offset() {
                Published::Next(offset)
            } else {
                Published::Before(offset)
            }
        }))
    }

    /// The connections that are meant, each once, in a fixed order.
    fn recipients(&self, to: &[Recipient], without: &[ConnectionId]) -> Box<[ConnectionId]> {
        let mut ids = std::collections::BTreeSet::new();
        for recipient in to {
            match recipient {
                Recipient::Connection(id) => ids.extend([*id]),
                Recipient::User(user) => {
                    ids.extend(self.users.get(user).into_iter().flatten().copied());
                }
            }
        }
        ids.retain(|id| {
            let link = self.links.get(id);
            let connection = link.and_then(|link| self.connections.get(link));
            connection.is_some_and(|connection| connection.subscribes()) && !without.contains(id)
        });
        ids.into_iter().collect()
    }
}
