//! Coming back: what is replayed, and when it is not.

use serde_json::Value;

use crate::world::{Arrival, Client, World, arrival, flatten, json};
use roomful::room::Input;

fn publish(world: &mut World, client: Client, count: usize) {
    for _ in 0..count {
        world.send(client, json!({"type": "publish", "event": "m"}));
        world.pass(100);
    }
}

/// Connects and tells what was recovered: the answer, and the offsets that followed at once.
fn resume(world: &mut World, arrival: &Arrival) -> (Value, Vec<u64>) {
    let client = world.connect(arrival);
    let frames = world.clients[client.0].frames.clone();
    let welcome: Value = serde_json::from_str(&frames[0]).unwrap();
    let rest = frames[1..].iter().flat_map(|frame| flatten(frame));
    (
        welcome["recovered"].clone(),
        rest.map(|m| m["offset"].as_u64().unwrap()).collect(),
    )
}

#[test]
fn r2_missed_messages_follow_the_welcome_each_once() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    publish(&mut world, bob, 3);
    world.drop(ana, 1006);
    publish(&mut world, bob, 4);
    let back = arrival("ana").resuming(&welcome, 3);
    assert_eq!(resume(&mut world, &back), (true.into(), vec![4, 5, 6, 7]));
    let back = arrival("ana").resuming(&welcome, 7);
    assert_eq!(resume(&mut world, &back), (true.into(), vec![]));
}

#[test]
fn r2_zero_messages_seen_still_recovers() {
    let mut world = World::new();
    let (_, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    publish(&mut world, bob, 2);
    let back = arrival("ana").resuming(&welcome, 0);
    assert_eq!(resume(&mut world, &back), (true.into(), vec![1, 2]));
    world.restart();
    assert_eq!(resume(&mut world, &back), (true.into(), vec![1, 2]));
    // And in a room where nothing was said yet.
    let mut world = World::new();
    let (_, welcome) = world.join("ana");
    world.restart();
    let back = arrival("ana").resuming(&welcome, 0);
    assert_eq!(resume(&mut world, &back), (true.into(), vec![]));
}

#[test]
fn r2_what_waits_for_the_next_flush_follows_the_replay() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    publish(&mut world, bob, 1);
    world.drop(ana, 1006);
    publish(&mut world, bob, 2);
    world.send(bob, json!({"type": "publish", "event": "m"}));
    world.send(bob, json!({"type": "publish", "event": "m"}));
    let back = world.connect(&arrival("ana").resuming(&welcome, 1));
    world.send(bob, json!({"type": "publish", "event": "m"}));
    let heard = world.brief(back);
    let expected: Vec<String> = (2..=6).map(|offset| format!("m null #{offset}")).collect();
    assert_eq!(heard[1..], expected);
}

#[test]
fn r2_r3_no_more_is_replayed_than_may_wait_for_a_client() {
    let mut world = World::with(|limits| {
        (limits.history_bytes, limits.message_bytes) = (64_000_000, 1_048_576);
    });
    let (_, welcome) = world.join("ana");
    let data = "x".repeat(1_000_000);
    for _ in 0..10 {
        world.post(json!({"event": "m", "data": data})).unwrap();
    }
    let mut back = |seen: u64| resume(&mut world, &arrival("ana").resuming(&welcome, seen));
    // Eight of these are less than 8 MiB.
    assert_eq!(back(2), (true.into(), (3..=10).collect()));
    assert_eq!(back(1), (false.into(), vec![]));
    assert_eq!(back(0), (false.into(), vec![]));
}

#[test]
fn r2_without_the_history_right_a_session_replays_from_its_first_welcome_on() {
    let can = ["subscribe", "publish", "presence"];
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    publish(&mut world, bob, 3);
    let (ana, welcome) = world.enter(&arrival("ana").can(&can));
    publish(&mut world, bob, 3);
    world.drop(ana, 1006);
    world.pass(30_000);
    publish(&mut world, bob, 1);
    let back = arrival("ana").can(&can);
    let at = |offset| back.clone().resuming(&welcome, offset);
    assert_eq!(resume(&mut world, &at(2)), (false.into(), vec![]));
    assert_eq!(resume(&mut world, &at(3)), (true.into(), vec![4, 5, 6, 7]));
    // The session remembers it, whatever the later welcomes said.
    let (_, second) = world.enter(&at(7));
    let again = back.clone().resuming(&second, 3);
    assert_eq!(resume(&mut world, &again), (true.into(), vec![4, 5, 6, 7]));
    // Without its secret, or with another's, nothing is replayed.
    assert_eq!(
        resume(&mut world, &back.clone().at("e1", 7)),
        (false.into(), vec![])
    );
    let stranger = arrival("cyd").can(&can).resuming(&welcome, 6);
    assert_eq!(resume(&mut world, &stranger), (false.into(), vec![]));
    // With the right no session is needed.
    assert_eq!(
        resume(&mut world, &arrival("cyd").at("e1", 6)),
        (true.into(), vec![7])
    );
}

#[test]
fn r3_otherwise_nothing_is_sent_never_a_part() {
    let mut world = World::with(|limits| limits.recover_messages = 5);
    let (bob, welcome) = world.join("bob");
    publish(&mut world, bob, 8);
    let epoch = welcome["epoch"].as_str().unwrap();
    for (epoch, offset, expected) in [
        (epoch, "3", (true, vec![4, 5, 6, 7, 8])),
        (epoch, "2", (false, vec![])),
        (epoch, "9", (false, vec![])),
        (epoch, "8", (true, vec![])),
        (epoch, "", (false, vec![])),
        (epoch, "-1", (false, vec![])),
        (epoch, "+8", (false, vec![])),
        (epoch, "8.0", (false, vec![])),
        (epoch, "0x8", (false, vec![])),
        (epoch, "99999999999999999999", (false, vec![])),
        ("other", "8", (false, vec![])),
        ("", "8", (false, vec![])),
    ] {
        let (recovered, offsets) = expected;
        let heard = resume(&mut world, &arrival("ana").at(epoch, offset));
        assert_eq!(heard, (recovered.into(), offsets), "{epoch} {offset}");
    }
    let mut half = arrival("ana");
    half.epoch = Some(epoch.to_owned());
    assert_eq!(resume(&mut world, &half), (false.into(), vec![]));
    (half.epoch, half.offset) = (None, Some("8".to_owned()));
    assert_eq!(resume(&mut world, &half), (false.into(), vec![]));
    assert_eq!(resume(&mut world, &arrival("ana")), (Value::Null, vec![]));
}

#[test]
fn r3_what_has_left_the_history_is_not_recovered_in_part() {
    let mut world = World::with(|limits| limits.history_ms = 60_000);
    let (bob, _) = world.join("bob");
    publish(&mut world, bob, 2);
    world.pass(50_000);
    publish(&mut world, bob, 2);
    world.pass(15_000);
    let at = |offset| arrival("ana").at("e1", offset);
    assert_eq!(resume(&mut world, &at(1)), (false.into(), vec![]));
    assert_eq!(resume(&mut world, &at(2)), (true.into(), vec![3, 4]));
    world.pass(60_000);
    assert_eq!(resume(&mut world, &at(2)), (false.into(), vec![]));
    assert_eq!(resume(&mut world, &at(4)), (true.into(), vec![]));
}

#[test]
fn r1_the_connection_id_comes_back_for_the_same_user_in_the_same_epoch_alone() {
    let mut world = World::new();
    let (_, welcome) = world.join("ana");
    let id = |welcome: &Value| welcome["connection"].clone();
    world.restart();
    let (_, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(id(&again), id(&welcome));
    let (_, other) = world.enter(&arrival("bob").resuming(&welcome, 0));
    assert_ne!(id(&other), id(&welcome));
    let mut forged = welcome["session"].as_str().unwrap().to_owned();
    forged.pop();
    let (_, other) = world.enter(&arrival("ana").session(&forged));
    assert_ne!(id(&other), id(&welcome));
    world.delete().unwrap();
    let (_, other) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(other["recovered"], false);
    assert_ne!(other["epoch"], welcome["epoch"]);
}

#[test]
fn r2_e3_behind_what_was_withheld_from_a_slow_reader_comes_nothing_but_the_error() {
    for at_once in [false, true] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        let (bob, _) = world.join("bob");
        world.pass(1_000);
        world.read(ana);
        world.make_busy(bob);
        // One waits for the tick, with an answer for her alone.
        let message = json!({"type": "publish", "event": "m", "id": "1"});
        world.send(ana, message.clone());
        world.read(ana);
        let link = world.link(ana);
        world.handle(Input::Slow { link, unread: 0 });
        assert_eq!(world.closed(ana), Some(4101));
        let told = world.read_frames(ana);
        assert!(told.len() == 1 && told[0].contains("too_slow"), "{told:?}");
        if !at_once {
            world.pass(100);
        }
        let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
        assert_eq!(again["recovered"], true);
        world.send(ana, message);
        let heard = world.brief(ana);
        let once = |text: &str| heard.iter().filter(|heard| *heard == text).count() == 1;
        assert!(once("m null #1"), "{heard:?}");
        assert!(heard.contains(&"ack 1 #1".to_owned()), "{heard:?}");
        assert!(world.brief(bob).contains(&"m null #1".to_owned()));
    }
}
