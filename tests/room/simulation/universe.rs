//! Rooms, clients, and the network between them.

use std::collections::VecDeque;

use serde_json::Value;

use super::kind::Kind;
use super::place::Place;
use super::player::Player;
use super::random::Random;
use super::renew::Examined;
use super::run;
use super::tally::Tally;
use super::transcript::Transcript;
use super::wire::{Up, Wire};
use roomful::room::Kind as Sort;

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
    pub transcript: Transcript,
    pub evictions: u64,
    /// How often two clients were found to see the same.
    pub compared: u64,
    /// When that was last looked at, and whether somebody has been told something since.
    pub compared_at: u64,
    pub told: bool,
    pub tally: Tally,
    trace: bool,
}

impl Universe {
    pub fn new(seed: u64, kind: Kind) -> Universe {
        let mut random = Random(seed);
        let rooms = 1 + random.index(3);
        let people = rooms * (2 + random.index(5));
        let limits = kind.limits(&mut random);
        let names = &["north", "east", "south"][..rooms];
        let rooms = names.iter().map(|name| Place::new(name, &limits, &kind));
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
            transcript: Transcript::default(),
            evictions: 0,
            compared: 0,
            compared_at: 0,
            told: false,
            tally: Tally::default(),
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
            player.outbox.cut_off();
        }
    }
}
