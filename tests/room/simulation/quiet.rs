//! When nothing is under way, all who see presence see the same, and it is true (section 6 of the
//! protocol).

use std::collections::BTreeSet;

use super::place::Place;
use super::player::Player;
use super::universe::Universe;
use crate::world::Client;
use roomful::auth::Rights;
use roomful::room::Kind as Sort;

/// Whatever is under way has arrived if nothing is due for so many milliseconds.
pub const QUIET_MS: u64 = 1_500;
/// While nothing is told to anybody, it is looked after no more often than this.
const PAUSE_MS: u64 = 6_000;

impl Universe {
    /// Nothing is due for a while: looks at what the clients of each room believe.
    pub fn quiet(&mut self) {
        if !std::mem::take(&mut self.told) && self.time < self.compared_at + PAUSE_MS {
            return;
        }
        self.compared_at = self.time;
        for room in 0..self.rooms.len() {
            let seers = self.players.iter();
            let seers = seers.filter(|player| player.room == room && self.sees(player));
            let seers: Vec<&Player> = seers.collect();
            let Some(first) = seers.first() else { continue };
            for other in &seers {
                let (ours, theirs) = (&first.view, &other.view);
                assert_eq!(
                    ours.members, theirs.members,
                    "P2: {} and {} see the same",
                    first.connection, other.connection
                );
                let sent = other.wire.is_some_and(|wire| !self.wires[wire].up.is_cut());
                if sent && !self.kind.hostile {
                    let untold = other.own_state();
                    assert_eq!(untold, None, "P2: the state of {}", other.connection);
                }
                if ours.members.is_none() {
                    assert_eq!(ours.occupancy, theirs.occupancy, "P4");
                }
            }
            self.compared += seers.len() as u64 - 1;
            let Some(members) = &first.view.members else {
                continue;
            };
            let listed: BTreeSet<&str> = members.keys().map(String::as_str).collect();
            self.check_listed(room, &listed);
        }
    }

    /// Whether a client has been told all that there is to tell of presence.
    fn sees(&self, player: &Player) -> bool {
        let Some(wire) = player.wire.filter(|_| player.welcomed && !player.hostile) else {
            return false;
        };
        let wire = &self.wires[wire];
        let looks = player.sort != Sort::Stream { presence: false } && player.can("presence");
        let world = &self.rooms[wire.room].world;
        let open = wire.client.is_some_and(|client| world.is_open(client));
        looks && open && wire.reads && !wire.down.is_cut() && wire.surely_may(Rights::PRESENCE)
    }

    /// P5: whoever is there is listed, and whoever is listed is there, or has not been gone for long.
    fn check_listed(&self, room: usize, listed: &BTreeSet<&str>) {
        let Place { world, watch, .. } = &self.rooms[room];
        let here = self.active.iter().map(|wire| &self.wires[*wire]);
        let here = here.filter(|wire| wire.room == room && !wire.arrival.kind.is_stream());
        let open = here.filter_map(|wire| {
            let Client(number) = wire.client?;
            let end = world.clients[number].link.map(|_| &world.clients[number])?;
            Some((wire, end.connection?.to_string()))
        });
        let open: Vec<_> = open.collect();
        for (wire, connection) in &open {
            let missing = wire.surely_may(Rights::PRESENCE) && !listed.contains(&**connection);
            assert!(!missing, "P2: {connection} is there, and not in {listed:?}");
        }
        for connection in listed {
            if open.iter().all(|(_, open)| open != connection)
                && let Some(meta) = &world.store.meta
            {
                let until = watch.listed_until(&meta.epoch, connection);
                let (now, until) = (world.now, until.unwrap_or(u64::MAX));
                assert!(
                    now <= until,
                    "R4, R5: {connection} is listed at {now}, not till {until}"
                );
            }
        }
    }
}
