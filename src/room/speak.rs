//! What a connection says: frames, messages, presence states, requests for history (C5, C6, M, P1, R6, E3).

use super::connection::Link;
use super::ids::{self, Origin};
use super::log::Page;
use super::outbox::Audience;
use super::{Action, Published, Room, Turn};
use crate::auth::Rights;
use crate::protocol::{
    ClientMessage, ConnectionId, Element, Error, ErrorCode, HistoryQuery, Publish, Recipient,
    StateChange, decode_frame,
    server::{self, Message},
};

/// So many bytes of history count as one message for the rate (R6).
const HISTORY_UNIT: usize = 16 * 1024;

/// Who publishes: shown in the message, and whose ids count once together.
#[derive(Copy, Clone)]
pub(super) struct Publisher<'a> {
    pub connection: Option<ConnectionId>,
    pub user: &'a str,
}

impl Room {
    pub(super) fn frame(&mut self, link: Link, text: &str, turn: &mut Turn<'_>) {
        if !self.hear(link, turn) {
            return;
        }
        if text.len() > self.limits.message_bytes {
            self.oversized(link, turn);
            return;
        }
        match decode_frame(text) {
            Err(error) => {
                if self.take_rate(link, None, turn) {
                    self.refuse(link, error, turn);
                }
            }
            Ok(elements) => {
                for element in elements {
                    if !self.connections.contains_key(&link) {
                        return;
                    }
                    self.element(link, &element, turn);
                }
            }
        }
    }

    pub(super) fn oversized_frame(&mut self, link: Link, turn: &mut Turn<'_>) {
        if self.hear(link, turn) {
            self.oversized(link, turn);
        }
    }

    fn oversized(&mut self, link: Link, turn: &mut Turn<'_>) {
        if self.take_rate(link, None, turn) {
            self.refuse(link, Error::new(ErrorCode::MessageTooLarge), turn);
        }
    }

    /// Notes that a connection has been heard; false if it is not there any more, or its token has ended.
    fn hear(&mut self, link: Link, turn: &mut Turn<'_>) -> bool {
        let Some(connection) = self.connections.get_mut(&link) else {
            return false;
        };
        if Self::expired(connection, turn.now) {
            self.close(link, &Error::new(ErrorCode::TokenExpired), turn);
            return false;
        }
        connection.heard_at = turn.now;
        self.save_later(link, turn.now);
        true
    }

    fn element(&mut self, link: Link, element: &Element<'_>, turn: &mut Turn<'_>) {
        if !self.take_rate(link, Some(element), turn) {
            return;
        }
        let outcome = match element.decode() {
            Err(error) => Err(error),
            Ok(ClientMessage::Publish(publish)) => self.say(link, &publish, turn),
            Ok(ClientMessage::State { id, change }) => self
                .set_state(link, change)
                .map_err(|error| maybe_id(error, id)),
            Ok(ClientMessage::History(query)) => self.tell_history(link, &query, turn),
            Ok(ClientMessage::Auth { id, token }) => {
                turn.out.push(Action::Verify { link, id, token });
                Ok(())
            }
        };
        if let Err(error) = outcome {
            self.refuse(link, error, turn);
        }
    }

    /// Takes one message's worth of a connection's rate; refuses the message if there is none (E3).
    fn take_rate(
        &mut self,
        link: Link,
        element: Option<&Element<'_>>,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(&link) else {
            return false;
        };
        let Err(over) = connection.rate.take(turn.now, &self.limits) else {
            return true;
        };
        let id = connection.id;
        let error = Error::new(ErrorCode::RateLimited).with_retry_after(over.retry_after);
        if over.too_long {
            self.close(link, &error, turn);
        } else {
            self.tell_error(id, element.and_then(Element::id), error);
        }
        false
    }

    /// Answers a message with an error; too many malformed ones end the connection (C6).
    fn refuse(&mut self, link: Link, error: Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let malformed = error.code == ErrorCode::BadMessage;
        let id = connection.id;
        if malformed && connection.faults.count(turn.now) {
            // The last one is answered like the others, right before the end.
            self.tell_error(id, None, error);
            self.close(link, &Error::new(ErrorCode::BadMessages), turn);
        } else {
            self.tell_error(id, None, error);
        }
    }

    pub(super) fn tell_error(&mut self, to: ConnectionId, id: Option<Box<str>>, error: Error) {
        let error = maybe_id(error, id);
        self.outbox
            .tell([to], |out| out.push_str(&error.to_frame()));
    }

    /// A connection publishes.
    fn say(&mut self, link: Link, publish: &Publish<'_>, turn: &mut Turn<'_>) -> Result<(), Error> {
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
        if let Some(id) = &publish.id {
            match published {
                Published::Ephemeral => self.outbox.tell([own], |out| server::ack(out, id, None)),
                Published::Before(offset) => self
                    .outbox
                    .tell([own], |out| server::ack(out, id, Some(offset))),
                Published::Next(offset) => self.outbox.ack(own, id, offset),
            }
        }
        Ok(())
    }

    /// Gives a message its place in the room's order (M1 to M4).
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
        if let Some(to) = &publish.to {
            let to = self.recipients(to, &without);
            let message = Message {
                event,
                data,
                from,
                user,
                offset: None,
                at: None,
                private: true,
            };
            self.outbox.tell(to, |out| server::message(out, &message));
            return Ok(Published::Ephemeral);
        }
        if publish.ephemeral {
            let message = Message {
                event,
                data,
                from,
                user,
                offset: None,
                at: None,
                private: false,
            };
            self.outbox
                .share(Audience::Subscribers, None, without, |out| {
                    server::message(out, &message)
                });
            return Ok(Published::Ephemeral);
        }
        let key = publish
            .id
            .as_deref()
            .map(|id| ids::key(from.map_or(Origin::User(user), Origin::Connection), id));
        if let Some(key) = &key
            && let Some(published) = self.published_before(key, turn)?
        {
            return Ok(published);
        }
        self.found(turn)?;
        self.pending = self.pending.saturating_add(1);
        let offset = self.log.offset().saturating_add(self.pending);
        let at = turn.now.max(self.log.at());
        if let Some(key) = key {
            self.log.remember(key, offset, turn.now);
        }
        let message = Message {
            event,
            data,
            from,
            user,
            offset: Some(offset),
            at: Some(at),
            private: false,
        };
        self.outbox
            .share(Audience::Subscribers, Some(offset), without, |out| {
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
            .published(key, turn.now, &self.limits, turn.store)
            .map_err(|error| {
                turn.storage_failed("ids", &error, 0);
                Error::new(ErrorCode::StorageFailed)
            })?;
        let committed = self.log.offset();
        Ok(offset.map(|offset| {
            if offset > committed {
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
                    ids.extend(self.users.get(user).into_iter().flatten().copied())
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

    fn set_state(&mut self, link: Link, change: StateChange<'_>) -> Result<(), Error> {
        let Some(connection) = self.connections.get(&link) else {
            return Ok(());
        };
        let id = connection.id;
        let Some(member) = self.members.get(id) else {
            return Err(Error::new(ErrorCode::Forbidden));
        };
        let (state, patch) = match change {
            StateChange::Set(state) => (state.into_owned(), None),
            StateChange::Patch(patch) => (patch.apply(&member.state), Some(patch.into_owned())),
        };
        if state.len() > self.limits.state_bytes {
            return Err(Error::new(ErrorCode::StateTooLarge));
        }
        match patch {
            None => self.members.set(id, state),
            Some(patch) => self.members.patch(id, patch, state),
        }
        Ok(())
    }

    fn tell_history(
        &mut self,
        link: Link,
        query: &HistoryQuery,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        let Some(connection) = self.connections.get(&link) else {
            return Ok(());
        };
        let own = connection.id;
        if !connection.can.has(Rights::HISTORY) {
            return Err(maybe_id(Error::new(ErrorCode::Forbidden), query.id.clone()));
        }
        let page = self
            .history(query, turn)
            .map_err(|error| maybe_id(error, query.id.clone()))?;
        let units = page.messages.len().checked_div(HISTORY_UNIT).unwrap_or(0) as u64;
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.rate.charge(units, turn.now, &self.limits);
        }
        let epoch = &self.meta.epoch;
        self.outbox.tell([own], |out| {
            server::history(out, query.id.as_deref(), &page.messages, epoch, page.more)
        });
        Ok(())
    }

    pub(super) fn history(
        &mut self,
        query: &HistoryQuery,
        turn: &mut Turn<'_>,
    ) -> Result<Page, Error> {
        self.log
            .page(query, turn.now, &self.limits, turn.store)
            .map_err(|error| {
                turn.storage_failed("history", &error, 0);
                Error::new(ErrorCode::StorageFailed)
            })
    }
}

fn maybe_id(error: Error, id: Option<Box<str>>) -> Error {
    match id {
        Some(id) => error.with_id(id),
        None => error,
    }
}
