//! Time: it goes from one thing that is due to the next, and rooms that are quiet are put away.

use super::quiet::QUIET_MS;
use super::universe::Universe;

impl Universe {
    /// Lets time pass, with all that falls into it.
    pub fn pass(&mut self, ms: u64) {
        let until = self.time + ms;
        for _ in 0..200_000 {
            self.look();
            let due = self.due();
            if due.is_none_or(|at| at >= self.time + QUIET_MS) {
                self.quiet();
            }
            match due.filter(|at| *at <= until) {
                Some(at) => {
                    self.advance(at.max(self.time));
                    self.arrivals();
                }
                None => return self.advance(until),
            }
        }
        panic!("it does not come to rest");
    }

    fn due(&self) -> Option<u64> {
        let rooms = self.rooms.iter().filter_map(|place| {
            let wait = place.world.due()?.saturating_sub(place.world.now);
            Some(self.time + wait)
        });
        let wires = self
            .active
            .iter()
            .filter_map(|wire| self.wires[*wire].due());
        let examined = self.examined.front().map(|examined| examined.at);
        rooms.chain(wires).chain(examined).min()
    }

    fn advance(&mut self, at: u64) {
        let by = at - self.time;
        for room in 0..self.rooms.len() {
            self.put_away(room, by);
            self.rooms[room].world.pass(by);
        }
        self.time = at;
        self.look();
    }

    /// Puts a room away that has been quiet for long enough.
    pub fn put_away(&mut self, room: usize, by: u64) {
        let Some(idle) = self.kind.evicts_after else {
            return;
        };
        if self.examined.iter().any(|examined| examined.room == room) {
            return;
        }
        let world = &mut self.rooms[room].world;
        let quiet = (world.now + by).saturating_sub(world.last_event);
        if quiet >= idle && world.evict() {
            self.evictions += 1;
        }
    }
}
