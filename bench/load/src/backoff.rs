//! How long a client waits before it connects again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// As in `client/src/connection.ts` (µs).
const FIRST_RETRY: u64 = 500_000;
const LAST_RETRY: u64 = 30_000_000;
const LIVED: u64 = 10_000_000;

/// Anywhere between nothing and a pause that doubles, so that a crowd that was dropped together does
/// not return together.
#[derive(Clone, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause (µs) after a connection that lived so long, or was never open.
    pub fn pause(&mut self, lived: Option<u64>, random: &mut Random) -> u64 {
        if lived.is_some_and(|lived| lived > LIVED) {
            self.attempts = 0;
        }
        let most = LAST_RETRY.min(FIRST_RETRY << self.attempts.min(10));
        self.attempts += 1;
        random.below(most)
    }
}

/// Chance enough for pauses: <https://prng.di.unimi.it/splitmix64.c>.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_connection_lives() {
        let mut random = Random(7);
        let mut most = |backoffs: &mut [Backoff], lived| {
            let pauses = backoffs.iter_mut().map(|one| one.pause(lived, &mut random));
            pauses.max().unwrap_or_default()
        };
        let mut crowd = vec![Backoff::default(); 1_000];
        assert!((450_000..500_000).contains(&most(&mut crowd, None)));
        assert!((900_000..1_000_000).contains(&most(&mut crowd, None)));
        assert!((1_800_000..2_000_000).contains(&most(&mut crowd, Some(LIVED))));
        assert!((450_000..500_000).contains(&most(&mut crowd, Some(LIVED + 1))));
        let mut long = vec![Backoff { attempts: 90 }; 1_000];
        assert!((27_000_000..30_000_000).contains(&most(&mut long, None)));
    }
}
