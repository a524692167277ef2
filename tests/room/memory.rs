//! How the storage of these tests fails: on demand, or now and then.

use std::collections::BTreeSet;

use roomful::room::{StoreError, StoreResult};

use crate::simulation::Random;

/// Storage that fails on demand.
pub type Memory = roomful_memory::Memory<Faults>;

#[derive(Clone, Default)]
pub struct Faults {
    /// Calls of these names fail.
    pub failing: BTreeSet<&'static str>,
    /// What fails does so because the database is full.
    pub full: bool,
    /// So many calls of `append` succeed before the others fail.
    pub append_after: Option<u32>,
    /// So many calls of `heads` succeed before the others fail.
    pub heads_after: Option<u32>,
    /// A seed of failures: one call in so many fails, whatever it is but those with which a room wakes.
    pub random: Option<(Random, u64)>,
    /// Failures after which a room does not know its oldest row, since it was erased last.
    pub oldest_lost: u64,
}

impl roomful_memory::Faults for Faults {
    fn judge(&mut self, call: &'static str) -> StoreResult<()> {
        let unlucky = match &mut self.random {
            Some((random, one_in)) if !matches!(call, "meta" | "members") => {
                random.below(*one_in) == 0
            }
            _ => false,
        };
        let spent = match call {
            "append" => is_spent(&mut self.append_after),
            "heads" => is_spent(&mut self.heads_after),
            _ => false,
        };
        if unlucky || spent || self.failing.contains(call) {
            self.oldest_lost += u64::from(matches!(call, "heads" | "forget"));
            let reason = if self.full { ": SQLITE_FULL" } else { "" };
            return Err(StoreError(format!("{call} fails{reason}")));
        }
        if call == "erase" {
            self.oldest_lost = 0;
        }
        Ok(())
    }
}

/// Counts a call; true if none of those that succeed is left.
fn is_spent(left: &mut Option<u32>) -> bool {
    let spent = *left == Some(0);
    *left = left.map(|left| left.saturating_sub(1));
    spent
}
