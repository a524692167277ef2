//! When the next flush may go out.
//!
//! A send costs the runtime 15 to 50 µs of the room's one thread, nearly whatever its size: a profile of
//! workerd (2026-11) shows the machinery of promises around each, not the bytes. So what a room spends is
//! bounded by frames, not by messages: after a flush to N connections the next one waits
//! N / `FRAMES_PER_SECOND`, at most `MAX_TICK_MS`. 40 people who move cursors wait 33 ms so: 30 frames a
//! second for each, for less than a fifth of the CPU of one frame for each message (at 25 ms it was
//! 1/4.6 to 1/5.2, at 16 ms a quarter; 2026-11). A commit costs a row, so there are `COMMITS_PER_SECOND`
//! of them, give or take a few at once. A room that was quiet for that long waits for nothing at all.
//!
//! `MAX_TICK_MS` is less than 50, the pace at which a client's `throttle` and many a ticker send: a
//! hundred people to whom one thing is said every 50 ms met a tick of 50 by a hair each time, with a p50
//! of 27 ms where 40 has 4 (2026-11). To 270 who move cursors 40 costs no more than 50.
//!
//! Where even that is more than the machine can do, what comes in queues up before the room, which shows
//! in timers that come late. Then the tick grows, up to twice `MAX_TICK_MS`: fewer frames, so that latency
//! grows by milliseconds and not without end (400 cursors at 110 % of a core: p99 474 ms, and 818 without).
//!
//! Who came and who left is worth half as many frames: a thousand people who arrive within two seconds
//! would otherwise cost as much to announce as to let in, and nobody sees that a long list grew a quarter
//! of a second later. It waits only while there is nothing else to say, so the order stays.

use crate::protocol::Limits;

/// So many commits may follow each other without a pause. Without a few, people who say something at
/// about the pace of the commits would nearly all wait for one.
const COMMITS_AT_ONCE: u64 = 5;
/// So many times as long as anything else do joins and leaves wait that have a flush for themselves,
const ROSTER_PATIENCE: u64 = 2;
/// and at most so many times `MAX_TICK_MS`,
const ROSTER_TICKS: u64 = 6;
/// though no longer than this, in milliseconds, unless a tick is.
const ROSTER_MS: u64 = 240;

/// What a flush would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing but who came and who left.
    Roster,
    /// Something that nobody waits for longer than a tick.
    Said,
    /// The same, and something has to be stored first.
    Stored,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Tick {
    /// When frames may go out again, in milliseconds.
    frames_at: u64,
    /// When frames may go out that hold joins and leaves only.
    roster_at: u64,
    /// When there would be a commit had they all kept their pace, in milliseconds: the generic cell rate
    /// algorithm.
    commits_at: u64,
    /// By how many milliseconds the tick is longer than it should be, since timers come late.
    strain: u64,
}

impl Tick {
    /// When an outbox may be flushed.
    pub fn due(&self, news: News, limits: &Limits) -> u64 {
        match news {
            News::Roster => self.roster_at,
            News::Said => self.frames_at,
            News::Stored => {
                let ahead = pace(limits).saturating_mul(COMMITS_AT_ONCE.saturating_sub(1));
                self.frames_at.max(self.commits_at.saturating_sub(ahead))
            }
        }
    }

    /// Notes a timer that came so many milliseconds after its time.
    pub fn timer_late(&mut self, late: u64, limits: &Limits) {
        // Behind a flush to hundreds of sockets a timer waits for half a tick in the best of rooms.
        let bearable = limits.max_tick_ms.checked_div(2).unwrap_or(0);
        let strain = late.saturating_sub(bearable).saturating_mul(2);
        // Half of what it was and half of what it is: neither one hiccup nor one good moment decides.
        self.strain = self.strain.midpoint(strain.min(limits.max_tick_ms));
    }

    /// By how many milliseconds the tick is longer than it should be.
    pub fn strain(&self) -> u64 {
        self.strain
    }

    /// Notes a flush that sent `frames` frames.
    pub fn flushed(&mut self, now: u64, frames: usize, stored: bool, limits: &Limits) {
        let frames = u64::try_from(frames).unwrap_or(u64::MAX);
        let wait = frames
            .saturating_mul(1_000)
            .checked_div(limits.frames_per_second)
            .unwrap_or(0);
        let tick = wait.min(limits.max_tick_ms).saturating_add(self.strain);
        self.frames_at = now.saturating_add(tick);
        let patience = wait.saturating_mul(ROSTER_PATIENCE);
        let most = limits.max_tick_ms.saturating_mul(ROSTER_TICKS);
        let patience = patience.min(most).min(ROSTER_MS.max(limits.max_tick_ms));
        self.roster_at = now.saturating_add(patience.max(tick));
        if stored {
            // A flush that could not wait took its turn all the same: what comes later waits for one
            // pause, not for every such flush.
            let most = pace(limits).saturating_mul(COMMITS_AT_ONCE);
            let next = self.commits_at.max(now).saturating_add(pace(limits));
            self.commits_at = next.min(now.saturating_add(most));
        }
    }
}

/// Milliseconds from one commit to the next, in the long run. One more than it need be pays for those
/// that came at once: a busy minute has no more commits than it may.
fn pace(limits: &Limits) -> u64 {
    1_000_u64
        .checked_div(limits.commits_per_second)
        .unwrap_or(0)
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the tick after a flush to a large crowd, if a timer came so late before it.
    fn after(tick: &mut Tick, late: u64) -> u64 {
        let limits = Limits::default();
        tick.timer_late(late, &limits);
        tick.flushed(1_000, 400, false, &limits);
        tick.due(News::Said, &limits) - 1_000
    }

    #[test]
    fn m6_late_timers_make_the_tick_longer_and_prompt_ones_give_it_back() {
        let mut tick = Tick::default();
        assert_eq!(after(&mut tick, 0), 40);
        assert_eq!(after(&mut tick, 20), 40, "as late as a flush is long");
        assert_eq!(after(&mut tick, 45), 60);
        for _ in 0..10 {
            assert!(after(&mut tick, 5_000) <= 80, "twice MAX_TICK_MS at most");
        }
        assert!(after(&mut tick, 5_000) > 75);
        for _ in 0..10 {
            after(&mut tick, 2);
        }
        assert_eq!(after(&mut tick, 2), 40);
    }

    #[test]
    fn p2_joins_and_leaves_alone_never_go_out_before_anything_else_may() {
        let limits = Limits::default();
        for late in [0, 30, 5_000] {
            for frames in [0, 1, 10, 40, 400] {
                let mut tick = Tick::default();
                tick.timer_late(late, &limits);
                tick.flushed(1_000, frames, false, &limits);
                let (roster, said) = (News::Roster, News::Said);
                assert!(
                    tick.due(roster, &limits) >= tick.due(said, &limits),
                    "{late}"
                );
            }
        }
    }
}
