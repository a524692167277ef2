//! What servers ask.

use serde_json::Value;

use crate::world::{World, json};
use roomful::protocol::{Error, ErrorCode, http};
use roomful::room::Call;

#[test]
fn h1_a_server_publishes() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let reply = world.post(json!({"event": "news", "data": [1]})).unwrap();
    assert_eq!(reply, json!({"offset": 1, "epoch": "e1"}));
    let message = world.read(ana).remove(0);
    assert_eq!(
        (&message["user"], &message["from"]),
        (&json!("server"), &Value::Null)
    );
    let reply = world
        .post(json!({"event": "news", "ephemeral": true}))
        .unwrap();
    assert_eq!(reply, json!({"epoch": "e1"}));
}

#[test]
fn h1_except_and_to_address_connections() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.brief(ana);
    let except = json!([at_ana["connection"], at_ana["connection"], "zzz"]);
    world.post(json!({"event": "a", "except": except})).unwrap();
    world
        .post(json!({"event": "b", "except": except, "ephemeral": true}))
        .unwrap();
    world
        .post(json!({"event": "c", "to": ["user:ana", "user:bob"], "except": except}))
        .unwrap();
    assert_eq!(world.brief(ana), ["skip #1"]);
    assert_eq!(
        world.brief(bob),
        ["a null #1", "b null", "c null privately"]
    );
}

#[test]
fn h2_one_refused_does_not_stop_the_others() {
    let mut world = World::new();
    let (one, two) = (
        json!({"event": "a"}).to_string(),
        json!({"event": "b"}).to_string(),
    );
    let messages = vec![
        http::decode_publish(&one),
        Err(Error::new(ErrorCode::BadMessage)),
        http::decode_publish(&two),
    ];
    let reply = world.ask(Call::Publish(messages)).unwrap();
    let results = reply["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(
        (&results[0]["offset"], &results[2]["offset"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(results[1]["error"]["code"], "bad_message");
}

#[test]
fn h3_presence_and_the_room_itself() {
    let mut world = World::new();
    assert_eq!(
        world.presence(),
        json!({"members": [], "occupancy": {"connections": 0, "users": 0}})
    );
    let summary = world.ask(Call::Summary).unwrap();
    assert_eq!(
        (&summary["created_at"], &summary["offset"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(world.store.rows_written, 0, "asking writes nothing (H5)");
    world.pass(1_000);
    let created = world.now;
    let (ana, welcome) = world.join("ana");
    for _ in 0..3 {
        world.send(ana, json!({"type": "publish", "event": "m"}));
        world.pass(100);
    }
    let presence = world.presence();
    assert_eq!(presence["members"], welcome["members"]);
    world.pass(5_000);
    assert!(world.evict());
    let awake = world.now;
    let bytes: u64 = world
        .store
        .log
        .values()
        .map(|row| row.messages.len() as u64)
        .sum();
    assert_eq!(
        world.ask(Call::Summary).unwrap(),
        json!({
            "room": "lobby", "epoch": "e1", "offset": 3,
            "occupancy": {"connections": 1, "users": 1},
            "history": {"messages": 3, "bytes": bytes, "first_offset": 1},
            "created_at": created, "awake_since": awake,
        })
    );
}
