//! When the next flush may go out.
//!
//! A send costs the runtime 15 to 50 µs of the room's one thread, nearly whatever its size: a profile of
//! workerd (2026-11) shows the machinery of promises around each, not the bytes. So what a room spends is
//! bounded by frames, not by messages: after a flush to N connections the next one waits
//! N / `FRAMES_PER_SECOND`, at most `MAX_TICK_MS`. 40 people who move cursors wait 16 ms so, which is one
//! frame of a display. A commit costs a row, so there are `COMMITS_PER_SECOND` of them, give or take a few
//! at once. A room that was quiet for that long waits for nothing at all.

use crate::protocol::Limits;

/// So many commits may follow each other without a pause. Without a few, people who say something at
/// about the pace of the commits would nearly all wait for one.
const COMMITS_AT_ONCE: u64 = 5;

#[derive(Clone, Copy, Debug, Default)]
pub struct Tick {
    /// When frames may go out again, in milliseconds.
    frames_at: u64,
    /// When there would be a commit had they all kept their pace, in milliseconds: the generic cell rate
    /// algorithm.
    commits_at: u64,
}

impl Tick {
    /// When an outbox may be flushed.
    pub fn due(&self, stores: bool, limits: &Limits) -> u64 {
        if !stores {
            return self.frames_at;
        }
        let ahead = pace(limits).saturating_mul(COMMITS_AT_ONCE.saturating_sub(1));
        self.frames_at.max(self.commits_at.saturating_sub(ahead))
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
            self.commits_at = self.commits_at.max(now).saturating_add(pace(limits));
        }
    }
}

/// Milliseconds from one commit to the next, in the long run.
fn pace(limits: &Limits) -> u64 {
    1_000_u64
        .checked_div(limits.commits_per_second)
        .unwrap_or(0)
}
