//! Rooms that nobody uses any more: when they erase themselves, and that it costs next to nothing.

use crate::world::{Client, World, arrival, json};
use roomful::protocol::HistoryQuery;
use roomful::room::{Call, Event, Kind};

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;
/// A plan of the day that has nothing to do with the hour at which a room began.
const NIGHT: u64 = 15 * 60 * MINUTE;

/// Nothing is stored, and nothing will wake the room.
fn is_gone(world: &World) -> bool {
    let store = &world.store;
    let empty = store.meta.is_none() && store.log.is_empty() && store.members.is_empty();
    assert!(!empty || !store.bans.is_empty() || world.alarm.is_none());
    empty
}

fn said(world: &mut World) -> usize {
    let query = HistoryQuery::from_query("limit=500").unwrap();
    let page = world.ask(Call::History(query)).unwrap();
    page["messages"].as_array().unwrap().len()
}

#[test]
fn n9_a_room_is_erased_when_nobody_was_there_for_as_long_as_messages_are_kept() {
    for put_away in [false, true] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        world.send(ana, json!({"type": "publish", "event": "m"}));
        world.drop(ana, 1006);
        // The grace belongs to the visit.
        world.pass(10_000);
        if put_away {
            assert!(world.evict());
        }
        world.pass(DAY - 1);
        assert!(!is_gone(&world));
        world.pass(2);
        assert!(is_gone(&world), "{put_away}");
        assert_eq!(world.events.last(), Some(&Event::Vacated));
        // A client that comes with what it knows of the old life learns that it is over.
        let (_, back) = world.enter(&arrival("ana").resuming(&welcome, 1));
        assert_eq!(back["recovered"], false);
        assert_ne!(back["epoch"], welcome["epoch"]);
        assert_eq!(back["offset"], 0);
    }
}

#[test]
fn n9_n5_nothing_that_is_in_the_history_is_erased() {
    let mut world = World::new();
    for hour in 0..100_u64 {
        world
            .post(json!({"event": "m", "id": hour.to_string()}))
            .unwrap();
        world.pass(60 * MINUTE);
        world.evict();
        assert_eq!(said(&mut world) as u64, (hour + 1).min(23));
    }
    let kept = DAY - 61 * MINUTE;
    world.pass(kept);
    assert_eq!(said(&mut world), 1);
    world.pass(2 * MINUTE);
    assert!(is_gone(&world));
}

#[test]
fn n9_no_message_sets_the_alarm() {
    let mut world = World::new();
    for minute in 0..3 * 24 * 60 {
        world.post(json!({"event": "m"})).unwrap();
        world.pass(MINUTE - 100);
        if minute % 10 == 0 {
            world.evict();
        }
    }
    // With the first message, and each time that it goes off too early.
    assert_eq!(world.alarms_set, 3);
    let (ana, _) = world.join("ana");
    let before = world.alarms_set;
    for _ in 0..60 {
        world.send(ana, json!({"type": "publish", "event": "m"}));
        world.pass(1_000);
    }
    assert_eq!(world.alarms_set, before);
}

#[test]
fn n9_a_visit_sets_one_alarm_more_than_it_looks() {
    let mut world = World::new();
    for visit in 0..10 {
        let before = (world.alarms_set, world.looks.len());
        let (ana, _) = world.join("ana");
        let (bob, _) = world.join("bob");
        for _ in 0..20 {
            world.ping(ana);
            world.ping(bob);
            world.pass(25_000);
        }
        world.drop(ana, 1000);
        world.drop(bob, 1000);
        world.pass(NIGHT);
        world.evict();
        let looks = world.looks.len() - before.1;
        // One for the first to arrive, one after each look but the last, and one when all have gone.
        assert_eq!(world.alarms_set - before.0, looks as u64 + 2, "{visit}");
        assert!(!is_gone(&world));
    }
}

#[test]
fn n9_r2_whoever_sat_there_in_silence_for_days_finds_the_room_again() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    for _ in 0..3 * 24 * 60 {
        world.ping(ana);
        world.pass(MINUTE);
        world.evict();
    }
    world.drop(ana, 1006);
    world.pass(11_000);
    world.evict();
    world.pass(NIGHT);
    let (_, back) = world.enter(&arrival("ana").resuming(&welcome, 1));
    assert_eq!(back["recovered"], true);
    assert_eq!(back["epoch"], welcome["epoch"]);
}

/// Leaving without a grace, in the very event that wakes the room.
#[test]
fn n9_r2_a_room_that_wakes_because_its_last_one_goes_waits_as_long_as_any_other() {
    let ways: [fn(&mut World, Client); 3] = [
        |world, ana| world.drop(ana, 1000),
        // Silent, and so closed.
        |world, _| world.pass(5 * MINUTE),
        |world, _| assert!(world.disconnect(json!({"user": "ana"})).is_ok()),
    ];
    for (put_away, goes) in [false, true]
        .iter()
        .flat_map(|put| ways.map(|goes| (put, goes)))
    {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        world.send(ana, json!({"type": "publish", "event": "m"}));
        for _ in 0..2 * 24 * 60 {
            world.ping(ana);
            world.pass(MINUTE);
            if *put_away {
                world.evict();
            }
        }
        goes(&mut world, ana);
        assert!(!world.is_open(ana));
        world.pass(100);
        world.evict();
        world.pass(NIGHT);
        let (_, back) = world.enter(&arrival("ana").resuming(&welcome, 1));
        assert_eq!(back["epoch"], welcome["epoch"]);
        assert_eq!(back["recovered"], true);
    }
}

#[test]
fn n9_r5_a_crash_leaves_members_their_grace_and_the_room_its_time() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for _ in 0..2 * 24 * 60 {
        world.ping(ana);
        world.pass(MINUTE);
        world.evict();
    }
    world.restart();
    let restarted = world.now;
    world.pass(5 * MINUTE);
    assert!(!is_gone(&world) && world.store.members.is_empty());
    while !is_gone(&world) {
        world.pass(MINUTE);
        world.evict();
        assert!(world.now < restarted + DAY + 10 * MINUTE);
    }
    assert!(world.now > restarted + DAY);
}

#[test]
fn n9_while_a_stream_or_a_plain_client_is_there_nothing_is_erased() {
    for kind in [Kind::Stream { presence: false }, Kind::PlainSocket] {
        let mut world = World::with(|limits| limits.idle_ms = 10 * DAY);
        let (ear, welcome) = world.enter(&arrival("ear").kind(kind));
        world.pass(3 * DAY);
        assert!(world.is_open(ear) && !is_gone(&world));
        let again = world.alarms_set;
        assert!(again <= 5, "{again}");
        world.drop(ear, 1006);
        world.pass(DAY);
        let (ear, back) = world.enter(&arrival("ear").kind(kind));
        assert_eq!(back["epoch"], welcome["epoch"]);
        world.drop(ear, 1000);
        world.pass(DAY + MINUTE);
        assert!(is_gone(&world), "{kind:?}");
    }
}

#[test]
fn n9_h4_bans_are_kept_until_the_last_one_has_ended() {
    for deleted in [false, true] {
        let mut world = World::new();
        for (user, days) in [("eve", 3), ("mal", 5), ("old", 0)] {
            let ban = json!({"user": user, "ban_seconds": days * 86_400 + 1});
            world.disconnect(ban).unwrap();
        }
        if deleted {
            world.delete().unwrap();
        }
        world.pass(DAY + MINUTE);
        world.evict();
        assert!(is_gone(&world), "but for the bans");
        assert_eq!(world.store.bans.len(), if deleted { 3 } else { 2 });
        let banned = world.connect(&arrival("mal"));
        assert!(world.clients[banned.0].refused.is_some());
        // Somebody else was there; the bans outlive that too.
        let (ana, _) = world.join("ana");
        world.drop(ana, 1000);
        world.pass(2 * DAY);
        world.evict();
        assert!(is_gone(&world));
        assert_eq!(world.store.bans.len(), 2);
        let set = world.alarms_set;
        world.pass(3 * DAY);
        assert!(is_gone(&world) && world.store.bans.is_empty());
        assert_eq!((world.alarm, world.alarms_set), (None, set));
    }
}

#[test]
fn n9_h4_a_room_that_a_ban_founds_anew_waits_no_less_for_an_earlier_ones_end() {
    for put_away in [false, true] {
        let mut world = World::new();
        world
            .disconnect(json!({"user": "eve", "ban_seconds": 3 * 86_400}))
            .unwrap();
        world.delete().unwrap();
        world.pass(3 * DAY - MINUTE);
        world
            .disconnect(json!({"user": "mal", "ban_seconds": 3_600}))
            .unwrap();
        if put_away {
            assert!(world.evict());
        }
        world.pass(2 * MINUTE);
        assert!(!is_gone(&world), "it is two minutes old");
        world.pass(DAY);
        assert!(is_gone(&world));
    }
}

#[test]
fn n9_n5_h4_a_room_founded_anew_does_not_wait_for_the_end_of_a_ban_that_a_deletion_left() {
    for put_away in [false, true] {
        let mut world = World::new();
        world
            .disconnect(json!({"user": "eve", "ban_seconds": 365 * 86_400}))
            .unwrap();
        world.delete().unwrap();
        world.post(json!({"event": "m"})).unwrap();
        if put_away {
            assert!(world.evict());
        }
        world.pass(DAY + MINUTE);
        assert!(is_gone(&world), "{put_away}");
        assert_eq!(world.store.bans.len(), 1);
    }
}

#[test]
fn n9_n5_without_history_offsets_persist_for_as_long_as_a_message_would() {
    let mut world = World::with(|limits| limits.history_messages = 0);
    assert_eq!(world.post(json!({"event": "m"})).unwrap()["offset"], 1);
    world.evict();
    world.pass(DAY - MINUTE);
    assert_eq!(world.post(json!({"event": "m"})).unwrap()["offset"], 2);
    world.evict();
    world.pass(DAY - MINUTE);
    assert_eq!(world.post(json!({"event": "m"})).unwrap()["offset"], 3);
    world.pass(DAY + MINUTE);
    assert!(is_gone(&world));
    assert_eq!(world.post(json!({"event": "m"})).unwrap()["offset"], 1);
}

#[test]
fn n9_a_history_of_seconds_lets_a_room_wait_for_a_look() {
    let mut world = World::with(|limits| limits.history_ms = 1_000);
    for _ in 0..10 {
        world.post(json!({"event": "m"})).unwrap();
        world.pass(10_000);
    }
    assert!(world.alarms_set <= 2, "{}", world.alarms_set);
    world.pass(100_000);
    assert!(is_gone(&world));
}

#[test]
fn n9_m5_an_erasure_that_fails_is_tried_again_and_has_no_effect() {
    let mut world = World::new();
    world.post(json!({"event": "m"})).unwrap();
    world.store.faults.failing.insert("erase");
    world.pass(DAY + MINUTE);
    assert!(!is_gone(&world));
    let posted = world.post(json!({"event": "m"})).unwrap();
    assert_eq!(posted["offset"], 2);
    world.store.faults.failing.clear();
    world.evict();
    world.pass(2 * DAY);
    assert!(is_gone(&world));
}

#[test]
fn n9_r2_a_look_that_was_on_its_way_when_the_last_one_left_erases_nothing() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    for _ in 0..2 * 24 * 60 {
        world.ping(ana);
        world.pass(MINUTE);
    }
    world.drop(ana, 1000);
    world.alarm = Some(world.now);
    world.pass(1);
    let (_, back) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(back["epoch"], welcome["epoch"]);
}

#[test]
fn n9_h5_what_was_said_at_the_very_end_is_in_the_new_life_or_the_old_one_never_lost() {
    // The alarm and a publish meet in each order.
    for late in [0, 1] {
        let mut world = World::new();
        world.post(json!({"event": "m"})).unwrap();
        let alarm = world.alarm.unwrap();
        world.pass(alarm - world.now - 1 + late);
        let posted = world.post(json!({"event": "n"})).unwrap();
        assert_eq!(posted["offset"], 2 - late);
        world.pass(DAY - MINUTE);
        assert_eq!(said(&mut world), 1);
    }
}

#[test]
fn n9_a_clock_that_is_set_back_does_not_keep_a_room_for_ever() {
    let mut world = World::new();
    world.now += 300 * DAY;
    let (ana, _) = world.join("ana");
    world.drop(ana, 1000);
    world.now -= 300 * DAY;
    world.presence();
    world.pass(2 * DAY);
    assert!(is_gone(&world));
}
