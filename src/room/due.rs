//! What is due by now, and when to be woken for the rest.

use super::tick::News;
use super::{Action, Room, Turn};

/// An outbox of this many bytes does not wait for the tick.
const OUTBOX_BYTES: usize = 1_000_000;
/// Nor does one of which so many bytes have to be copied for single connections: the copies exist at
/// the same time, and the memory of the wasm, once grown, never shrinks.
const OUTBOX_COPIES: usize = 24_000_000;

/// A timer so late, in milliseconds, was overtaken: it measures a span, and the clock was set forward. Less may be a
/// busy machine, of which the timer is to tell when it comes.
const OVERDUE_MS: u64 = 1_000;

impl Room {
    /// Does what is due, and asks to be woken for the rest.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        while let Some(&(at, connection)) = self.leaves.first()
            && at <= turn.now
        {
            self.end_absence(connection, turn);
        }
        self.judge_crowd(turn);
        self.tell_occupancy(turn);
        self.pay_owed(turn);
        let due = turn.now >= self.flush_at() || self.outbox_is_full();
        if due && self.something_to_send() {
            self.flush(turn);
        }
        self.comment(turn);
        self.save_due(turn);
        self.rates.forget_full(turn.now);
        self.note_vacancy(turn);
        if let Some(at) = self.next_wake()
            && self
                .timer_at
                .is_none_or(|armed| at < armed || armed.saturating_add(OVERDUE_MS) < turn.now)
        {
            self.timer_at = Some(at);
            turn.out.push(Action::Timer { at });
        }
    }

    fn something_to_send(&self) -> bool {
        !self.outbox.is_empty() || self.members.changed() || !self.waiting.is_empty()
    }

    /// Whether the outbox has grown so far that it must go out before the tick is over.
    pub(super) fn outbox_is_full(&self) -> bool {
        self.outbox.bytes() >= OUTBOX_BYTES
            || self.outbox.copies(self.arrived.len()) >= OUTBOX_COPIES
    }

    fn flush_at(&self) -> u64 {
        let news = if self.outbox.stores() {
            News::Stored
        } else if self.outbox.says() || self.members.changed() || !self.waiting.is_empty() {
            News::Said
        } else {
            News::Roster
        };
        self.tick.due(news, &self.limits)
    }

    pub(super) fn next_wake(&self) -> Option<u64> {
        let flush = self.something_to_send().then(|| self.flush_at());
        let leave = self.leaves.first().map(|(at, _)| *at);
        let (save, rested) = (self.saves.next(), self.rates.rested_at(self.now));
        let wakes = [
            flush,
            leave,
            save,
            rested,
            self.crowd.quiet_until,
            self.owed.retry_at,
            self.comment_at,
        ];
        wakes.into_iter().flatten().min()
    }
}
