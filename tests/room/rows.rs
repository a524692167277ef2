//! Rows that grow: what a quiet room says shares rows, and nobody can tell.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::simulation::Random;
use crate::world::{Client, World, arrival, json};
use roomful::protocol::HistoryQuery;
use roomful::room::Call;

const SECOND: u64 = 1_000;

/// Publishes a message with these members.
pub fn say(world: &mut World, client: Client, message: Value) {
    let mut whole = json!({"type": "publish", "event": "m"});
    let more = message.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(more);
    world.send(client, whole);
}

/// Which messages each row holds.
fn rows(world: &World) -> Vec<RangeInclusive<u64>> {
    let rows = world.store.log.values();
    rows.map(|row| row.first..=row.last).collect()
}

/// The offsets in the history.
pub fn history(world: &mut World) -> Vec<u64> {
    let query = HistoryQuery::from_query("limit=1000").unwrap();
    let page = world.ask(Call::History(query)).unwrap();
    let messages = page["messages"].as_array().unwrap();
    let offsets = messages.iter().map(|m| m["offset"].as_u64().unwrap());
    offsets.collect()
}

#[test]
fn n5_what_a_quiet_room_says_shares_rows_and_costs_one_row_written_each() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let before = world.store.rows_written;
    for _ in 0..100 {
        say(&mut world, ana, json!({}));
        world.pass(SECOND);
        world.evict();
    }
    assert_eq!(world.store.rows_written, before + 100);
    // How old the first row is cannot be told after a wake, so it does not grow.
    assert_eq!(rows(&world), [1..=1, 2..=33, 34..=65, 66..=97, 98..=100]);
    assert_eq!(history(&mut world), (1..=100).collect::<Vec<_>>());
}

#[test]
fn n5_a_row_grows_no_larger_than_a_page() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for bytes in [10, 1_000, 1_000, 1_000, 1_000, 5_000, 10, 10] {
        say(&mut world, ana, json!({"data": "x".repeat(bytes)}));
        world.pass(SECOND);
    }
    assert_eq!(rows(&world), [1..=1, 2..=4, 5..=5, 6..=6, 7..=8]);
    let bytes: u64 = world.store.log.values().map(|row| row.bytes()).sum();
    let summary = world.ask(Call::Summary).unwrap();
    assert_eq!(summary["history"]["bytes"], bytes);
}

#[test]
fn n5_a_row_grows_for_a_hundredth_of_the_age() {
    let mut world = World::with(|limits| limits.history_ms = 100 * SECOND);
    let (ana, _) = world.join("ana");
    for _ in 0..9 {
        say(&mut world, ana, json!({}));
        world.pass(300);
    }
    // A row is no younger than the end of the one before it: 3 times 300 ms are within a second.
    assert_eq!(rows(&world), [1..=1, 2..=4, 5..=7, 8..=9]);
    // The first of the last row was said 600 ms ago, the last one 300 ms ago.
    world.pass(100 * SECOND - 300 - 100);
    assert_eq!(history(&mut world), [8, 9], "none leaves early");
    world.pass(SECOND);
    assert_eq!(history(&mut world), [0; 0]);
}

#[test]
fn n5_rows_without_text_do_not_grow() {
    let mut world = World::with(|limits| limits.history_messages = 0);
    let (ana, _) = world.join("ana");
    for _ in 0..3 {
        say(&mut world, ana, json!({}));
        world.pass(SECOND);
    }
    assert_eq!(rows(&world), [3..=3]);
    world.restart();
    world.limits.history_messages = 1_000;
    let (ana, _) = world.join("ana");
    for _ in 0..3 {
        say(&mut world, ana, json!({}));
        world.pass(SECOND);
    }
    assert_eq!(history(&mut world), [4, 5, 6]);
}

#[test]
fn n5_h3_what_was_said_while_the_history_was_off_is_in_no_sum() {
    let mut world = World::with(|limits| limits.history_messages = 0);
    let (ana, _) = world.join("ana");
    for _ in 0..3 {
        say(&mut world, ana, json!({}));
        world.pass(SECOND);
    }
    world.restart();
    world.limits.history_messages = 1_000;
    world.restart();
    let (ana, _) = world.join("ana");
    let summary = |world: &mut World| world.ask(Call::Summary).unwrap()["history"].clone();
    assert_eq!(
        summary(&mut world),
        json!({"messages": 0, "bytes": 0, "first_offset": null})
    );
    say(&mut world, ana, json!({}));
    world.pass(SECOND);
    let after = summary(&mut world);
    assert_eq!(
        (&after["messages"], &after["first_offset"]),
        (&json!(1), &json!(4))
    );
}

#[test]
fn m4_ids_in_a_row_that_grew_count_once_after_a_wake_and_a_restart() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    for id in ["first", "", "a\"\\\u{1}]", "b", "", "c"] {
        let message = if id.is_empty() {
            json!({})
        } else {
            json!({"id": id})
        };
        say(&mut world, ana, message);
        world.pass(SECOND);
        assert!(world.evict());
    }
    assert_eq!(rows(&world), [1..=1, 2..=6]);
    world.read(ana);
    say(&mut world, ana, json!({"id": "a\"\\\u{1}]"}));
    assert_eq!(world.brief(ana), ["ack a\"\\\u{1}] #3"]);
    world.restart();
    let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 6));
    say(&mut world, ana, json!({"id": "c"}));
    say(&mut world, ana, json!({"id": "d"}));
    assert_eq!(world.brief(ana), ["ack c #6", "m null #7", "ack d #7"]);
    assert_eq!(rows(&world), [1..=1, 2..=7]);
}

#[test]
fn m4_an_id_is_forgotten_with_its_row() {
    let mut world = World::with(|limits| limits.history_ms = 100 * SECOND);
    let (ana, _) = world.join("ana");
    for id in ["1", "2", "3"] {
        say(&mut world, ana, json!({"id": id}));
        world.pass(300);
    }
    assert_eq!(rows(&world), [1..=1, 2..=3]);
    // The second message is older than the history by now, but not by a hundredth of it.
    world.pass(100 * SECOND - 500);
    world.read(ana);
    say(&mut world, ana, json!({"id": "2"}));
    assert_eq!(world.brief(ana), ["ack 2 #2"]);
    world.pass(SECOND);
    say(&mut world, ana, json!({"id": "2"}));
    assert_eq!(world.brief(ana), ["m null #4", "ack 2 #4"]);
}

#[test]
fn r2_m3_skips_in_a_row_that_grew_are_replayed() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    for (client, echo) in [
        (ana, true),
        (ana, false),
        (bob, false),
        (ana, true),
        (ana, false),
    ] {
        say(&mut world, client, json!({"echo": echo}));
        world.pass(SECOND);
        assert!(world.evict());
    }
    assert_eq!(rows(&world), [1..=1, 2..=5]);
    world.drop(ana, 1006);
    let (ana, back) = world.enter(&arrival("ana").resuming(&welcome, 1));
    assert_eq!(back["recovered"], true);
    let replayed = ["skip #2", "m null #3", "m null #4", "skip #5"];
    assert_eq!(world.brief(ana), replayed);
}

#[test]
fn m5_a_row_that_cannot_grow_stays_as_it_was_and_only_that_flush_is_taken_back() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for id in ["1", "2", "3"] {
        say(&mut world, ana, json!({"id": id}));
        world.pass(SECOND);
    }
    let stored = world.store.log.clone();
    world.read(ana);
    world.store.faults.failing.insert("append");
    say(&mut world, ana, json!({"id": "4", "echo": false}));
    assert_eq!(world.brief(ana), ["error storage_failed 4"]);
    assert_eq!(world.store.log, stored);
    assert_eq!(history(&mut world), [1, 2, 3]);
    world.store.faults.failing.clear();
    for id in ["3", "4"] {
        say(&mut world, ana, json!({"id": id}));
    }
    assert_eq!(world.brief(ana), ["ack 3 #3", "m null #4", "ack 4 #4"]);
    assert_eq!(rows(&world), [1..=1, 2..=4]);
}

/// What was said: when, and how many bytes it takes in a row.
struct Said {
    at: u64,
    bytes: u64,
}

/// Small bounds, random sizes and pauses, storage that fails now and then: nothing leaves early, what
/// has left is not shown, and whether the room slept makes no difference to what is stored.
#[test]
fn n5_m5_c3_rows_that_grow_keep_the_bounds_of_the_history() {
    let mut grown = 0;
    for seed in 0..15 {
        let mut random = Random(seed);
        let pause = [300, 3 * SECOND, 30 * SECOND][random.below(3) as usize];
        let size = [100, 1_500, 6_000][random.below(3) as usize];
        let mut worlds = [false, true].map(|sleeps| {
            let mut world = World::with(|limits| {
                limits.history_messages = 40;
                limits.history_ms = 200 * SECOND;
                limits.history_bytes = 65_536;
            });
            let (ana, _) = world.join("ana");
            world.pass(3 * SECOND);
            (world, ana, sleeps)
        });
        let mut said: Vec<Said> = Vec::new();
        for step in 0..300 {
            let data = "x".repeat(random.below(size) as usize);
            let now = worlds[0].0.now;
            let (fails, rests) = (random.below(20) == 0, 150 + random.below(pause));
            for (world, ana, sleeps) in &mut worlds {
                if fails {
                    world.store.faults.failing.insert("append");
                }
                say(world, *ana, json!({"data": data, "id": step.to_string()}));
                world.store.faults.failing.clear();
                world.pass(rests);
                if *sleeps {
                    world.evict();
                }
            }
            let log = &worlds[0].0.store.log;
            assert_eq!(*log, worlds[1].0.store.log, "seed {seed}, step {step}");
            if !fails {
                let (_, newest) = log.last_key_value().unwrap();
                let bytes = newest.messages.len() as u64;
                let text: Vec<Value> =
                    serde_json::from_str(&format!("[{}]", newest.messages)).unwrap();
                assert_eq!(text.len() as u64, newest.last + 1 - newest.first);
                assert!(bytes <= 3_500 || text.len() == 1);
                let bytes = text.last().unwrap().to_string().len() as u64;
                said.push(Said { at: now, bytes });
            }
            if step % 15 == 0 {
                for (world, ..) in &mut worlds {
                    check(world, &said);
                }
            }
        }
        grown += worlds[0].0.store.grown;
    }
    assert!(grown > 300, "{grown}");
}

fn check(world: &mut World, said: &[Said]) {
    let shown = history(world);
    let mut bytes = 0;
    for (place, Said { at, bytes: own }) in said.iter().enumerate().rev() {
        let (offset, age, newer) = (place as u64 + 1, world.now - at, said.len() - place - 1);
        bytes += own + 1;
        let is_shown = shown.contains(&offset);
        // A row leaves as a whole: by size a little early, by age a little late.
        let must = newer < 40 && age <= 200 * SECOND && bytes + 4_096 <= 65_536;
        let may = newer < 40 && age <= 202 * SECOND + 100 && bytes <= 65_536 + 41;
        assert!(is_shown || !must, "{offset} is missing, {age} ms old");
        assert!(may || !is_shown, "{offset} is shown, {age} ms old");
    }
}
