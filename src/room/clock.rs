//! A clock that is set back: nothing may have to wait until it has caught up.

use super::{Room, Turn};

impl Room {
    /// Notes the time; if it is earlier than before, moves everything that is due by as much.
    pub(super) fn look_at_clock(&mut self, turn: &mut Turn<'_>) {
        let back = self.now.saturating_sub(turn.now);
        self.now = turn.now;
        if back > 0 {
            self.set_back(back, turn);
        }
    }

    fn set_back(&mut self, back: u64, turn: &mut Turn<'_>) {
        let now = turn.now;
        self.tick = Default::default();
        for at in [
            &mut self.comment_at,
            &mut self.crowd.quiet_until,
            &mut self.owed.retry_at,
        ] {
            *at = at.map(|at| at.saturating_sub(back));
        }
        self.rates.set_back(back);
        self.leaves.clear();
        for (id, absent) in &mut self.absent {
            absent.leave_at = absent.leave_at.saturating_sub(back);
            absent.rate.set_back(back);
            self.leaves.insert((absent.leave_at, *id));
        }
        self.saves.set_back(now);
        for connection in self.connections.values_mut() {
            connection.heard_at = connection.heard_at.min(now);
            connection.traffic_at = connection.traffic_at.min(now);
            connection.rate.set_back(back);
        }
        // The timer runs on, so it comes too early rather than too late. The alarm waits for a
        // time of the clock, which is now further off.
        (self.has_alarm, self.alarm_at) = (false, None);
        self.vacancy.set_back(now);
        self.arm_for_all(turn);
    }
}
