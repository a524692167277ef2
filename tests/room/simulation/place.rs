//! A room with its surroundings, and who looks at it.

use super::kind::Kind;
use super::ledger::Ledger;
use super::poster::Poster;
use super::said::Said;
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
            watch: Watch::new(limits, kind),
            poster: Poster::default(),
            crashes: 0,
            world,
        }
    }

    /// Nothing fails any more.
    pub fn calm(&mut self) {
        self.world.store.faults.random = None;
        self.world.disk.delay = 0;
        self.world.disk.kill = None;
    }
}
