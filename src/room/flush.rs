//! The end of a tick: persist, then send, then acknowledge.

use super::counters::Count;
use super::delivery::Delivery;
use super::fill::not_stored;
use super::outbox::Audience;
use super::{Action, Link, Room, Turn};
use crate::protocol::Error;

impl Room {
    /// Stores and sends whatever the outbox holds (design: the tick).
    pub(super) fn flush(&mut self, turn: &mut Turn<'_>) {
        if self.meta.crowded {
            // In the middle of an event, what has changed in it is still there.
            self.members.forget_changes();
        }
        if self.members.changed() {
            let members = &mut self.members;
            self.outbox
                .share(Audience::Presence, Box::default(), |out| {
                    members.write_changes(out)
                });
        }
        let stores = self.outbox.stores();
        let lost = if stores { self.commit(turn) } else { None };
        let deliveries = self
            .outbox
            .deliver(&self.connections, &self.links, &self.meta.epoch);
        self.counters.one(Count::Flushes);
        self.counters.add(Count::Commits, stores.into());
        self.counters.add(Count::MessagesSent, deliveries.messages);
        self.tick
            .flushed(turn.now, deliveries.count(), stores, &self.limits);
        if self.arrived.is_empty() {
            self.members.forget_list();
        }
        for link in self.arrived.drain(..) {
            if let Some(connection) = self.connections.get_mut(&link) {
                connection.since = 0;
            }
        }
        for delivery in deliveries.frames {
            self.note_traffic(&delivery.to, turn.now);
            turn.out.push(Action::Send(delivery));
        }
        turn.out
            .extend(deliveries.events.into_iter().map(Action::Stream));
        self.answer_publishers(lost.as_ref(), turn);
    }

    /// Stores the messages of the outbox. What cannot be stored is taken back, and its senders are
    /// told why, as it is returned.
    fn commit(&mut self, turn: &mut Turn<'_>) -> Option<Error> {
        let stored = self.log.append(
            turn.now,
            self.outbox.stored(),
            &self.limits,
            &mut *turn.store,
        );
        self.pending = 0;
        let reason = stored.err()?;
        let error = not_stored(reason.code());
        let lost = self.outbox.revoke(self.log.offset(), &error);
        self.log.revoke();
        self.counters.errors(error.code, lost);
        turn.storage_failed("flush", &reason, lost);
        Some(error)
    }

    /// Only of plain clients does it matter when they were last sent something (C4).
    fn note_traffic(&mut self, to: &[Link], now: u64) {
        if self.plain == 0 {
            return;
        }
        for link in to {
            if let Some(connection) = self.connections.get_mut(link)
                && connection.traffic(now, &self.limits)
            {
                self.save_later(*link, now);
            }
        }
    }

    /// Event streams get a comment now and then, so that nothing between takes them for dead (H7).
    pub(super) fn comment(&mut self, turn: &mut Turn<'_>) {
        let Some(at) = self.comment_at else { return };
        if turn.now < at {
            return;
        }
        let streams = self.connections.iter().filter(|(_, c)| c.kind.is_stream());
        let to: Vec<Link> = streams.map(|(link, _)| *link).collect();
        if to.is_empty() {
            self.comment_at = None;
            return;
        }
        self.comment_at = Some(turn.now.saturating_add(self.limits.ping_ms));
        turn.out.push(Action::Stream(Delivery {
            to,
            text: ":\n\n".to_owned(),
        }));
    }
}
