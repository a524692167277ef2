//! Storage that fails: nobody gets what is not saved, and whoever waits for it is told.

use crate::world::{World, arrival, brief, json};
use roomful::protocol::ErrorCode;
use roomful::room::Event;

#[test]
fn m5_e4_nobody_gets_an_unsaved_message_and_its_senders_are_told() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.brief(ana);
    world.store.faults.failing.insert("append");
    world.send(
        ana,
        json!([
            {"type": "publish", "event": "a", "id": "1"},
            {"type": "publish", "event": "b"},
            {"type": "publish", "event": "c", "ephemeral": true, "id": "3"},
            {"type": "publish", "event": "d", "id": "1"},
        ]),
    );
    let posted = world.post(json!({"event": "e"})).unwrap();
    assert_eq!(posted["error"]["code"], "storage_failed");
    let failed = |id: &str| format!("error storage_failed{id}");
    let told = [
        failed(" 1"),
        failed(""),
        "c null".to_owned(),
        "ack 3".to_owned(),
        failed(" 1"),
    ];
    assert_eq!(world.brief(ana), told);
    assert_eq!(world.brief(bob), ["c null"]);
    let lost: u64 = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::StorageFailed { messages, .. } => Some(*messages),
            _ => None,
        })
        .sum();
    assert_eq!(lost, 3);
    // Afterwards offsets are dense, and the same id is a new try.
    world.store.faults.failing.clear();
    world.send(ana, json!({"type": "publish", "event": "a", "id": "1"}));
    assert_eq!(world.brief(ana), ["a null #1", "ack 1 #1"]);
    assert_eq!(world.brief(bob), ["a null #1"]);
    let (_, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(again["recovered"], true);
}

#[test]
fn m5_when_a_flush_fails_half_way_its_first_rows_count() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.make_busy(ana);
    world.store.faults.append_after = Some(1);
    let long = "x".repeat(60_000);
    for n in 1..=20 {
        let id = n.to_string();
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "data": long, "id": id}),
        );
    }
    world.pass(100);
    let heard = world.read(ana);
    let acks: Vec<u64> = heard
        .iter()
        .filter(|message| message["type"] == "ack")
        .map(|ack| ack["offset"].as_u64().unwrap())
        .collect();
    let errors = heard
        .iter()
        .filter(|message| message["type"] == "error")
        .count();
    assert!(
        !acks.is_empty() && errors > 0,
        "{} and {errors}",
        acks.len()
    );
    assert_eq!(acks.len() + errors, 20);
    assert_eq!(acks, (1..=acks.len() as u64).collect::<Vec<_>>());
    assert_eq!(world.store.newest_offset(), acks.len() as u64);
    world.store.faults.append_after = None;
    world.send(ana, json!({"type": "publish", "event": "m", "id": "20"}));
    let next = acks.len() + 1;
    assert_eq!(world.brief(ana).last().unwrap(), &format!("ack 20 #{next}"));
}

#[test]
fn c2_a_joiner_in_the_tick_of_a_failure_misses_nobody() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.make_busy(ana);
    for event in ["a", "b", "c"] {
        world.send(ana, json!({"type": "publish", "event": event}));
    }
    world.store.faults.failing.insert("append");
    let (bob, _) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    let heard = world.brief(bob);
    assert_eq!(heard, ["join cyd"]);
    assert_eq!(world.brief(cyd), [""; 0]);
}

#[test]
fn e4_a_join_that_cannot_be_saved_is_refused() {
    for failing in ["put_meta", "put_member", "ban"] {
        let mut world = World::new();
        world.store.faults.failing.insert(failing);
        let ana = world.connect(&arrival("ana"));
        let refused = world.clients[ana.0].refused.clone().unwrap();
        assert_eq!(
            (refused.code, refused.code.close()),
            (ErrorCode::StorageFailed, 1011)
        );
        world.store.faults.failing.clear();
        let (_, welcome) = world.join("ana");
        assert_eq!(welcome["members"].as_array().unwrap().len(), 1, "{failing}");
    }
}

#[test]
fn p5_a_leave_that_cannot_be_saved_makes_no_ghost() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, welcome) = world.join("ana");
    world.brief(bob);
    world.store.faults.failing.insert("delete_member");
    world.drop(ana, 1000);
    assert_eq!(world.brief(bob), ["leave ana"]);
    world.pass(10_000);
    assert!(!world.evict(), "it still has something to do");
    world.store.faults.failing.clear();
    world.pass(2_000);
    assert!(world.evict());
    world.pass(60_000);
    assert_eq!(world.brief(bob), [""; 0], "no second leave");
    assert_eq!(world.store.members.len(), 1);
    // One that returns meanwhile keeps the row.
    let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    world.store.faults.failing.insert("delete_member");
    world.drop(ana, 1000);
    world.store.faults.failing.clear();
    world.enter(&arrival("ana").resuming(&welcome, 0));
    world.pass(5_000);
    assert_eq!(world.store.members.len(), 2);
    let told = world.read(bob);
    let told: Vec<String> = told.iter().map(brief).collect();
    assert_eq!(told, ["join ana", "leave ana", "join ana"]);
}

#[test]
fn e4_what_cannot_be_read_is_an_error_and_nothing_else() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.pass(3_000);
    world.read(ana);
    assert!(world.evict());
    world.store.faults.failing.extend(["ids", "rows"]);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.send(ana, json!({"type": "history", "id": "h"}));
    assert_eq!(
        world.brief(ana),
        ["error storage_failed 1", "error storage_failed h"]
    );
    let again = world.connect(&arrival("ana").resuming(&welcome, 0));
    let refused = world.clients[again.0].refused.clone().unwrap();
    assert_eq!(refused.code, ErrorCode::StorageFailed);
    assert!(world.is_open(ana), "the older socket lives on");
    world.store.faults.failing.insert("heads");
    assert!(world.ask(roomful::room::Call::Summary).is_err());
    world.store.faults.failing.clear();
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    assert_eq!(world.brief(ana), ["ack 1 #1"]);
}

#[test]
fn h4_h5_bans_and_deletions_that_fail_have_no_effect() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.store.faults.failing.extend(["put_ban", "erase"]);
    assert!(
        world
            .disconnect(json!({"user": "ana", "ban_seconds": 9}))
            .is_err()
    );
    assert!(world.delete().is_err());
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(ana), ["m null #1"]);
}

#[test]
fn p4_the_end_of_a_crowd_that_cannot_be_saved_is_saved_later() {
    let mut world = World::with(|limits| limits.members = 4);
    let clients: Vec<_> = (0..5).map(|n| world.join(&format!("u{n}")).0).collect();
    world.pass(3_000);
    world.store.faults.failing.insert("put_meta");
    world.drop(clients[3], 1000);
    world.drop(clients[4], 1000);
    world.store.faults.failing.clear();
    assert_eq!(world.brief(clients[0]).last().unwrap(), "members 3");
    assert!(!world.evict(), "it still has something to write");
    world.pass(3_000);
    assert!(world.evict());
    world.join("new");
    assert_eq!(world.brief(clients[0]), ["join new"]);
}
