//! N6: how much one connection (or one user over HTTP) may say.

use crate::map::Map;
use crate::protocol::{ConnectionId, Limits};

/// How long a connection may stay over its rate before it is closed, in milliseconds (E3).
const OVER_FOR: u64 = 10_000;
/// A pause of this length, in milliseconds, ends a period of being over the rate.
const OVER_PAUSE: u64 = 1_000;
/// A bucket can be so many messages below empty: what one reply from the history costs at most.
const DEBT: u64 = 128;

/// A token bucket in the form of the generic cell rate algorithm: one time instead of a level and a
/// time, so that it fits an attachment and "full" needs no upkeep.
///
/// `full_at` is when the bucket will be full again, in microseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    full_at: u64,
    /// When the current period of refusals began and last went on, in milliseconds; 0 for none.
    over_since: u64,
    refused_at: u64,
}

/// A refusal by [`Rate::take`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Milliseconds until one message would be taken.
    pub retry_after: u64,
    /// It has been over the rate for ten seconds on end.
    pub too_long: bool,
}

impl Rate {
    /// Takes one message's worth.
    pub fn take(&mut self, now: u64, limits: &Limits) -> Result<(), Over> {
        let (now_us, cost, depth) = (now.saturating_mul(1_000), cost(limits), depth(limits));
        self.full_at = self.level(now_us, limits);
        let next = self.full_at.saturating_add(cost);
        let latest = now_us.saturating_add(depth);
        if next <= latest {
            self.full_at = next;
            return Ok(());
        }
        if self.over_since == 0 || now.saturating_sub(self.refused_at) > OVER_PAUSE {
            self.over_since = now.max(1);
        }
        self.refused_at = now;
        Err(Over {
            retry_after: next.saturating_sub(latest).div_ceil(1_000),
            too_long: now.saturating_sub(self.over_since) >= OVER_FOR,
        })
    }

    /// Charges for work already done (history replies); may leave the bucket below empty.
    pub fn charge(&mut self, messages: u64, now: u64, limits: &Limits) {
        let now_us = now.saturating_mul(1_000);
        let cost = cost(limits).saturating_mul(messages);
        self.full_at = self.level(now_us, limits).saturating_add(cost);
    }

    /// `full_at`, but never further off than a bucket can be from full: after the clock was set
    /// back nobody is refused for longer than that.
    fn level(&self, now_us: u64, limits: &Limits) -> u64 {
        let debt = cost(limits).saturating_mul(DEBT);
        let most = now_us.saturating_add(depth(limits)).saturating_add(debt);
        self.full_at.clamp(now_us, most)
    }

    /// From when on this, in milliseconds, need not be remembered.
    pub fn rested_at(&self) -> u64 {
        let pause = match self.over_since {
            0 => 0,
            _ => self.refused_at.saturating_add(OVER_PAUSE).saturating_add(1),
        };
        self.full_at.div_ceil(1_000).max(pause)
    }

    /// The three numbers that an attachment keeps.
    pub fn to_parts(self) -> (u64, u64, u64) {
        (self.full_at, self.over_since, self.refused_at)
    }

    pub fn from_parts((full_at, over_since, refused_at): (u64, u64, u64)) -> Rate {
        Rate {
            full_at,
            over_since,
            refused_at,
        }
    }
}

/// Microseconds in which one message's worth is refilled.
fn cost(limits: &Limits) -> u64 {
    1_000_000_u64
        .checked_div(u64::from(limits.rate_per_second))
        .unwrap_or(1_000_000)
        .max(1)
}

/// Microseconds in which an empty bucket is refilled.
fn depth(limits: &Limits) -> u64 {
    cost(limits).saturating_mul(u64::from(limits.rate_burst))
}

/// Rates of those who are not connected: of connections that left with less than a full bucket, so
/// that a resume does not refill it, and of users over HTTP.
#[derive(Debug, Default)]
pub struct Rates {
    resting: Map<ConnectionId, Rate>,
    publishers: Map<Box<str>, Rate>,
    /// When all of them can be forgotten.
    rested_at: u64,
}

/// Rates are remembered no longer than this, in milliseconds, whatever `RATE_BURST` is: the room
/// stays in memory for it.
const REMEMBERED: u64 = 60_000;
/// So many are kept before those that do not matter any more are looked for.
const MANY: usize = 1_000;

impl Rates {
    /// Keeps the rate of a connection that has gone.
    pub fn rest(&mut self, connection: ConnectionId, rate: Rate, now: u64) {
        if rate.rested_at() <= now {
            return;
        }
        if self.resting.len() >= MANY {
            self.resting.retain(|_, rate| rate.rested_at() > now);
        }
        self.resting.insert(connection, rate);
        self.remember(rate, now);
    }

    /// Gives back the rate of a connection that has returned.
    pub fn wake(&mut self, connection: ConnectionId) -> Option<Rate> {
        self.resting.remove(&connection)
    }

    /// Takes one message's worth of a user's rate over HTTP.
    pub fn take(&mut self, user: &str, now: u64, limits: &Limits) -> Result<(), Over> {
        if self.publishers.len() >= MANY {
            self.publishers.retain(|_, rate| rate.rested_at() > now);
        }
        let rate = self.publishers.entry(user.into()).or_default();
        let taken = rate.take(now, limits);
        let rate = *rate;
        self.remember(rate, now);
        taken
    }

    fn remember(&mut self, rate: Rate, now: u64) {
        let until = rate.rested_at().min(now.saturating_add(REMEMBERED));
        self.rested_at = self.rested_at.max(until);
    }

    /// When all that is remembered can be forgotten; `None` if nothing is.
    pub fn rested_at(&self) -> Option<u64> {
        (self.rested_at > 0).then_some(self.rested_at)
    }

    /// Forgets everything once none of it matters any more.
    pub fn forget_full(&mut self, now: u64) {
        if self.rested_at > 0 && self.rested_at <= now {
            *self = Rates::default();
        }
    }

    /// The clock was set back by so many milliseconds.
    pub fn set_back(&mut self, back: u64) {
        self.rested_at = self.rested_at.saturating_sub(back);
    }
}

/// C6: when the latest malformed messages came, in milliseconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<u64>);

impl Faults {
    /// With this many within a minute a connection is closed.
    pub const LIMIT: usize = 10;
    const WINDOW: u64 = 60_000;

    /// Counts one; true when it is the last one that is borne.
    pub fn count(&mut self, now: u64) -> bool {
        self.0
            .retain(|at| *at <= now && now.saturating_sub(*at) < Self::WINDOW);
        self.0.push(now);
        self.0.len() >= Self::LIMIT
    }

    pub fn to_parts(&self) -> Vec<u64> {
        self.0.clone()
    }

    pub fn from_parts(times: Vec<u64>) -> Faults {
        Faults(times)
    }
}
