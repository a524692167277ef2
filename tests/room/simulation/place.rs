//! A room with its surroundings, and who looks at it.

use super::kind::Kind;
use super::ledger::Ledger;
use super::poster::Poster;
use super::said::{Said, key};
use super::watch::Watch;
use crate::world::World;
use roomful::protocol::Limits;

pub struct Place {
    pub world: World,
    pub ledger: Ledger,
    pub said: Said,
    pub watch: Watch,
    pub poster: Poster,
    /// How many deaths of its process have been taken note of.
    pub crashes: u64,
}

impl Place {
    pub fn new(name: &str, limits: &Limits, kind: &Kind) -> Place {
        let mut world = World::with(|its| *its = limits.clone());
        world.name = name.to_owned();
        Place {
            ledger: Ledger::new(name, limits, kind.clock),
            said: Said::default(),
            watch: Watch::new(limits),
            poster: Poster::default(),
            crashes: 0,
            world,
        }
    }

    /// Servers take in what they are answered.
    pub fn take_answers(&mut self) {
        for (asked, reply) in self.poster.answered(&mut self.world) {
            if let Some((message, taken)) = asked.published(&reply) {
                self.said.answered(key(&message["data"]), taken);
            }
            self.poster
                .take(asked, reply, &mut self.ledger, &mut self.watch);
        }
    }

    /// Nothing fails any more.
    pub fn calm(&mut self) {
        self.world.store.faults.random = None;
        self.world.disk.delay = 0;
        self.world.disk.kill = None;
    }
}
