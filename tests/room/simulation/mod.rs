//! Seeded crowds of clients around real rooms, on a network, a disk and a clock that misbehave.
//!
//! A seed gives a universe (rooms, people, limits) and a list of steps; nothing else is random.
//! After everything that happens, what was promised is checked; at the end all come back, and all
//! must see the same. A seed that fails is run again with fewer steps until none can be left out,
//! and prints these and the line that repeats it. `TRACE=1` shows what is said.
//!
//! | file | holds |
//! | --- | --- |
//! | `kind`, `step` | what may happen, and the list of it |
//! | `universe`, `place`, `wire` | rooms and clients, a room with its surroundings, a connection's way through the network |
//! | `time`, `arrive`, `act`, `renew`, `finish` | what happens when, what arrives, carrying out a step, new tokens, the end |
//! | `player`, `outbox` | a client that follows the protocol, and what it sends until it is acknowledged |
//! | `welcome`, `hear`, `view` | what it was promised of its welcome, of messages, and of presence |
//! | `hostile`, `poster` | clients that do not follow it, and servers over HTTP |
//! | `look`, `ledger`, `said`, `watch`, `bans` | what is checked after each event: of the log, of what is said, of the connections |
//! | `quiet` | what is checked when nothing is under way: of presence |
//! | `run`, `long` | running, repeating, shortening; as many seeds as one likes |
//! | `tally`, `transcript` | what happened, in numbers and word for word |

mod act;
mod arrive;
mod bans;
mod finish;
mod found;
mod hear;
mod hostile;
mod kind;
mod ledger;
mod long;
mod look;
mod outbox;
mod place;
mod player;
mod poster;
mod quiet;
mod random;
mod renew;
mod run;
mod said;
mod step;
mod tally;
mod time;
mod transcript;
mod universe;
mod view;
mod watch;
mod welcome;
mod wire;

use kind::Kind;
pub use random::Random;
use tally::Tally;

/// So many seeds of each kind run with the tests.
const SEEDS: u64 = 250;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs the seeds of a kind that run with the tests.
fn each_seed(kind: &str) -> Tally {
    let kind = Kind::named(kind);
    let mut tally = Tally::default();
    for seed in 0..variable("SEEDS").unwrap_or(SEEDS) {
        match run::check(seed, kind) {
            Ok(run) => tally.add(run),
            Err(failed) => panic!("{}", failed.shortest()),
        }
    }
    tally
}

#[test]
fn e4_crowds_in_peace() {
    each_seed("peace").holds(&[
        ("stored", 800),
        ("ephemeral", 400),
        ("private", 150),
        ("skip", 200),
        ("states", 700),
        ("views compared", 2_000),
    ]);
}

#[test]
fn e4_m4_m5_r2_p5_crowds_survive_everything() {
    each_seed("storm").holds(&[
        ("row grown", 150),
        ("eviction", 1_000),
        ("crash", 200),
        ("storage_failed", 8),
        ("closed 4506", 20),
    ]);
}

#[test]
fn m5_r5_crowds_survive_a_process_that_dies_at_any_point() {
    each_seed("crash").holds(&[("crash", 250), ("recovered", 400)]);
}

#[test]
fn e4_crowds_survive_a_clock_that_jumps() {
    each_seed("clock").holds(&[("clock set back", 70), ("clock set forward", 70)]);
}

#[test]
fn p4_p5_crowds_come_and_go() {
    each_seed("crowd").holds(&[("occupancy", 250), ("members", 20)]);
}

#[test]
fn n5_r2_r3_short_histories_are_never_replayed_in_part() {
    each_seed("short").holds(&[("recovered", 200), ("too late to recover", 100)]);
}

#[test]
fn e4_n6_r1_h4_honest_people_among_hostile_ones() {
    each_seed("hostile").holds(&[
        ("rate_limited", 60),
        ("bad_message", 60),
        ("bad_messages", 1),
        ("message_too_large", 4),
        ("closed 4505", 4),
    ]);
}

/// Whether the room was put away between two events or not, every client gets the same bytes.
#[test]
fn c3_clients_cannot_tell_that_the_room_was_put_away() {
    each_seed("sleep").holds(&[("eviction", 800), ("occupancy", 300)]);
}

/// What `npm run simulate` runs.
#[test]
#[ignore = "as long as one likes: npm run simulate"]
fn long() {
    assert_eq!(long::run(), 0, "seeds that fail");
}
