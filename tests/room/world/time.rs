//! Time, with what falls into it: timers, alarms, writes that become safe.

use roomful::room::{Input, Link};

use super::World;

impl World {
    /// When something happens next by itself.
    pub fn due(&self) -> Option<u64> {
        let wakes = [self.timer, self.alarm, self.disk.due()];
        wakes.into_iter().flatten().min()
    }

    /// Somebody sets the clock; what the runtime has been asked for takes as long as it would have.
    pub fn set_clock(&mut self, by: i64) {
        let to = |at: u64| at.saturating_add_signed(by);
        self.now = self.now.saturating_add_signed(by);
        self.timer = self.timer.map(to);
        self.disk.clock_jumps(to);
    }

    /// Lets time pass, with the timers and alarms that fall into it.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        let mut turns = 0;
        loop {
            turns += 1;
            assert!(turns < 100_000, "the room does not come to rest");
            let written = self
                .disk
                .due()
                .filter(|at| *at <= until)
                .map(|at| at.max(self.now));
            let timer = self
                .timer
                .map(|at| at.max(self.now))
                .filter(|at| *at <= until);
            let alarm = self
                .alarm
                .map(|at| at.max(self.now))
                .filter(|at| *at <= until);
            if let Some(at) = written
                && [timer, alarm].iter().flatten().all(|other| at <= *other)
            {
                self.now = at;
                for outward in self.disk.written() {
                    self.let_out(outward);
                }
                continue;
            }
            match (timer, alarm) {
                (Some(at), alarm) if alarm.is_none_or(|other| at <= other) => {
                    (self.now, self.timer) = (at, None);
                    self.handle(Input::Timer);
                }
                (_, Some(at)) => {
                    (self.now, self.alarm) = (at, None);
                    self.ring();
                }
                _ => break,
            }
        }
        self.now = until;
    }

    fn ring(&mut self) {
        self.looks.push(self.now);
        if !self.wake() {
            // The runtime tries again.
            self.alarm = Some(self.now + 2_000);
            return;
        }
        let ends = self.clients.iter();
        let pings: Vec<(Link, u64)> = ends
            .filter_map(|end| Some((end.link?, end.pinged_at?)))
            .collect();
        self.lives += 1;
        let fresh = self.fresh();
        self.ringing = Some(self.now);
        self.handle(Input::Alarm {
            pings: &pings,
            fresh,
        });
        self.ringing = None;
    }
}
