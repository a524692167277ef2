//! What a connection says: frames, presence states, requests for history (C5, C6, N6, P1, R6, E3).

use super::counters::Count;
use super::history::Page;
use super::rate::Pace;
use super::{Link, Room, Turn};
use crate::auth::Rights;
use crate::protocol::{
    ClientMessage, ConnectionId, Element, Error, ErrorCode, HistoryQuery, StateChange,
    decode_frame, server,
};

/// So many bytes of an answer count as one message for the rate (R6, H3).
const ANSWER_UNIT: usize = 16 * 1024;
/// What a renewal counts beside the one message that it is: a signature is checked, and what is bound to the rights
/// may be sent and stored anew (T5).
const RENEWAL: u64 = 9;
/// What a user is told whose connections together show too much.
const CROWDING: &str = "The states of this user's connections would together be larger than \
    MAX_PRESENCE_BYTES_PER_USER; this one stays as it was.";

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
                if self.take_rate(link, None, text.len(), turn) {
                    self.refuse(link, error, turn);
                }
            }
            Ok(elements) => {
                if elements.is_empty() {
                    // Nothing is said, but not for nothing.
                    self.take_rate(link, None, text.len(), turn);
                }
                // The space around them was read as well: it counts for the first.
                let read = elements.iter().map(Element::len);
                let mut around = text
                    .len()
                    .saturating_sub(read.fold(0, usize::saturating_add));
                for element in elements {
                    if !self.connections.contains_key(&link) {
                        return;
                    }
                    let bytes = element.len().saturating_add(std::mem::take(&mut around));
                    self.element(link, &element, bytes, turn);
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
        // It was not read, so its size does not count.
        if self.take_rate(link, None, 0, turn) {
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
        self.counters.one(Count::FramesReceived);
        self.save_later(link, turn.now);
        true
    }

    /// `bytes` is what was read for it.
    fn element(&mut self, link: Link, element: &Element<'_>, bytes: usize, turn: &mut Turn<'_>) {
        if !self.take_rate(link, Some(element), bytes, turn) {
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
                self.charge(link, RENEWAL, turn.now);
                self.ask_renewal(link, id, token, turn);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            self.refuse(link, error, turn);
        }
    }

    /// Takes one message's worth of a connection's rate; refuses the message if there is none (E3).
    /// `bytes` is what was read of it.
    fn take_rate(
        &mut self,
        link: Link,
        element: Option<&Element<'_>>,
        bytes: usize,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(&link) else {
            return false;
        };
        let (now, pace) = (turn.now, Pace::messages(&self.limits));
        let taken = connection.rate.take(now, pace).and_then(|()| {
            let user = &connection.user.id;
            let said = self.rates.say(user, bytes, now, &self.limits);
            said.map_err(|over| connection.rate.over(now, over.retry_after))
        });
        let Err(over) = taken else {
            return true;
        };
        let id = connection.id;
        let too_much = connection.rate.refuse(bytes, &self.limits);
        let error = over.error();
        if over.too_long || too_much {
            self.close(link, &error, turn);
        } else {
            self.tell_error(id, element.and_then(Element::id), error);
        }
        false
    }

    /// Charges a connection for more than the one message that it has sent. A bucket that is smaller
    /// is emptied.
    fn charge(&mut self, link: Link, messages: u64, now: u64) {
        let most = u64::from(self.limits.rate_burst);
        if let Some(connection) = self.connections.get_mut(&link) {
            let pace = Pace::messages(&self.limits);
            connection.rate.charge(messages.min(most), now, pace);
        }
    }

    /// Answers a message with an error; too many malformed ones, or tokens that are refused, end the
    /// connection (C6).
    pub(super) fn refuse(&mut self, link: Link, error: Error, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let fault = matches!(error.code, ErrorCode::BadMessage | ErrorCode::Unauthorized);
        let id = connection.id;
        if fault && connection.faults.count(turn.now) {
            // The last one is answered like the others, right before the end.
            self.tell_error(id, None, error);
            self.close(link, &Error::new(ErrorCode::BadMessages), turn);
        } else {
            self.tell_error(id, None, error);
        }
    }

    pub(super) fn tell_error(&mut self, to: ConnectionId, id: Option<Box<str>>, error: Error) {
        let error = maybe_id(error, id);
        self.counters.errors(error.code, 1);
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
        if self.members.exceeds_share(id, state.len(), &self.limits) {
            return Err(Error::new(ErrorCode::StateTooLarge).with_message(CROWDING));
        }
        match patch {
            None => self.members.set(id, state),
            Some(patch) => self
                .members
                .patch(id, patch, state, self.limits.state_bytes),
        }
        self.counters.one(Count::States);
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
        if let Some(connection) = self.connections.get_mut(&link) {
            let (units, pace) = (answer_units(page.weight()), Pace::messages(&self.limits));
            connection.rate.charge(units, turn.now, pace);
        }
        self.counters.one(Count::Histories);
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

/// How many messages an answer of so many bytes counts for.
pub(super) fn answer_units(bytes: usize) -> u64 {
    bytes.checked_div(ANSWER_UNIT).unwrap_or(0) as u64
}

/// The error, about the message with this id if there is one.
pub(super) fn maybe_id(error: Error, id: Option<Box<str>>) -> Error {
    match id {
        Some(id) => error.with_id(id),
        None => error,
    }
}
