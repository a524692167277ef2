//! What arrives by now at either end of a connection, and what comes of it.

use std::slice;

use serde_json::Value;

use super::place::Place;
use super::said::Listener;
use super::universe::Universe;
use super::wire::{Down, Up};
use crate::world::Client;
use roomful::auth::Rights;
use roomful::protocol::ConnectionId;

impl Universe {
    /// Whatever has arrived by now, at either end.
    pub fn arrivals(&mut self) {
        for wire in self.active.clone() {
            while let Some(up) = self.wires[wire].up.pop(self.time) {
                self.put_away(self.wires[wire].room, 0);
                self.at_room(wire, up);
                self.look();
            }
            while self.wires[wire].reads
                && let Some(down) = self.wires[wire].down.pop(self.time)
            {
                self.at_client(wire, down);
            }
            let w = &mut self.wires[wire];
            if w.ping_at.is_some_and(|at| at <= self.time) {
                w.up.push(self.time, Up::Ping);
                w.ping_at = Some(self.time + 20_000);
            }
            if w.gives_up_at.is_some_and(|at| at <= self.time) {
                w.close(self.time, Some(1006));
                self.lost(wire);
            }
        }
        self.verdicts();
        self.active.retain(|wire| {
            let wire = &self.wires[*wire];
            !wire.is_over() || wire.was_open
        });
    }

    /// Something arrives at the room.
    fn at_room(&mut self, number: usize, up: Up) {
        self.trace(|| format!("wire {number} -> {up:?}"));
        let wire = &mut self.wires[number];
        let world = &mut self.rooms[wire.room].world;
        wire.heard_at = world.now;
        let Some(client) = wire.client else {
            if matches!(up, Up::Connect) {
                if wire
                    .arrival
                    .grant
                    .expires_at
                    .is_some_and(|at| at <= world.now)
                {
                    // The Worker does not let it pass.
                    wire.down.push_last(self.time, Down::End);
                    return;
                }
                self.connects(number);
            }
            return;
        };
        if !world.is_open(client) {
            return;
        }
        match up {
            Up::Connect => {}
            Up::Frame(text) => self.speaks(number, client, &text),
            Up::Binary => world.send_binary(client),
            Up::Ping => world.ping(client),
            Up::Close(code) => world.drop(client, code),
        }
    }

    /// A frame arrives at the room, which takes down what is said in it.
    fn speaks(&mut self, number: usize, client: Client, text: &str) {
        let frame = serde_json::from_str(text).unwrap_or(Value::Null);
        let messages = frame
            .as_array()
            .map_or(slice::from_ref(&frame), Vec::as_slice);
        let of = |sort: &'static str| messages.iter().filter(move |it| it["type"] == sort);
        let wire = &mut self.wires[number];
        let room = wire.room;
        let Place { world, said, .. } = &mut self.rooms[room];
        let tokens = of("auth").count() as u64;
        if tokens > 0 {
            wire.renewals += tokens;
            said.excuse(number);
        }
        let own = wire.listener(number, world);
        let from = Some(&*own.connection);
        let may = wire.surely_may(Rights::PUBLISH);
        if may || wire.renewals > 0 {
            of("publish").for_each(|publish| said.says(publish, &own.user, from));
        }
        let fits = text.len() <= world.limits.message_bytes;
        let may = may && fits && of("publish").next().is_some();
        let listeners = match may {
            true => self.listeners(room),
            false => Vec::new(),
        };
        let Place { world, said, .. } = &mut self.rooms[room];
        let crashes = world.crashes;
        world.send_text(client, text);
        if may && world.crashes == crashes && world.is_open(client) {
            // Where rates are low it may be refused.
            of("publish").for_each(|publish| match self.kind.hostile {
                true => said.asked(publish, from, Some(number), &listeners),
                false => said.taken(publish, from, &listeners),
            });
        }
    }

    /// Who surely hears what is for everybody.
    pub fn listeners(&self, room: usize) -> Vec<Listener> {
        let world = &self.rooms[room].world;
        let wires = self
            .active
            .iter()
            .map(|number| (*number, &self.wires[*number]));
        let hear = wires.filter(|(_, wire)| {
            let hears = wire.room == room && wire.surely_may(Rights::SUBSCRIBE);
            let client = wire.client.filter(|_| hears);
            let end = client.map(|client| &world.clients[client.0]);
            end.is_some_and(|end| end.link.is_some() && end.accepted)
        });
        hear.map(|(number, wire)| wire.listener(number, world))
            .collect()
    }

    /// Somebody asks to be let in.
    fn connects(&mut self, number: usize) {
        let wire = &mut self.wires[number];
        let Place { world, watch, .. } = &mut self.rooms[wire.room];
        let listed: Vec<ConnectionId> = world.store.members.keys().copied().collect();
        let client = world.connect(&wire.arrival);
        (wire.client, wire.was_open) = (Some(client), true);
        let end = &world.clients[client.0];
        if let (Some(id), Some(meta)) = (end.connection, &world.store.meta) {
            wire.epoch.clone_from(&meta.epoch);
            let (grant, was_listed) = (&wire.arrival.grant, listed.contains(&id));
            watch.accepted(&wire.epoch, &id.to_string(), grant, was_listed, world.now);
        }
    }

    /// Something arrives at the client.
    fn at_client(&mut self, number: usize, down: Down) {
        let wire = &self.wires[number];
        let who = wire.who;
        let current = self.players[who].wire == Some(number);
        match down {
            Down::Frame(frame) => {
                self.trace(|| format!("wire {number} of {who} <- {}", &**frame));
                if !current {
                    return;
                }
                let (place, asked) = (&mut self.rooms[wire.room], wire.asked.clone());
                self.told = true;
                let player = &mut self.players[who];
                let mut answers = Vec::new();
                for message in frame.messages() {
                    if player.hostile {
                        player.note(message);
                    } else {
                        let limits = &place.world.limits;
                        answers.extend(player.take(message, &asked, &mut place.ledger, limits));
                    }
                }
                if !player.sort.is_stream() {
                    for answer in answers {
                        self.send(number, &answer);
                    }
                }
            }
            Down::End => {
                self.trace(|| format!("wire {number} of {who} ends"));
                self.wires[number].close(self.time, None);
                self.lost(number);
            }
        }
    }
}
