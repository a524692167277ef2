//! Clocks that are set.

use crate::frame::count;
use crate::world::{World, arrival, json};

const HOUR: u64 = 3_600_000;

fn set_back(world: &mut World) {
    world.now -= HOUR;
    // The runtime's timer measures a span.
    world.timer = world.timer.map(|at| at.saturating_sub(HOUR));
}

#[test]
fn e4_a_clock_set_back_by_an_hour_holds_nothing_up() {
    let mut world = World::new();
    world.pass(2 * HOUR);
    let (ana, at_ana) = world.join("ana");
    let (bob, _) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    world.brief(ana);
    world.brief(bob);
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.send(ana, json!({"type": "state", "state": 1}));
    world.drop(cyd, 1006);
    set_back(&mut world);
    world.send(bob, json!({"type": "publish", "event": "m", "id": "1"}));
    world.pass(200);
    assert_eq!(
        world.brief(bob),
        ["m null #1", "m null #2", "m null #3", "ack 1 #3", "states"]
    );
    world.pass(10_000);
    assert_eq!(world.brief(bob), ["leave cyd"]);
    assert!(world.evict(), "nothing waits for an hour");
    let at: Vec<u64> = world
        .read(ana)
        .iter()
        .filter_map(|m| m["at"].as_u64())
        .collect();
    assert!(at.is_sorted());
    // Silence is noticed as ever, and rates are as ever.
    for _ in 0..150 {
        world.send(
            bob,
            json!({"type": "publish", "event": "c", "ephemeral": true}),
        );
    }
    let taken = count(&world.brief(bob), "c null");
    assert!(taken > 100, "{taken}");
    for _ in 0..8 {
        world.ping(bob);
        world.pass(25_000);
    }
    assert_eq!(world.closed(ana), Some(4102));
    assert!(world.is_open(bob));
    let (_, again) = world.enter(&arrival("ana").resuming(&at_ana, 2));
    assert_eq!(again["recovered"], true);
}

#[test]
fn e4_a_clock_set_back_while_the_room_sleeps_holds_nothing_up() {
    let mut world = World::new();
    world.pass(2 * HOUR);
    let (ana, _) = world.join("ana");
    for _ in 0..150 {
        world.send(
            ana,
            json!({"type": "publish", "event": "c", "ephemeral": true}),
        );
    }
    world.pass(5_000);
    world.read(ana);
    assert!(world.evict());
    set_back(&mut world);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.pass(5_000);
    for _ in 0..60 {
        world.send(
            ana,
            json!({"type": "publish", "event": "c", "ephemeral": true}),
        );
    }
    let heard = world.brief(ana);
    assert!(count(&heard, "c null") >= 50, "{heard:?}");
}

#[test]
fn e4_n6_a_clock_set_back_empties_no_bucket() {
    let mut world = World::with(|limits| limits.rate_per_second = 1);
    world.pass(2 * HOUR);
    let (ana, at_ana) = world.join("ana");
    let say = |world: &mut World, client| {
        world.send(
            client,
            json!({"type": "publish", "event": "c", "ephemeral": true}),
        );
        world.brief(client)
    };
    assert_eq!(say(&mut world, ana), ["c null"]);
    set_back(&mut world);
    assert_eq!(say(&mut world, ana), ["c null"]);
    // Nor that of a room that sleeps,
    world.pass(5_000);
    assert!(world.evict());
    set_back(&mut world);
    assert_eq!(say(&mut world, ana), ["c null"]);
    // nor that of somebody who is about to come back.
    world.drop(ana, 1006);
    set_back(&mut world);
    let (ana, _) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(say(&mut world, ana), ["c null"]);
}

#[test]
fn e4_a_clock_set_forward_by_an_hour_loses_nobody_for_good() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.now += HOUR;
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.pass(100_000);
    let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 1));
    assert_eq!(again["recovered"], true);
    let heard = world.brief(ana);
    assert_eq!(heard, ["m null #2"]);
}

#[test]
fn e4_m6_a_clock_set_forward_holds_nothing_up() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    world.pass(1_000);
    // There is a timer for the end of a grace, and it measures a span.
    world.drop(cyd, 1006);
    world.pass(1_000);
    world.read(bob);
    world.set_clock(60_000);
    world.make_busy(ana);
    world.send(ana, json!({"type": "state", "state": 1}));
    let heard = world.brief(bob);
    assert!(heard.contains(&"states".to_owned()), "{heard:?}");
}

#[test]
fn r1_should_a_connection_id_come_twice_nobody_loses_a_place_to_it() {
    let mut world = World::new();
    world.join("watcher");
    world.pass(1_000);
    let (ana, at_ana) = world.enter(&arrival("ana").can(&["subscribe"]));
    world.drop(ana, 1000);
    world.restart();
    // The clock of the machine where the room restarts is a little behind.
    world.now -= 1;
    let (bob, at_bob) = world.join("bob");
    assert_eq!(at_bob["connection"], at_ana["connection"]);
    let (_, again) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_ne!(again["connection"], at_ana["connection"]);
    assert!(world.is_open(bob));
}

#[test]
fn h4_a_lifted_ban_stays_lifted_when_the_clock_is_set_back() {
    let mut world = World::new();
    let _ = world.disconnect(json!({"user": "ana", "ban_seconds": 60}));
    let _ = world.disconnect(json!({"user": "ana", "ban_seconds": 0}));
    world.set_clock(-(HOUR as i64));
    let ana = world.connect(&arrival("ana"));
    assert!(world.is_open(ana));
}

#[test]
fn c2_an_id_that_a_session_brings_back_is_not_given_again() {
    let mut world = World::new();
    let (_, at_zoe) = world.join("zoe");
    let (ana, at_ana) = world.join("ana");
    world.drop(ana, 1000);
    world.pass(HOUR);
    assert!(world.evict());
    // Back to when the room began, so that ids are counted on from those that are there.
    world.set_clock(-(HOUR as i64));
    let (ana, again) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(again["connection"], at_ana["connection"]);
    let (_, at_bob) = world.join("bob");
    for other in [&at_zoe, &at_ana] {
        assert_ne!(at_bob["connection"], other["connection"]);
    }
    assert!(world.is_open(ana), "nobody loses a connection to another");
}
