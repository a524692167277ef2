//! Publish ids: whatever is sent again counts once, and its sender is told the same.

use serde_json::Value;

use crate::frame::count;
use crate::messages::publish;
use crate::world::{World, arrival, json};

/// A publish that is to be acknowledged.
pub fn with_id(event: &str, id: &str) -> Value {
    json!({"type": "publish", "event": event, "id": id})
}

#[test]
fn m4_an_ack_tells_the_offset_once_the_message_is_stored() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(ana), ["a null #1", "ack 1 #1"]);
    assert_eq!(world.store.newest_offset(), 1);
}

#[test]
fn m4_same_id_counts_once() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send(ana, with_id("a", "1"));
    // Within the tick, after it, and after the room was put away.
    world.send(ana, with_id("a", "1"));
    world.pass(1_000);
    world.send(ana, with_id("a", "1"));
    world.pass(2_000);
    assert!(world.evict());
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(bob), ["a null #1"]);
    assert_eq!(count(&world.brief(ana), "ack 1 #1"), 4);
    // Another one's id is another id.
    world.send(bob, with_id("b", "1"));
    assert_eq!(world.brief(bob), ["b null #2", "ack 1 #2"]);
}

#[test]
fn m4_a_publish_retried_after_a_lost_connection_counts_once() {
    for restart in [false, true] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        world.send(ana, with_id("a", "1"));
        if restart {
            world.restart();
        } else {
            world.drop(ana, 1006);
        }
        let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
        world.send(ana, with_id("a", "1"));
        world.send(ana, with_id("b", "2"));
        assert_eq!(
            world.brief(ana),
            ["a null #1", "ack 1 #1", "b null #2", "ack 2 #2"]
        );
    }
}

#[test]
fn m4_an_ack_that_is_due_reaches_the_sessions_next_socket() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    world.brief(ana);
    world.make_busy(ana);
    world.send(ana, with_id("a", "2"));
    world.send(ana, with_id("b", "3"));
    world.drop(ana, 1006);
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&welcome, 1));
    let offset = welcome["offset"].as_u64().unwrap();
    let heard = world.brief(ana);
    assert!(
        heard.contains(&"ack 3 #3".to_owned()),
        "{heard:?} after {offset}"
    );
}

#[test]
fn m4_an_id_counts_again_once_its_message_has_left_the_history() {
    let mut world = World::with(|limits| limits.history_messages = 3);
    let (ana, _) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    for _ in 0..2 {
        world.pass(100);
        world.send(ana, publish("b"));
    }
    world.pass(100);
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(ana).last().unwrap(), "ack 1 #1");
    world.send(ana, publish("b"));
    for _ in 0..2 {
        world.pass(3_000);
        assert!(world.evict());
        world.send(ana, with_id("a", "1"));
        assert_eq!(world.brief(ana).last().unwrap(), "ack 1 #5");
    }
}

#[test]
fn m4_ids_over_http_count_for_each_user_and_never_meet_those_of_connections() {
    let mut world = World::new();
    let (ana, _) = world.join("server");
    world.send(ana, with_id("a", "1"));
    world.brief(ana);
    assert_eq!(
        world.post(json!({"event": "b", "id": "1"})).unwrap()["offset"],
        2
    );
    assert_eq!(
        world.post(json!({"event": "b", "id": "1"})).unwrap()["offset"],
        2
    );
    assert_eq!(world.brief(ana), ["b null #2"]);
}

#[test]
fn m4_ids_of_the_largest_size_are_kept_no_longer_than_the_history() {
    let mut world = World::with(|limits| {
        limits.history_messages = 100;
        (limits.rate_burst, limits.rate_per_second) = (100_000, 10_000);
    });
    let (eve, _) = world.join("eve");
    let id = |n: usize| format!("{n:0>6}{}", "𝄞".repeat(58));
    for n in 0..1_000 {
        world.send(eve, json!({"type": "publish", "event": "m", "id": id(n)}));
        world.pass(11);
    }
    let kept: usize = world.store.log.values().map(|row| row.ids.len()).sum();
    // Rows leave as a whole.
    assert!(kept < 200 * 300, "{kept} bytes");
    world.pass(1_000);
    world.read(eve);
    for n in [0, 899, 900, 999] {
        world.send(eve, json!({"type": "publish", "event": "m", "id": id(n)}));
        world.pass(100);
    }
    let offsets: Vec<Value> = world
        .read(eve)
        .into_iter()
        .filter(|heard| heard["type"] == "ack")
        .map(|ack| ack["offset"].clone())
        .collect();
    // Two are published anew, and so two more of the old ones have left.
    assert_eq!(
        offsets,
        [json!(1_001), json!(1_002), json!(1_003), json!(1_000)]
    );
}
