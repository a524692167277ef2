//! Seeded crowds of clients that join, speak, drop and resume, while the room is put away,
//! restarted and deleted, and while storage fails now and then.
//!
//! After each step every client checks what it was promised (`player`). At the end all come back,
//! and all must see the same. A seed that fails prints a line that repeats it, `SEEDS=1000` runs so
//! many of each kind, `TRACE=1` shows what is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::player::{Player, Truth, Unacked, listed, merge};
use crate::world::{World, arrival, json};
use roomful::auth::Rights;
use roomful::protocol::{Error, ErrorCode};
use roomful::room::{Input, Kind};

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

/// What may happen beside what clients do.
#[derive(Copy, Clone, Debug, Default)]
struct Perils {
    /// The room is put away whenever it does not mind.
    evictions: bool,
    /// Only after so many milliseconds without an event, as the runtime does.
    idle: u64,
    restarts: bool,
    failures: bool,
    clock: bool,
    deletions: bool,
}

const ALL: Perils = Perils {
    evictions: true,
    idle: 0,
    restarts: true,
    failures: true,
    clock: false,
    deletions: true,
};

struct Simulation {
    world: World,
    random: Random,
    perils: Perils,
    players: Vec<Player>,
    truth: Truth,
    last_event: u64,
    /// Everything that every client ever got.
    transcript: Vec<String>,
    evictions: u64,
}

const CODES: &[u16] = &[
    1000, 1001, 1005, 1006, 1006, 1006, 1011, 3000, 4101, 4300, 4504, 4999,
];

impl Simulation {
    fn new(seed: u64, perils: Perils) -> Simulation {
        let mut random = Random(seed);
        let count = 2 + random.below(9);
        let crowd = random.below(4) == 0;
        let slow = random.pick(&[100, 500, 5_000]);
        let world = World::with(|limits| {
            limits.frames_per_second = slow;
            limits.rate_per_second = 1_000;
            limits.rate_burst = 10_000;
            if crowd {
                limits.members = 4;
            }
        });
        Simulation {
            world,
            random,
            perils,
            players: (0..count as usize)
                .map(|number| Player::new(number, perils.clock))
                .collect(),
            truth: Truth::default(),
            last_event: 0,
            transcript: Vec::new(),
            evictions: 0,
        }
    }

    fn run(&mut self, steps: u64) {
        for step in 0..steps {
            self.step();
            self.read_all();
            if step % 10 == 0 {
                self.check_log();
            }
        }
        self.finish();
    }

    fn step(&mut self) {
        let player = self.random.below(self.players.len() as u64) as usize;
        match self.random.below(100) {
            0..18 => self.arrive(player),
            18..46 => self.publish(player),
            46..56 => self.set_state(player),
            56..62 => self.drop(player),
            62..64 => self.renew(player),
            64..66 => self.post(),
            66 => self.ask_history(player),
            67 => self.kick(player),
            68 => self.delete(),
            69..71 => self.restart(),
            71..74 => self.toggle_failures(),
            74 => self.set_clock(),
            75 => self.nonsense(player),
            _ => self.let_time_pass(),
        }
    }

    fn arrive(&mut self, player: usize) {
        // Sometimes while the older socket is still open.
        if self.players[player].client.is_some() && !self.random.chance(15) {
            return;
        }
        let resume = self.random.chance(90);
        let can = match self.random.below(12) {
            0 => "subscribe publish history",
            1 => "publish presence",
            2 => "subscribe publish presence",
            _ => "subscribe publish presence history",
        };
        let kind = if self.random.chance(20) {
            Kind::PlainSocket
        } else {
            Kind::Socket
        };
        let expires = self
            .random
            .chance(10)
            .then(|| self.world.now + self.random.below(120_000));
        let p = &mut self.players[player];
        let before = p.client;
        let mut arrival = p.arrival(resume).kind(kind);
        arrival.grant.can = Rights::from_names(can.split(' '));
        arrival.grant.expires_at = expires;
        let client = self.world.connect(&arrival);
        if self.world.clients[client.0].refused.is_some() {
            assert!(self.perils.failures, "nobody is refused but for storage");
            return;
        }
        let p = &mut self.players[player];
        if let Some(before) = before {
            // What came on the older socket before the end does not count, but for its order.
            let replaced = !self.world.is_open(before);
            if !replaced {
                self.world.drop(before, 1006);
            } else {
                assert_eq!(self.world.closed(before), Some(4504));
            }
        }
        p.client = Some(client);
    }

    fn publish(&mut self, player: usize) {
        let count = if self.random.chance(20) {
            1 + self.random.below(6)
        } else {
            1
        };
        let mut frame = Vec::new();
        for _ in 0..count {
            let kind = self.random.below(10);
            let other = self.random.pick(&["user:u1", "user:u2", "user:u5"]);
            let echo = self.random.chance(80);
            let p = &mut self.players[player];
            let number = p.next_number;
            p.next_number += 1;
            let mut message = json!({"type": "publish", "event": "m", "echo": echo});
            match kind {
                0..5 => {
                    // With an id it may be sent twice, so its order does not matter.
                    let id = format!("{}-{player}-{number}", p.connection);
                    message["id"] = json!(id);
                    message["data"] = json!(id);
                    p.unacked.push_back(Unacked {
                        id,
                        echo,
                        sent: true,
                    });
                }
                5 => message["data"] = json!(number),
                6..8 => {
                    message["data"] = json!(number);
                    message["ephemeral"] = json!(true);
                }
                _ => {
                    message["data"] = json!(number);
                    message["to"] = json!([other]);
                }
            }
            frame.push(message);
        }
        let Some(client) = self.players[player].client else {
            // It is sent when there is a connection.
            for unacked in &mut self.players[player].unacked {
                unacked.sent = false;
            }
            return;
        };
        let frame = if count == 1 {
            frame.remove(0)
        } else {
            Value::Array(frame)
        };
        self.world.send(client, frame);
    }

    fn resend(&mut self, player: usize) {
        let p = &mut self.players[player];
        let Some(client) = p.client else { return };
        let mut messages = Vec::new();
        for unacked in p.unacked.iter_mut().filter(|unacked| !unacked.sent) {
            unacked.sent = true;
            let Unacked { id, echo, .. } = unacked;
            messages.push(json!({
                "type": "publish", "event": "m", "id": id, "data": id, "echo": echo,
            }));
        }
        for message in messages {
            self.world.send(client, message);
        }
    }

    fn set_state(&mut self, player: usize) {
        let Some(client) = self.players[player].client else {
            return;
        };
        if !self.players[player].can("presence") {
            return;
        }
        let value = self.random.below(1_000);
        let state = &mut self.players[player].state;
        let message = match self.random.below(5) {
            0 => {
                *state = Value::Null;
                json!({"type": "state", "state": null})
            }
            1 | 2 => {
                let patch = match self.random.below(3) {
                    0 => json!({"a": value}),
                    1 => json!({"b": value, "a": null}),
                    _ => json!({"c": {"deep": value}}),
                };
                merge(state, &patch);
                json!({"type": "state", "patch": patch})
            }
            _ => {
                *state = json!({"a": value, "b": 1});
                json!({"type": "state", "state": state})
            }
        };
        self.world.send(client, message);
    }

    fn drop(&mut self, player: usize) {
        let code = self.random.pick(CODES);
        if let Some(client) = self.players[player].client.take() {
            self.world.drop(client, code);
        }
    }

    fn renew(&mut self, player: usize) {
        let can = self.random.pick(&[
            "subscribe publish presence history",
            "subscribe publish presence history",
            "publish presence",
            "subscribe publish",
        ]);
        let rights = Rights::from_names(can.split(' '));
        let fails = self.random.chance(20);
        let grant = if fails {
            Err(Error::new(ErrorCode::InvalidToken))
        } else {
            Ok(rights)
        };
        self.renew_to(player, grant);
    }

    fn renew_to(&mut self, player: usize, rights: Result<Rights, Error>) {
        let Some(client) = self.players[player].client else {
            return;
        };
        self.world
            .send(client, json!({"type": "auth", "token": "t"}));
        let Some((link, id, _)) = self.world.verifying.pop() else {
            return;
        };
        let grant = arrival(&self.players[player].user).grant;
        let grant = rights.map(|can| roomful::auth::Grant { can, ..grant });
        self.world.handle(Input::Renewed { link, id, grant });
    }

    fn post(&mut self) {
        let echo = self.random.below(1_000);
        let message = json!({"event": "http", "data": {"n": echo}});
        let _ = self.world.post(message);
    }

    fn ask_history(&mut self, player: usize) {
        let Some(client) = self.players[player].client else {
            return;
        };
        let after = self.random.below(30);
        self.world.send(
            client,
            json!({"type": "history", "id": "h", "after": after}),
        );
    }

    fn kick(&mut self, player: usize) {
        let user = self.players[player].user.clone();
        let _ = self.world.disconnect(json!({"user": user}));
    }

    fn delete(&mut self) {
        if self.perils.deletions && self.random.chance(30) && self.world.delete().is_ok() {
            for player in &self.players {
                if let Some(client) = player.client {
                    assert!(!self.world.is_open(client));
                }
            }
        }
    }

    fn restart(&mut self) {
        if self.perils.restarts && self.random.chance(60) {
            self.world.restart();
        }
    }

    fn toggle_failures(&mut self) {
        let one_in = 2 + self.random.below(10);
        let random = Random(self.random.next());
        if self.perils.failures {
            let store = &mut self.world.store;
            store.random = if store.random.is_some() {
                None
            } else {
                Some((random, one_in))
            };
        }
    }

    fn set_clock(&mut self) {
        let (by, back) = (self.random.below(3_600_000), self.random.chance(50));
        if self.perils.clock && self.random.chance(30) {
            if back {
                self.world.now -= by;
                // What the runtime has been asked for comes after as long as it would have.
                self.world.timer = self.world.timer.map(|at| at.saturating_sub(by));
            } else {
                self.world.now += by;
            }
        }
    }

    fn nonsense(&mut self, player: usize) {
        let text = self.random.pick(&[
            "{",
            "[]",
            "{\"type\":\"dance\"}",
            "[1,{\"type\":\"state\"}]",
        ]);
        if let Some(client) = self.players[player].client {
            self.world.send_text(client, text);
        }
    }

    fn let_time_pass(&mut self) {
        let long = self
            .random
            .pick(&[3, 20, 20, 100, 100, 1_500, 1_500, 12_000, 70_000]);
        let time = self.random.below(long + 1);
        for player in 0..self.players.len() {
            // Most clients ping; one that is silent is closed some day.
            if self.random.chance(97)
                && let Some(client) = self.players[player].client
            {
                self.world.ping(client);
            }
        }
        self.read_all();
        self.last_event = self.world.last_event;
        self.world.pass(time);
        self.evict();
    }

    fn evict(&mut self) {
        let idle = self.world.now.saturating_sub(self.world.last_event);
        if self.perils.evictions && idle >= self.perils.idle && self.world.evict() {
            self.evictions += 1;
            // Nothing wakes within the same millisecond.
            self.world.now += u64::from(self.perils.idle == 0);
        }
    }

    /// Everybody takes in what has arrived, and answers.
    fn read_all(&mut self) {
        for player in 0..self.players.len() {
            loop {
                let p = &mut self.players[player];
                let Some(client) = p.client else { break };
                let frames = self.world.read_frames(client);
                let open = self.world.is_open(client);
                for frame in &frames {
                    if std::env::var("TRACE").is_ok() {
                        eprintln!("{} {player}: {frame}", self.world.now % 10_000_000);
                    }
                    self.transcript.push(format!("{player} {}", mask(frame)));
                    for message in crate::world::flatten(frame) {
                        if let Some(answer) = p.take(&message, &mut self.truth) {
                            self.world.send(client, answer);
                        }
                    }
                }
                if !open {
                    let code = self.world.closed(client);
                    self.transcript.push(format!("{player} closed {code:?}"));
                    p.client = None;
                    break;
                }
                if frames.is_empty() {
                    break;
                }
            }
        }
        if self.perils.evictions && self.perils.idle == 0 {
            self.evict();
        }
    }

    /// The log is dense, and holds every acknowledged message once at its offset.
    fn check_log(&mut self) {
        let Some(meta) = &self.world.store.meta else {
            return;
        };
        let messages = self.world.store.messages();
        assert!(
            messages
                .iter()
                .map(|(offset, _)| *offset)
                .eq(1..=messages.len() as u64)
        );
        let mut ids: BTreeMap<String, u64> = BTreeMap::new();
        for (offset, message) in &messages {
            if let Some(id) = message["data"].as_str() {
                let twice = ids.insert(id.to_owned(), *offset);
                // After a clock was set back, a session may have lost its connection id.
                assert!(twice.is_none() || self.perils.clock, "{id} counts twice");
            }
        }
        for player in self
            .players
            .iter()
            .filter(|player| player.epoch == meta.epoch)
        {
            for (id, offset) in &player.acked {
                let found = ids.get(id);
                let right = found == Some(offset) || (found.is_some() && self.perils.clock);
                assert!(right, "{id} was acknowledged as {offset}, not {found:?}");
            }
        }
    }

    /// All come back and wait until it is quiet: then all see the same.
    fn finish(&mut self) {
        self.world.store.random = None;
        let Perils {
            evictions,
            clock,
            idle,
            ..
        } = self.perils;
        self.perils = Perils {
            evictions,
            clock,
            idle,
            ..Perils::default()
        };
        for round in 0..6 {
            for player in 0..self.players.len() {
                let open = self.players[player]
                    .client
                    .is_some_and(|c| self.world.is_open(c));
                if !open {
                    let arrival = self.players[player].arrival(true);
                    let client = self.world.connect(&arrival);
                    assert!(self.world.clients[client.0].refused.is_none());
                    self.players[player].client = Some(client);
                }
                if round == 0 {
                    self.renew_to(player, Ok(Rights::DEFAULT));
                }
                self.resend(player);
                // A state may have been refused for its rate.
                if round > 0
                    && let Some(state) = self.players[player].own_state()
                {
                    self.world.send(self.players[player].client.unwrap(), state);
                }
                self.world.ping(self.players[player].client.unwrap());
            }
            self.read_all();
            self.world.pass(if round < 4 { 200 } else { 15_000 });
            self.read_all();
        }
        self.check_log();
        let presence = self.world.presence();
        let room = presence.get("members").map(|_| listed(&presence));
        for player in &self.players {
            assert!(
                player.unacked.is_empty(),
                "{:?} of {}",
                player.unacked,
                player.connection
            );
            if !player.can("presence") {
                continue;
            }
            assert_eq!(player.view, room, "{} sees something else", player.user);
            if let Some(view) = &player.view {
                assert_eq!(view[&player.connection].1, player.state);
            }
            if player.can("subscribe") && !player.gap() {
                assert_eq!(player.offset, self.world.store.newest_offset());
            }
        }
        let rows = self.world.store.members.keys().map(ToString::to_string);
        let rows: BTreeSet<String> = rows.collect();
        if let Some(room) = room {
            assert_eq!(rows, room.into_keys().collect(), "no ghosts in storage");
        }
        // Buckets fill, graces end, and then there is nothing to wait for.
        let waits = |world: &World| world.room.as_ref().is_some_and(|room| room.is_waiting());
        for _ in 0..10 {
            if waits(&self.world) {
                self.world.pass(10_000);
            }
        }
        assert!(!waits(&self.world), "a quiet room may sleep");
    }
}

/// Without what is random, and differs when a room that nobody had used was put away.
fn mask(frame: &str) -> String {
    let mut text = frame.to_owned();
    for key in ["\"session\":\"", "\"epoch\":\""] {
        let mut from = 0;
        while let Some(place) = text[from..].find(key) {
            from += place + key.len();
            let end = from + text[from..].find('"').unwrap();
            text.replace_range(from..end, "");
        }
    }
    text
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match variable("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("SEEDS").unwrap_or(default),
    }
}

/// Runs seeds; one that fails says how to repeat it.
fn each_seed(name: &str, default: u64, run: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in seeds(default) {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
            eprintln!("repeat with: SEED={seed} cargo test --test room {name}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn simulate(seed: u64, perils: Perils) -> Simulation {
    let mut simulation = Simulation::new(seed, perils);
    simulation.run(250);
    simulation
}

#[test]
fn e4_m4_m5_r2_p5_crowds_survive_everything() {
    let grown = std::sync::atomic::AtomicU64::new(0);
    each_seed("e4_m4_m5_r2_p5_crowds_survive_everything", 120, |seed| {
        let simulation = simulate(seed, ALL);
        let rows = simulation.world.store.grown;
        grown.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(grown.into_inner() > 0, "no row grew");
}

#[test]
fn e4_crowds_survive_a_clock_that_jumps() {
    each_seed("e4_crowds_survive_a_clock_that_jumps", 40, |seed| {
        simulate(seed, Perils { clock: true, ..ALL });
    });
}

#[test]
fn e4_crowds_in_peace() {
    each_seed("e4_crowds_in_peace", 20, |seed| {
        simulate(seed, Perils::default());
    });
}

/// Seeds that once found something.
#[test]
fn e4_found_seeds() {
    for seed in [3, 7, 144, 312, 448, 528] {
        simulate(seed, ALL);
    }
    for seed in [1, 4, 32, 42, 285] {
        simulate(seed, Perils { clock: true, ..ALL });
    }
}

/// Design, section 5: whether the room was put away between two events or not, every client gets
/// the same bytes.
#[test]
fn c3_clients_cannot_tell_that_the_room_was_put_away() {
    let evicted = std::sync::atomic::AtomicU64::new(0);
    each_seed(
        "c3_clients_cannot_tell_that_the_room_was_put_away",
        40,
        |seed| {
            let perils = Perils {
                deletions: true,
                ..Perils::default()
            };
            let stayed = simulate(seed, perils);
            let slept = simulate(
                seed,
                Perils {
                    evictions: true,
                    idle: 1_000,
                    ..perils
                },
            );
            evicted.fetch_add(slept.evictions, std::sync::atomic::Ordering::Relaxed);
            for (place, (a, b)) in stayed.transcript.iter().zip(&slept.transcript).enumerate() {
                assert_eq!(a, b, "at {place}");
            }
            assert_eq!(stayed.transcript.len(), slept.transcript.len());
        },
    );
    assert!(evicted.into_inner() > 0);
}
