//! The history: how far back it reaches, how it is read, what is written for it.

use serde_json::Value;

use crate::frame::count;
use crate::world::{Client, World, arrival, json};
use roomful::protocol::HistoryQuery;
use roomful::room::Call;

fn publish(world: &mut World, client: Client, data: Value) {
    world.send(
        client,
        json!({"type": "publish", "event": "m", "data": data}),
    );
    world.pass(100);
    world.read(client);
}

/// Asks for history: the offsets, and whether there is more.
fn ask(world: &mut World, client: Client, query: Value) -> (Vec<u64>, bool) {
    let mut message = json!({"type": "history", "id": "h"});
    message
        .as_object_mut()
        .unwrap()
        .extend(query.as_object().unwrap().clone());
    world.send(client, message);
    world.pass(100);
    let reply = world.read(client).remove(0);
    assert_eq!(
        (&reply["type"], &reply["id"]),
        (&json!("history"), &json!("h"))
    );
    assert_eq!(reply["epoch"], "e1");
    let messages = reply["messages"].as_array().unwrap();
    (
        messages
            .iter()
            .map(|m| m["offset"].as_u64().unwrap())
            .collect(),
        reply["more"] == true,
    )
}

#[test]
fn r6_pages_in_both_directions() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    assert_eq!(ask(&mut world, ana, json!({})), (vec![], false));
    for _ in 0..10 {
        publish(&mut world, ana, json!(1));
    }
    let range = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    for (query, offsets, more) in [
        (json!({}), range(1, 10), false),
        (json!({"limit": 4}), range(7, 10), true),
        (json!({"limit": 4, "before": 7}), range(3, 6), true),
        (json!({"limit": 4, "before": 3}), range(1, 2), false),
        (json!({"before": 1}), vec![], false),
        (json!({"before": 99, "limit": 1}), vec![10], true),
        (json!({"after": 0, "limit": 3}), range(1, 3), true),
        (json!({"after": 3, "limit": 3}), range(4, 6), true),
        (json!({"after": 7, "limit": 3}), range(8, 10), false),
        (json!({"after": 10}), vec![], false),
        (json!({"after": 99}), vec![], false),
        (json!({"after": 2, "before": 5}), range(3, 4), false),
        (
            json!({"after": 2, "before": 9, "limit": 2}),
            range(3, 4),
            true,
        ),
        (json!({"after": 5, "before": 3}), vec![], false),
    ] {
        assert_eq!(
            ask(&mut world, ana, query.clone()),
            (offsets, more),
            "{query}"
        );
    }
}

#[test]
fn r6_a_reply_stops_at_its_size_and_costs_by_it() {
    let mut world = World::with(|limits| limits.rate_burst = 20);
    let (ana, _) = world.join("ana");
    for _ in 0..12 {
        publish(&mut world, ana, json!("x".repeat(30_000)));
    }
    let (offsets, more) = ask(&mut world, ana, json!({}));
    assert_eq!(
        (offsets, more),
        ((5..=12).collect(), true),
        "256 KiB hold eight of them"
    );
    world.pass(1_000);
    // Each is charged as 14 messages beside its own one, of 20.
    for id in ["1", "2"] {
        world.send(ana, json!({"type": "history", "id": id}));
    }
    world.send(ana, json!({"type": "publish", "event": "m", "id": "3"}));
    let heard = world.brief(ana);
    assert_eq!(heard, ["history", "history", "error rate_limited 3"]);
    world.pass(300);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "4"}));
    assert_eq!(world.brief(ana), ["m null #13", "ack 4 #13"]);
}

#[test]
fn r6_h3_what_is_read_for_an_answer_counts_too() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (eve, _) = world.join("eve");
    let message = json!({"type": "publish", "event": "m", "data": "x".repeat(60_000)});
    for _ in 0..11 {
        world.send(ana, message.clone());
    }
    world.pass(1_000);
    world.read(eve);
    assert_eq!(
        world.store.log.len(),
        1,
        "what came in one tick lies together"
    );
    // 660 kB are read for one message: as ten beside its own one, of 200.
    for _ in 0..50 {
        world.send(eve, json!({"type": "history", "limit": 1}));
    }
    assert_eq!(count(&world.brief(eve), "history"), 19);
    let mut over_http = 0;
    while over_http < 50 {
        let history = Call::History(HistoryQuery::from_query("limit=1").unwrap());
        let request = world.request("mal", &["history"], history);
        if world.replies.remove(&request).unwrap().is_err() {
            break;
        }
        over_http += 1;
    }
    assert_eq!(over_http, 19);
    // Somebody who pages through it is hardly charged more than for what is told.
    world.pass(10_000);
    world.ping(eve);
    world.read(eve);
    for _ in 0..50 {
        world.send(eve, json!({"type": "history"}));
    }
    assert_eq!(count(&world.brief(eve), "history"), 14);
}

#[test]
fn n5_the_history_ends_by_count() {
    let mut world = World::with(|limits| limits.history_messages = 5);
    let (ana, _) = world.join("ana");
    for _ in 0..12 {
        publish(&mut world, ana, json!(1));
    }
    assert_eq!(ask(&mut world, ana, json!({})), ((8..=12).collect(), false));
    assert_eq!(
        ask(&mut world, ana, json!({"after": 0})),
        ((8..=12).collect(), false)
    );
    let summary = world.ask(Call::Summary).unwrap();
    assert_eq!(summary["history"]["messages"], 5);
    assert_eq!(summary["history"]["first_offset"], 8);
    // Several messages share a row: the row stays, what is too old in it is not shown.
    let many: Value = vec![json!({"type": "publish", "event": "m"}); 4].into();
    world.send(ana, many.clone());
    world.send(ana, many);
    world.pass(100);
    world.read(ana);
    assert_eq!(
        ask(&mut world, ana, json!({})),
        ((16..=20).collect(), false)
    );
    let (ana, welcome) = world.enter(&arrival("ana").at("e1", 15));
    assert_eq!(welcome["recovered"], true);
    assert_eq!(world.read(ana).len(), 5);
    assert_eq!(ask(&mut world, ana, json!({"after": 0})).0.len(), 5);
    let (_, welcome) = world.enter(&arrival("ana").at("e1", 14));
    assert_eq!(welcome["recovered"], false);
}

#[test]
fn n5_the_history_ends_by_age() {
    let mut world = World::with(|limits| limits.history_ms = 10_000);
    let (ana, _) = world.join("ana");
    for _ in 0..5 {
        publish(&mut world, ana, json!(1));
        world.pass(2_900);
    }
    assert_eq!(ask(&mut world, ana, json!({})), (vec![3, 4, 5], false));
    world.pass(60_000);
    assert_eq!(ask(&mut world, ana, json!({})), (vec![], false));
    assert_eq!(
        world.ask(Call::Summary).unwrap()["history"]["first_offset"],
        Value::Null
    );
    publish(&mut world, ana, json!(1));
    assert_eq!(ask(&mut world, ana, json!({"after": 0})), (vec![6], false));
}

#[test]
fn n5_the_history_ends_by_size() {
    let mut world = World::with(|limits| limits.history_bytes = 65_536);
    let (ana, _) = world.join("ana");
    for _ in 0..12 {
        publish(&mut world, ana, json!("x".repeat(10_000)));
    }
    assert_eq!(ask(&mut world, ana, json!({})), ((7..=12).collect(), false));
    let summary = world.ask(Call::Summary).unwrap();
    let bytes = summary["history"]["bytes"].as_u64().unwrap();
    assert!((60_000..=65_536).contains(&bytes));
    // A whole burst in one flush leaves a history as well.
    for _ in 0..10 {
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "data": "x".repeat(10_000)}),
        );
    }
    world.pass(100);
    world.read(ana);
    let (offsets, _) = ask(&mut world, ana, json!({}));
    assert!(
        offsets.len() >= 4 && offsets.ends_with(&[21, 22]),
        "{offsets:?}"
    );
}

#[test]
fn n5_without_history_offsets_grow_and_persist() {
    let mut world = World::with(|limits| limits.history_messages = 0);
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "a", "id": "1"}));
    world.send(ana, json!({"type": "publish", "event": "a", "id": "1"}));
    let heard = world.brief(ana);
    assert_eq!(count(&heard, "ack 1 #1"), 2);
    publish(&mut world, ana, json!("secret"));
    assert_eq!(ask(&mut world, ana, json!({})), (vec![], false));
    assert!(world.store.log.values().all(|row| row.messages.is_empty()));
    assert_eq!(world.store.log.len(), 1);
    world.restart();
    let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 1));
    assert_eq!(
        (&again["recovered"], &again["offset"]),
        (&json!(false), &json!(2))
    );
    let (_, other) = world.enter(&arrival("bob").at("e1", 2));
    assert_eq!(other["recovered"], true, "who missed nothing has recovered");
    world.send(ana, json!({"type": "publish", "event": "a"}));
    assert_eq!(world.brief(ana).last().unwrap(), "a null #3");
}

#[test]
fn n5_a_commit_writes_one_row_and_reuses_those_that_have_left_the_history() {
    let mut world = World::with(|limits| limits.history_messages = 10);
    let (ana, _) = world.join("ana");
    for _ in 0..50 {
        let before = world.store.rows_written;
        for id in 0..3 {
            let id = format!("{}-{id}", world.now);
            world.send(
                ana,
                json!({"type": "publish", "event": "m", "id": id, "echo": false}),
            );
        }
        world.pass(100);
        assert!(
            world.store.rows_written <= before + 2,
            "the first at once, the others together"
        );
        world.read(ana);
    }
    assert!(world.store.log.len() <= 8, "{}", world.store.log.len());
    assert_eq!(world.store.newest_offset(), 150);
    assert_eq!(
        ask(&mut world, ana, json!({})),
        ((141..=150).collect(), false)
    );
}

#[test]
fn n5_a_flush_above_a_megabyte_takes_several_rows() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.make_busy(ana);
    for _ in 0..60 {
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "data": "x".repeat(60_000)}),
        );
    }
    world.pass(100);
    let offsets: Vec<u64> = world
        .read(ana)
        .iter()
        .filter_map(|m| m["offset"].as_u64())
        .collect();
    assert_eq!(offsets, (1..=60).collect::<Vec<_>>());
    let (again, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    let replayed: Vec<u64> = world.clients[again.0].frames[1..]
        .iter()
        .flat_map(|frame| crate::world::flatten(frame))
        .map(|m| m["offset"].as_u64().unwrap())
        .collect();
    assert_eq!(replayed, (1..=60).collect::<Vec<_>>());
}

#[test]
fn h3_history_over_http_is_the_same() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for n in 0..5 {
        publish(&mut world, ana, json!(n));
    }
    let query = HistoryQuery::from_query("limit=2&before=5").unwrap();
    let reply = world.ask(Call::History(query)).unwrap();
    let offsets: Vec<_> = reply["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["offset"].clone())
        .collect();
    assert_eq!(offsets, [json!(3), json!(4)]);
    assert_eq!(
        (&reply["more"], &reply["epoch"]),
        (&json!(true), &json!("e1"))
    );
    assert!(reply.get("id").is_none());
}
