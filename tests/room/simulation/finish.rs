//! The end: nothing fails any more, all come back but a few, and when it is quiet all see the same.

use std::collections::BTreeSet;

use super::place::Place;
use super::player::Player;
use super::step::Way;
use super::universe::Universe;
use super::view::listed;
use crate::world::{World, json};

const ALL: &str = "subscribe publish presence history";

impl Universe {
    pub fn finish(&mut self) {
        self.rooms.iter_mut().for_each(Place::calm);
        let away: Vec<bool> = self.players.iter().map(|p| p.number % 4 == 3).collect();
        for round in 0..60 {
            for (who, away) in away.iter().enumerate() {
                self.return_or_leave(who, *away, round);
            }
            self.pass(100);
            for (who, away) in away.iter().enumerate() {
                if !*away {
                    self.speak_again(who, round);
                }
            }
            // Bans end, and whoever is silent is noticed.
            self.pass(if round < 5 { 60_000 } else { 2_000 });
            let settled = |player: &Player| {
                player.hostile
                    || player.wire.is_some()
                        && player.outbox.is_empty()
                        && player.own_state().is_none()
            };
            let mut players = self.players.iter().zip(&away);
            if round > 5 && players.all(|(player, away)| *away || settled(player)) {
                break;
            }
        }
        self.pass(15_000);
        for room in 0..self.rooms.len() {
            self.check_presence(room, &away);
        }
        for place in &mut self.rooms {
            // Buckets fill, graces end, and then there is nothing to wait for.
            let waits = |world: &World| world.room.as_ref().is_some_and(|room| room.is_waiting());
            for _ in 0..20 {
                if waits(&place.world) {
                    place.world.pass(10_000);
                }
            }
            let streams = place.world.clients.iter();
            let mut streams = streams.filter(|end| end.link.is_some() && end.kind.is_stream());
            assert!(
                streams.next().is_some() || !waits(&place.world),
                "a quiet room may sleep"
            );
        }
    }

    fn return_or_leave(&mut self, who: usize, away: bool, round: u64) {
        match self.players[who].wire {
            Some(wire) if away && round == 0 => {
                self.wires[wire].reads = true;
                self.wires[wire].close(self.time, Some(1006));
                self.lost(wire);
            }
            Some(wire) => self.wires[wire].reads = true,
            None if away => {}
            None => self.connect(who, Way::Resume, ALL, None, (1, 1), None),
        }
    }

    fn speak_again(&mut self, who: usize, round: u64) {
        let Some(wire) = self.socket(who) else { return };
        if round == 0 {
            self.send(wire, &json!({"type": "auth", "token": ALL}));
        }
        let player = &mut self.players[who];
        if player.hostile {
            return;
        }
        // A state may have been refused for its rate.
        let mut texts: Vec<_> = player.own_state().into_iter().collect();
        texts.extend(player.outbox.send(10));
        for text in texts {
            self.send(wire, &text);
        }
    }

    fn check_presence(&mut self, room: usize, away: &[bool]) {
        let place = &mut self.rooms[room];
        let presence = place.world.presence();
        let members = presence.get("members").map(|_| listed(&presence));
        let ends = place.world.clients.iter().filter(|end| end.link.is_some());
        let open: BTreeSet<String> = ends
            .filter_map(|end| Some(end.connection?.to_string()))
            .collect();
        assert_eq!(
            presence["occupancy"]["connections"],
            open.len(),
            "occupancy"
        );
        let rows = place.world.store.members.keys().map(ToString::to_string);
        let rows: BTreeSet<String> = rows.collect();
        if let Some(members) = &members {
            let listed: BTreeSet<String> = members.keys().cloned().collect();
            assert!(
                listed.is_subset(&open),
                "P5: ghosts in {listed:?}, {open:?} are there"
            );
            assert_eq!(rows, listed, "P5: ghosts in storage");
        }
        for player in self.players.iter().filter(|player| player.room == room) {
            if away[player.number] || player.hostile {
                continue;
            }
            let Player {
                outbox, user, view, ..
            } = player;
            let bans = &self.rooms[room].world.store.bans;
            if bans
                .get(user)
                .is_some_and(|until| *until > self.rooms[room].world.now)
            {
                continue;
            }
            if player.lenient && player.wire.is_none() {
                // Two tabs of a user have come to the same id, and replace each other.
                continue;
            }
            assert!(player.wire.is_some(), "{user} did not get in");
            assert!(outbox.is_empty(), "{outbox:?} of {}", player.connection);
            let looks = !matches!(player.sort, roomful::room::Kind::Stream { presence: false });
            let sees = looks && player.can("presence");
            if sees {
                assert_eq!(view.members, members, "{user} sees something else");
                if members.is_none() {
                    assert_eq!(view.occupancy, presence["occupancy"], "P4: {user}");
                }
            }
            if let Some(members) = view.members.as_ref().filter(|_| !player.sort.is_stream()) {
                assert_eq!(members[&player.connection].1, player.state);
            }
            if !player.gap && player.can("subscribe") {
                let newest = self.rooms[room].world.store.newest_offset();
                assert_eq!(player.offset, newest, "{user} misses the last messages");
            }
        }
    }
}
