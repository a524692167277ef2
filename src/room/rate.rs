//! N6: how much one connection (or one user over HTTP) may say.

use crate::protocol::Limits;

/// How long a connection may stay over its rate before it is closed, in milliseconds (E3).
const OVER_FOR: u64 = 10_000;
/// A pause of this length, in milliseconds, ends a period of being over the rate.
const OVER_PAUSE: u64 = 1_000;

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
        let now_us = now.saturating_mul(1_000);
        let cost = cost(limits);
        let depth = cost.saturating_mul(u64::from(limits.rate_burst));
        let next = self.full_at.max(now_us).saturating_add(cost);
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
        let from = self.full_at.max(now.saturating_mul(1_000));
        self.full_at = from.saturating_add(cost(limits).saturating_mul(messages));
    }

    /// When the bucket is full again, in milliseconds: from then on it need not be remembered.
    pub fn full_at(&self) -> u64 {
        self.full_at.div_ceil(1_000)
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

/// C6: malformed messages within the last minute.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    count: u32,
    /// When the minute began, in milliseconds.
    since: u64,
}

impl Faults {
    /// With this many within a minute a connection is closed.
    pub const LIMIT: u32 = 10;
    const WINDOW: u64 = 60_000;

    /// Counts one; true when it is the last one that is borne.
    pub fn count(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.since) > Self::WINDOW {
            *self = Faults {
                count: 0,
                since: now,
            };
        }
        self.count = self.count.saturating_add(1);
        self.count >= Self::LIMIT
    }

    pub fn to_parts(self) -> (u32, u64) {
        (self.count, self.since)
    }

    pub fn from_parts((count, since): (u32, u64)) -> Faults {
        Faults { count, since }
    }
}
