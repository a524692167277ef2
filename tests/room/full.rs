//! A room that stores as much as it may: it says so early, refuses what is to be stored, and shrinks.

use crate::fill::{lies, say};
use crate::world::{Client, World, arrival, json};
use roomful::protocol::Limits;
use roomful::room::{Event, storage_bound};

const MINUTE: u64 = 60_000;

/// Lets a look come; the database takes so much by then.
fn look(world: &mut World, clients: &[Client], size: u64) {
    world.store.size = size;
    for _ in 0..4 {
        for client in clients {
            world.ping(*client);
        }
        world.pass(MINUTE);
    }
}

#[test]
fn n10_a_room_whose_limits_were_lowered_shrinks_with_the_next_look() {
    let mut world = World::new();
    for _ in 0..100 {
        world
            .post(json!({"event": "m", "data": "x".repeat(10_000)}))
            .unwrap();
    }
    world.limits.history_bytes = 65_536;
    world.restart();
    let (ana, _) = world.join("ana");
    world.store.size = storage_bound(&world.limits);
    look(&mut world, &[ana], 0);
    let left = lies(&world);
    assert!(left <= 65_536 && left > 50_000, "{left}");
    assert_eq!(world.store.newest_offset(), 100);
}

#[test]
fn n10_no_limits_allow_what_the_platform_does_not() {
    let highest = |name: &str| {
        let mut variables = Limits::VARIABLES.iter();
        let variable = variables.find(|variable| variable.name == name);
        variable.map(|variable| variable.max.to_string())
    };
    let bound = storage_bound(&Limits::from_variables(highest).unwrap());
    assert!(bound < 6_000_000_000, "{bound}");
}

#[test]
fn n10_a_room_says_that_it_fills_and_refuses_nothing_but_what_is_to_be_stored() {
    let mut world = World::new();
    let most = storage_bound(&world.limits);
    let (ana, _) = world.join("ana");
    let (bob, welcome) = world.join("bob");
    say(&mut world, ana, json!({"id": "1"}));
    look(&mut world, &[ana, bob], most / 5 * 4 - 1);
    let high = |world: &World| {
        let high = |event: &&Event| matches!(event, Event::StorageHigh { .. });
        world.events.iter().filter(high).count()
    };
    assert_eq!(high(&world), 0);
    look(&mut world, &[ana, bob], most / 5 * 4 + 5);
    assert!(high(&world) > 0);
    say(&mut world, ana, json!({"id": "2"}));
    world.read(ana);
    look(&mut world, &[ana, bob], most);
    say(&mut world, ana, json!({"id": "3"}));
    let refused = world.read(ana).remove(0);
    assert_eq!(refused["code"], "storage_full");
    assert_eq!(
        (&refused["id"], &refused["retry_after"]),
        (&json!("3"), &json!(10_000))
    );
    let posted = world.post(json!({"event": "m"})).unwrap();
    assert_eq!(posted["error"]["code"], "storage_full");
    // Everything else goes on.
    say(&mut world, ana, json!({"id": "2"}));
    say(&mut world, ana, json!({"id": "4", "ephemeral": true}));
    assert_eq!(world.brief(ana), ["ack 2 #2", "m null", "ack 4"]);
    world.send(ana, json!({"type": "state", "state": 1}));
    world.drop(bob, 1006);
    let (bob, back) = world.enter(&arrival("bob").resuming(&welcome, 0));
    assert_eq!(back["recovered"], true);
    assert_eq!(world.brief(bob), ["m null #1", "m null #2"]);
    // And what is stored again when there is space.
    look(&mut world, &[ana, bob], 0);
    say(&mut world, ana, json!({"id": "3"}));
    assert_eq!(world.brief(bob).last().unwrap(), "m null #3");
}

#[test]
fn n10_m5_a_database_that_is_full_before_its_time_is_told_as_such() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    (world.store.faults.full, world.store.faults.failing) = (true, ["append"].into());
    say(&mut world, ana, json!({"id": "1"}));
    assert_eq!(world.brief(ana), ["error storage_full 1"]);
    let posted = world.post(json!({"event": "m"})).unwrap();
    assert_eq!(posted["error"]["code"], "storage_full");
    assert_eq!(posted["error"]["retryable"], true);
    world.store.faults.failing.clear();
    say(&mut world, ana, json!({"id": "1"}));
    assert_eq!(world.brief(ana), ["m null #1", "ack 1 #1"]);
}
