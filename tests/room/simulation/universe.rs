//! Rooms, clients, and the network between them: what happens when, and what is checked then.

use std::collections::VecDeque;

use serde_json::Value;

use super::kind::Kind;
use super::ledger::Ledger;
use super::player::Player;
use super::poster::Poster;
use super::random::Random;
use super::run;
use super::watch::Watch;
use super::wire::{Down, Up, Wire};
use crate::memory::Memory;
use crate::verifying::Verifying;
use crate::world::World;
use roomful::auth::Grant;
use roomful::protocol::{ConnectionId, Error};
use roomful::room::Kind as Sort;

/// One room with its surroundings, and who looks at it.
pub struct Place {
    pub world: World,
    pub ledger: Ledger,
    pub watch: Watch,
    pub poster: Poster,
    /// How many deaths of its process have been taken note of.
    pub crashes: u64,
}

/// A token under examination.
pub struct Examined {
    pub at: u64,
    pub room: usize,
    pub verifying: Verifying,
    pub grant: Result<Grant, Error>,
}

pub struct Universe {
    pub kind: Kind,
    /// Milliseconds since it began; the rooms' clocks may be set otherwise.
    pub time: u64,
    pub rooms: Vec<Place>,
    pub players: Vec<Player>,
    pub wires: Vec<Wire>,
    /// Those on which something may still happen.
    pub active: Vec<usize>,
    pub examined: VecDeque<Examined>,
    /// Everything that went out, if somebody wants to know.
    pub transcript: Vec<String>,
    pub evictions: u64,
    trace: bool,
}

impl Universe {
    pub fn new(seed: u64, kind: Kind) -> Universe {
        let mut random = Random(seed);
        let rooms = 1 + random.index(3);
        let people = rooms * (2 + random.index(5));
        let limits = kind.limits(&mut random);
        let rooms = (0..rooms).map(|number| {
            let mut world = World::with(|its| *its = limits.clone());
            world.name = ["north", "east", "south"][number].to_owned();
            Place {
                ledger: Ledger::new(&world.name, &limits, kind.clock),
                watch: Watch::new(&limits, &kind),
                poster: Poster::default(),
                crashes: 0,
                world,
            }
        });
        let rooms: Vec<Place> = rooms.collect();
        let players = (0..people).map(|number| {
            let sort = match random.below(10) {
                0 | 1 => Sort::PlainSocket,
                // A stream keeps its room awake.
                2 if random.chance(50) => Sort::Stream {
                    presence: random.chance(70),
                },
                _ => Sort::Socket,
            };
            let mut player = Player::new(number, number % rooms.len(), sort);
            player.lenient = kind.clock;
            player.hostile = kind.hostile && number > 0 && random.chance(30);
            player
        });
        Universe {
            kind,
            time: 0,
            players: players.collect(),
            rooms,
            wires: Vec::new(),
            active: Vec::new(),
            examined: VecDeque::new(),
            transcript: Vec::new(),
            evictions: 0,
            trace: run::traces(),
        }
    }

    pub fn trace(&self, text: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>8} {}", self.time, text());
        }
    }

    pub fn open_wire(&mut self, wire: Wire) -> usize {
        let number = self.wires.len();
        self.active.push(number);
        self.wires.push(wire);
        let wire = &mut self.wires[number];
        wire.up.push(self.time, Up::Connect);
        if wire.arrival.kind == Sort::Socket {
            wire.ping_at = Some(self.time + 20_000);
        }
        number
    }

    // Time.

    /// Lets time pass, with all that falls into it.
    pub fn pass(&mut self, ms: u64) {
        let until = self.time + ms;
        for _ in 0..200_000 {
            self.look();
            match self.due().filter(|at| *at <= until) {
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
    fn put_away(&mut self, room: usize, by: u64) {
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

    /// Whatever has arrived by now, at either end.
    fn arrivals(&mut self) {
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
        while self
            .examined
            .front()
            .is_some_and(|examined| examined.at <= self.time)
        {
            let Some(Examined {
                room,
                verifying,
                grant,
                ..
            }) = self.examined.pop_front()
            else {
                return;
            };
            self.put_away(room, 0);
            self.renewed(room, verifying, grant);
            self.look();
        }
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
            Up::Frame(text) => world.send_text(client, &text),
            Up::Binary => world.send_binary(client),
            Up::Ping => world.ping(client),
            Up::Close(code) => world.drop(client, code),
        }
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
            watch.epoch.clone_from(&meta.epoch);
            let can = wire.arrival.grant.can;
            watch.accepted(&id.to_string(), can, listed.contains(&id), world.now);
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

    pub fn send(&mut self, wire: usize, message: &Value) {
        let time = self.time;
        self.wires[wire]
            .up
            .push(time, Up::Frame(message.to_string()));
    }

    /// A client has lost a connection.
    pub fn lost(&mut self, wire: usize) {
        let player = &mut self.players[self.wires[wire].who];
        if player.wire == Some(wire) {
            (player.wire, player.welcomed) = (None, false);
            for (_, sent) in &mut player.outbox {
                *sent = false;
            }
        }
    }

    /// Nothing fails any more.
    pub fn calm(&mut self) {
        for place in &mut self.rooms {
            let store: &mut Memory = &mut place.world.store;
            store.faults.random = None;
            place.world.disk.delay = 0;
            place.world.disk.kill = None;
        }
    }
}
