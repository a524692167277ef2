//! Coming back: what is replayed, and when it is not; grace and restarts.

use serde_json::Value;

use crate::world::{Arrival, Client, World, arrival, brief, flatten, json};

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
fn r1_within_the_grace_the_others_notice_nothing_and_after_it_a_new_join() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "state", "state": "here"}));
    world.brief(bob);
    world.drop(ana, 1006);
    world.pass(9_000);
    let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(world.brief(bob), [""; 0]);
    assert_eq!(again["members"][1]["state"], "here");
    world.drop(ana, 1006);
    world.pass(11_000);
    world.enter(&arrival("ana").resuming(&welcome, 0));
    world.pass(100);
    let told = world.read(bob);
    assert_eq!(
        told.iter().map(brief).collect::<Vec<_>>(),
        ["leave ana", "join ana"]
    );
    assert_eq!(told[1]["member"]["connection"], welcome["connection"]);
    assert_eq!(told[1]["member"]["state"], Value::Null);
}

#[test]
fn r4_the_close_code_decides_on_the_grace() {
    for (code, grace) in [
        (1000, 0),
        (1001, 2_000),
        (1005, 0),
        (1006, 10_000),
        (1009, 10_000),
        (1011, 10_000),
        (3000, 10_000),
        (4000, 10_000),
        (4001, 10_000),
        (4101, 10_000),
        (4102, 0),
        (4300, 10_000),
        (4499, 10_000),
        (4500, 0),
        (4503, 0),
        (4504, 10_000),
        (4505, 0),
        (4999, 0),
    ] {
        let mut world = World::new();
        let (bob, _) = world.join("bob");
        let (ana, _) = world.join("ana");
        world.brief(bob);
        world.drop(ana, code);
        let since = world.now;
        if grace > 0 {
            world.pass(grace - 1);
            assert_eq!(world.read(bob).len(), 0, "{code}");
        }
        world.pass(100);
        let left = world.read(bob);
        assert_eq!(
            left.iter().map(brief).collect::<Vec<_>>(),
            ["leave ana"],
            "{code}"
        );
        assert!(world.now <= since + grace + 100);
    }
}

#[test]
fn r4_without_grace_everybody_leaves_at_once() {
    let mut world = World::with(|limits| limits.grace_ms = 0);
    let (bob, _) = world.join("bob");
    let (ana, _) = world.join("ana");
    world.brief(bob);
    world.drop(ana, 1006);
    assert_eq!(world.brief(bob), ["leave ana"]);
}

#[test]
fn r5_after_a_restart_those_who_do_not_come_back_leave_once() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (_, at_bob) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    world.send(ana, json!({"type": "state", "state": "a"}));
    world.pass(5_000);
    world.drop(cyd, 1006);
    world.restart();
    world.pass(60_000);
    // The grace begins when somebody is there to notice.
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    let members = welcome["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(members[0]["state"], Value::Null, "states may be lost");
    assert_eq!(members[0]["at"], at_ana["members"][0]["at"]);
    world.pass(9_000);
    assert_eq!(world.read(ana), [Value::Null; 0]);
    world.enter(&arrival("bob").resuming(&at_bob, 0));
    world.pass(60_000);
    assert_eq!(world.brief(ana), ["leave cyd"]);
    assert_eq!(world.store.members.len(), 2);
}

#[test]
fn r5_the_state_of_whoever_had_dropped_before_is_kept() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    world.send(ana, json!({"type": "state", "state": "a"}));
    world.send(bob, json!({"type": "state", "state": "b"}));
    world.pass(2_000);
    world.drop(ana, 1006);
    world.drop(bob, 1006);
    let (bob, _) = world.enter(&arrival("bob").resuming(&at_bob, 0));
    world.send(bob, json!({"type": "state", "state": "b2"}));
    world.restart();
    let (_, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    let states: Vec<_> = welcome["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["state"].clone())
        .collect();
    assert_eq!(
        states,
        [json!("a"), Value::Null],
        "an old state is not shown as the present one"
    );
}

#[test]
fn r5_restarts_in_a_row_make_no_ghosts() {
    let mut world = World::new();
    let (_, at_ana) = world.join("ana");
    world.join("bob");
    for _ in 0..5 {
        world.restart();
        let _ = world.presence();
        world.pass(3_000);
    }
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(welcome["members"].as_array().unwrap().len(), 2);
    world.pass(20_000);
    assert_eq!(world.brief(ana), ["leave bob"]);
    world.restart();
    let (_, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(welcome["members"].as_array().unwrap().len(), 1);
}

#[test]
fn n6_the_bucket_survives_a_resume() {
    let mut world = World::new();
    let (mut ana, welcome) = world.join("ana");
    let frame: Value =
        vec![json!({"type": "publish", "event": "a", "ephemeral": true}); 100].into();
    world.send(ana, frame.clone());
    world.send(ana, frame.clone());
    for code in [1006, 1000] {
        world.drop(ana, code);
        ana = world.enter(&arrival("ana").resuming(&welcome, 0)).0;
        world.send(ana, json!({"type": "publish", "event": "b", "id": "b"}));
        assert!(
            world
                .brief(ana)
                .contains(&"error rate_limited b".to_owned()),
            "{code}"
        );
        world.send(ana, frame.clone());
        world.read(ana);
    }
}
