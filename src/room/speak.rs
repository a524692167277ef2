//! What a connection says: frames, presence states, requests for history (C5, C6, N6, P1, R6, E3).

use super::history::Page;
use super::{Action, Link, Room, Turn};
use crate::auth::Rights;
use crate::protocol::{
    ClientMessage, ConnectionId, Element, Error, ErrorCode, HistoryQuery, StateChange,
    decode_frame, server,
};

/// So many bytes of history count as one message for the rate (R6).
const HISTORY_UNIT: usize = 16 * 1024;

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
                if elements.is_empty() {
                    // Nothing is said, but not for nothing.
                    self.take_rate(link, None, turn);
                }
                for element in elements {
                    if !self.connections.contains_key(&link) {
                        return;
                    }
                    self.element(link, &element, turn);
                    // A frame may ask for a hundred pages of history.
                    if self.outbox_is_full() {
                        self.flush(turn);
                    }
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

    /// P1. The others are told at the end of the tick.
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
        self.outbox.answer(own, |out| {
            server::history(out, query.id.as_deref(), &page.messages, epoch, page.more)
        });
        Ok(())
    }

    pub(super) fn history(
        &mut self,
        query: &HistoryQuery,
        turn: &mut Turn<'_>,
    ) -> Result<Page, Error> {
        let page = self
            .log
            .page(query, turn.now, &self.limits, &mut *turn.store);
        page.map_err(|error| turn.refused("history", &error))
    }
}

/// The error, about the message with this id if there is one.
pub(super) fn maybe_id(error: Error, id: Option<Box<str>>) -> Error {
    match id {
        Some(id) => error.with_id(id),
        None => error,
    }
}
