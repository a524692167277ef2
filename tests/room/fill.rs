//! How much lies on the disk: never more than twice the history, and nothing that has expired for long.

use serde_json::Value;

use crate::rows::history;
use crate::simulation::Random;
use crate::world::{Client, World, arrival, json};
use roomful::room::{Call, Kind};

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

/// Publishes a message with these members, and lets the tick pass.
pub fn say(world: &mut World, client: Client, message: Value) {
    crate::rows::say(world, client, message);
    world.pass(100);
}

/// Bytes of the log on the disk.
pub fn lies(world: &World) -> u64 {
    world.store.log.values().map(|row| row.bytes()).sum()
}

#[test]
fn n10_large_messages_after_many_small_ones_do_not_pile_up() {
    for sleeps in [false, true] {
        let mut world = World::with(|limits| limits.history_bytes = 1_000_000);
        let (ana, _) = world.join("ana");
        let mut said = 0_u64;
        for (count, size) in [(240, 4_000), (60, 60_000), (500, 4_000), (40, 60_000)] {
            for _ in 0..count {
                say(&mut world, ana, json!({"data": "x".repeat(size)}));
                said += 1;
                if sleeps {
                    world.pass(1_000);
                    world.evict();
                }
                let lies = lies(&world);
                assert!(lies <= 2_000_000, "{lies} bytes after {said}");
                world.read(ana);
            }
        }
        // What is in the history is all there.
        let summary = world.ask(Call::Summary).unwrap();
        let shown = said + 1 - summary["history"]["first_offset"].as_u64().unwrap();
        assert_eq!(shown, 1_000_000 / 60_090);
        assert_eq!(summary["history"]["messages"], shown);
        // Each row was written once and deleted at most once.
        assert!(world.store.rows_written <= 2 * said + 10);
    }
}

#[test]
fn n10_many_messages_a_row_after_one_a_row_do_not_pile_up() {
    let mut world = World::with(|limits| limits.history_messages = 100);
    let (ana, _) = world.join("ana");
    for _ in 0..100 {
        say(&mut world, ana, json!({"data": "x".repeat(3_600)}));
    }
    for _ in 0..3_000 {
        say(&mut world, ana, json!({}));
        let log = &world.store.log;
        let (first, last) = (log.values().next().unwrap(), log.values().last().unwrap());
        assert!(last.last - first.first <= 2 * 100 + 500);
    }
    assert_eq!(history(&mut world).len(), 100);
}

#[test]
fn n10_at_a_steady_rate_no_row_is_deleted() {
    let mut random = Random(1);
    for size in [10, 250, 5_000] {
        let mut world = World::new();
        let (ana, _) = world.join("ana");
        for _ in 0..2_500 {
            let data = "x".repeat(size + random.below(size as u64) as usize);
            say(&mut world, ana, json!({"data": data}));
            world.ping(ana);
            world.pass(900);
        }
        let looks = world.alarms_set;
        // The room, the member, and a row for each message.
        assert_eq!(
            world.store.rows_written, 2_502,
            "{size}, beside {looks} alarms"
        );
    }
}

#[test]
fn n5_what_time_has_ended_leaves_the_disk_with_the_next_look() {
    for sleeps in [false, true] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        for n in 0..100 {
            say(
                &mut world,
                ana,
                json!({"data": "x".repeat(200), "id": n.to_string()}),
            );
        }
        let before = world.store.log.len();
        assert!(before > 5);
        for _ in 0..24 * 60 + 4 {
            world.ping(ana);
            world.pass(MINUTE);
            if sleeps {
                world.evict();
            }
        }
        // One row is left, which tells where the offsets are.
        assert_eq!((world.store.log.len(), lies(&world)), (1, 0));
        let row = world.store.log.values().next().unwrap();
        assert_eq!(
            (row.last, row.ids.as_str(), row.skips.as_str()),
            (100, "", "")
        );
        assert_eq!(history(&mut world), [0; 0]);
        // That has cost a row for each, once: it is not even tried again.
        let written = world.store.rows_written;
        world.store.faults.failing.insert("forget");
        for _ in 0..10 {
            world.ping(ana);
            world.pass(MINUTE);
        }
        assert_eq!((world.store.rows_written, world.events.len()), (written, 0));
        world.store.faults.failing.clear();
        world.restart();
        let (ana, back) = world.enter(&arrival("ana").resuming(&welcome, 100));
        assert_eq!(
            (&back["recovered"], &back["offset"]),
            (&json!(true), &json!(100))
        );
        say(&mut world, ana, json!({"id": "5"}));
        say(&mut world, ana, json!({"id": "6"}));
        assert_eq!(history(&mut world), [101, 102]);
        let (_, back) = world.enter(&arrival("ana").resuming(&welcome, 99));
        assert_eq!(back["recovered"], false);
    }
}

#[test]
fn n5_what_only_the_back_end_says_leaves_the_disk_too() {
    let mut world = World::new();
    for hour in 0..200 {
        world
            .post(json!({"event": "m", "data": "x".repeat(4_000)}))
            .unwrap();
        world.pass(60 * MINUTE);
        world.evict();
        let oldest = world.store.log.values().next().unwrap();
        assert!(
            world.now - oldest.at <= 2 * DAY + MINUTE,
            "after {hour} hours"
        );
    }
}

#[test]
fn n5_nor_does_it_stay_for_a_stream_whose_token_holds_for_years() {
    let mut world = World::new();
    let for_years = arrival("dashboard").expires_at(world.now + 3_650 * DAY);
    let stream = Kind::Stream { presence: false };
    let (dashboard, _) = world.enter(&for_years.kind(stream));
    let post = json!({"event": "m", "data": "x".repeat(4_000)});
    for _ in 0..10 {
        world.post(post.clone()).unwrap();
    }
    world.pass(2 * DAY + MINUTE);
    assert_eq!((world.store.log.len(), lies(&world)), (1, 0));
    assert!(world.is_open(dashboard));
    assert!(world.alarms_set <= 4, "{}", world.alarms_set);
}

#[test]
fn n5_m5_what_cannot_be_taken_from_the_disk_is_tried_again_and_harms_nothing() {
    let mut world = World::with(|limits| limits.history_bytes = 65_536);
    let (ana, _) = world.join("ana");
    let full = |world: &mut World| {
        for size in [3_600, 60_000] {
            for _ in 0..20 {
                say(
                    world,
                    ana,
                    json!({"data": "x".repeat(size), "id": world.now.to_string()}),
                );
            }
        }
    };
    for failing in ["forget", "heads"] {
        world.store.faults.failing.insert(failing);
        let before = world.store.newest_offset();
        full(&mut world);
        assert_eq!(world.store.newest_offset(), before + 40);
        // Nor are the further rows of a flush lost.
        world.read(ana);
        let two = ["a", "b"].map(|id| {
            let (id, data) = (format!("{failing} {id}"), "x".repeat(20_000));
            json!({"type": "publish", "event": "m", "id": id, "data": data})
        });
        world.send(ana, json!(two));
        let told = world.brief(ana);
        let acks = told.iter().filter(|text| text.starts_with("ack"));
        assert_eq!(acks.count(), 2, "{failing}");
        world.store.faults.failing.clear();
        say(&mut world, ana, json!({}));
        assert!(lies(&world) <= 2 * 65_536);
        world.read(ana);
    }
    world.store.faults.failing.insert("forget");
    for _ in 0..25 * 60 {
        world.ping(ana);
        world.pass(MINUTE);
    }
    assert!(lies(&world) > 0);
    world.store.faults.failing.clear();
    world.ping(ana);
    world.pass(2 * MINUTE);
    assert_eq!(lies(&world), 0);
}

#[test]
fn n10_h4_bans_have_a_number_and_those_that_have_ended_make_room() {
    let mut world = World::new();
    let ban = |world: &mut World, user: &str, seconds: u64| {
        world.disconnect(json!({"user": user, "ban_seconds": seconds}))
    };
    ban(&mut world, "first", 60).unwrap();
    let later = world.now + DAY;
    for n in 1..10_000 {
        world.store.bans.insert(format!("u{n}"), later);
    }
    let refused = ban(&mut world, "eve", 60).unwrap_err();
    assert_eq!(refused.code.as_str(), "storage_full");
    assert!(refused.message.contains("10,000"));
    // A ban in place of another is none more, and without a ban there is no limit.
    world.pass(1_000);
    ban(&mut world, "u7", 60).unwrap();
    world.disconnect(json!({"user": "eve"})).unwrap();
    // Those that have ended make room, one for each and no more: they still end sessions.
    world.pass(MINUTE);
    ban(&mut world, "eve", 90_000).unwrap();
    let kept = |world: &World| ["first", "u7"].map(|user| world.store.bans.contains_key(user));
    assert_eq!(kept(&world), [false, true]);
    ban(&mut world, "mallory", 90_000).unwrap();
    assert_eq!(kept(&world), [false, false]);
    assert!(ban(&mut world, "trudy", 60).is_err());
    assert_eq!(world.store.bans.len(), 10_000);
    // Those during which nothing was said that can be had still are not needed any more.
    for user in ["u1", "u2"] {
        let readable = DAY + 15 * MINUTE;
        world
            .store
            .bans
            .insert(user.to_owned(), world.now - readable);
    }
    ban(&mut world, "trudy", 60).unwrap();
    assert_eq!(world.store.bans.len(), 9_999);
}

#[test]
fn m5_n10_nothing_is_written_over_a_row_that_has_gone() {
    let mut world = World::with(|limits| limits.history_ms = 60_000);
    let (ana, _) = world.join("ana");
    say(&mut world, ana, json!({}));
    world.pass(30_000);
    say(&mut world, ana, json!({}));
    assert_eq!(world.store.log.len(), 2);
    // The next alarm deletes the first row, and cannot see what is left.
    world.store.faults.heads_after = Some(1);
    for _ in 0..20 {
        world.ping(ana);
        world.pass(10_000);
    }
    assert_eq!(world.store.log.len(), 1);
    say(&mut world, ana, json!({"id": "m3"}));
    world.store.faults.heads_after = None;
    assert_eq!(world.store.newest_offset(), 3);
    assert_eq!(history(&mut world), [3]);
}
