//! N6, N11: buckets of users rather than of connections, for as long as they are not full.

use super::rate::{Over, Pace, Rate};
use crate::map::Map;
use crate::protocol::{Error, Limits};

/// A room hibernates after ten seconds in which nothing happens (Cloudflare, 2026-11), in milliseconds. What is full
/// again by then need not keep it in memory.
const PUT_AWAY_AFTER: u64 = 10_000;
/// Rates are remembered no longer than this, in milliseconds, whatever `RATE_BURST` is: the room
/// stays in memory for it.
const REMEMBERED: u64 = 60_000;
/// So many are kept before those that do not matter any more are looked for.
const MANY: usize = 1_000;
/// So many bytes that are told to who arrives count as one more connect (N11).
const ARRIVAL_UNIT: usize = 256 * 1_024;

/// The buckets of users. All of them are in memory only.
#[derive(Debug, Default)]
pub struct Rates {
    /// The emptiest that a connection of the user left behind: who leaves and comes again does not refill it.
    left: Book,
    /// Of what users ask over HTTP.
    callers: Book,
    /// When all of these can be forgotten; 0 if there are none.
    rested_at: u64,
    /// Of how often users connect.
    arrivals: Book,
    /// Of the bytes that all connections of a user send.
    said: Book,
    /// When all of these two are full, and until when the room stays in memory for them.
    full_at: u64,
    kept_until: u64,
}

impl Rates {
    /// Keeps what is left of the bucket of a connection that has gone.
    pub fn leave(&mut self, user: &str, rate: Rate, now: u64) {
        if rate.rested_at() <= now {
            return;
        }
        let left = self.left.of(user, now);
        *left = left.emptier(rate);
        self.rested_at = self.rested_at.max(remembered(rate, now));
    }

    /// The bucket that a new connection of the user begins with.
    pub fn left(&self, user: &str) -> Rate {
        self.left.rates.get(user).copied().unwrap_or_default()
    }

    /// Takes one message's worth of a user's rate over HTTP.
    pub fn call(&mut self, user: &str, now: u64, limits: &Limits) -> Result<(), Error> {
        let rate = self.callers.of(user, now);
        let taken = rate.take(now, Pace::messages(limits));
        let until = remembered(*rate, now);
        self.rested_at = self.rested_at.max(until);
        taken.map_err(Over::error)
    }

    /// Charges a user for what was answered over HTTP.
    pub fn charge_call(&mut self, user: &str, messages: u64, now: u64, limits: &Limits) {
        let rate = self.callers.of(user, now);
        rate.charge(messages, now, Pace::messages(limits));
        let until = remembered(*rate, now);
        self.rested_at = self.rested_at.max(until);
    }

    /// Lets a user connect once more, or not.
    pub fn arrive(&mut self, user: &str, now: u64, limits: &Limits) -> Result<(), Error> {
        let rate = self.arrivals.of(user, now);
        let taken = rate.take(now, Pace::connects(limits));
        let full_at = rate.rested_at();
        self.keep(full_at, now);
        taken.map_err(|over| over.error().with_message("Too many connects of this user."))
    }

    /// Charges a user for what was told at the arrival.
    pub fn charge_arrival(&mut self, user: &str, bytes: usize, now: u64, limits: &Limits) {
        let units = bytes.checked_div(ARRIVAL_UNIT).unwrap_or(0);
        if units == 0 {
            return;
        }
        let rate = self.arrivals.of(user, now);
        rate.charge(units as u64, now, Pace::connects(limits));
        let full_at = rate.rested_at();
        self.keep(full_at, now);
    }

    /// Takes a message's bytes from what all connections of a user may send together.
    ///
    /// Small ones are free, and cost no time: as many as all connections may send are no more than that.
    pub fn say(&mut self, user: &str, bytes: usize, now: u64, limits: &Limits) -> Result<(), Over> {
        let small = limits
            .message_bytes
            .checked_div(limits.connections_per_user);
        if bytes <= small.unwrap_or(0) {
            return Ok(());
        }
        let rate = self.said.of(user, now);
        rate.take_bytes(bytes, now, limits)?;
        let full_at = rate.rested_at();
        self.keep(full_at, now);
        Ok(())
    }

    /// Notes when a bucket that has just been used will be full.
    fn keep(&mut self, full_at: u64, now: u64) {
        self.full_at = self.full_at.max(full_at);
        // Counted from its use: from each look it would be put off until the bucket is full.
        let until = full_at.saturating_sub(PUT_AWAY_AFTER);
        let until = until.min(now.saturating_add(REMEMBERED));
        self.kept_until = self.kept_until.max(until);
    }

    /// Until when the room has to stay in memory for them; `None` if it does not.
    pub fn rested_at(&self, now: u64) -> Option<u64> {
        Some(self.rested_at.max(self.kept_until)).filter(|at| *at > now)
    }

    /// Forgets what does not matter any more, once nothing of its kind does.
    pub fn forget_full(&mut self, now: u64) {
        if self.rested_at > 0 && self.rested_at <= now {
            (self.left, self.callers) = Default::default();
            self.rested_at = 0;
        }
        if self.full_at > 0 && self.full_at <= now {
            (self.arrivals, self.said) = Default::default();
            (self.full_at, self.kept_until) = (0, 0);
        }
    }

    /// How many are kept.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn count(&self) -> usize {
        let books = [&self.left, &self.callers, &self.arrivals, &self.said];
        books.iter().map(|book| book.rates.len()).sum()
    }

    /// The clock was set back by so many milliseconds.
    pub fn set_back(&mut self, back: u64) {
        let Rates {
            left,
            callers,
            arrivals,
            said,
            ..
        } = self;
        for book in [left, callers, arrivals, said] {
            for rate in book.rates.values_mut() {
                rate.set_back(back);
            }
        }
        self.rested_at = self.rested_at.saturating_sub(back);
        self.full_at = self.full_at.saturating_sub(back);
        self.kept_until = self.kept_until.saturating_sub(back);
    }
}

fn remembered(rate: Rate, now: u64) -> u64 {
    rate.rested_at().min(now.saturating_add(REMEMBERED))
}

/// Buckets by user. It holds those that are not full, and at most as many others.
#[derive(Debug, Default)]
struct Book {
    rates: Map<Box<str>, Rate>,
    /// How many there are when it is next looked through.
    full: usize,
}

impl Book {
    fn of(&mut self, user: &str, now: u64) -> &mut Rate {
        if self.rates.len() >= self.full.max(MANY) {
            self.rates.retain(|_, rate| rate.rested_at() > now);
            self.full = self.rates.len().saturating_mul(2);
        }
        self.rates.entry(user.into()).or_default()
    }
}
