//! When the next flush may go out.
//!
//! A send costs the runtime some 15 µs of the room's one thread, whatever its size. So what a room
//! spends is bounded by frames, not by messages: after a flush to N connections the next one waits
//! N / `FRAMES_PER_SECOND`, at most `MAX_TICK_MS`. A commit costs a row, so after one the next waits
//! 1 / `COMMITS_PER_SECOND`. A room that was quiet for that long waits for nothing at all.

use crate::protocol::Limits;

#[derive(Clone, Copy, Debug, Default)]
pub struct Tick {
    /// When frames may go out again, in milliseconds.
    frames_at: u64,
    /// When something may be stored again, in milliseconds.
    commit_at: u64,
}

impl Tick {
    /// When an outbox may be flushed.
    pub fn due(&self, stores: bool) -> u64 {
        if stores {
            self.frames_at.max(self.commit_at)
        } else {
            self.frames_at
        }
    }

    /// Notes a flush that sent `frames` frames.
    pub fn flushed(&mut self, now: u64, frames: usize, stored: bool, limits: &Limits) {
        let frames = u64::try_from(frames).unwrap_or(u64::MAX);
        let wait = frames
            .saturating_mul(1_000)
            .checked_div(limits.frames_per_second)
            .unwrap_or(0);
        self.frames_at = now.saturating_add(wait.min(limits.max_tick_ms));
        if stored {
            let wait = 1_000_u64
                .checked_div(limits.commits_per_second)
                .unwrap_or(0);
            self.commit_at = now.saturating_add(wait);
        }
    }
}
