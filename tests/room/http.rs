//! What servers ask.

use serde_json::Value;

use crate::world::{World, arrival, json};
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

#[test]
fn h4_disconnects_a_user_or_a_connection() {
    let mut world = World::new();
    let (watcher, _) = world.join("watcher");
    let (one, at_one) = world.join("ana");
    let (two, _) = world.join("ana");
    let (away, at_away) = world.join("ana");
    world.drop(away, 1006);
    world.brief(watcher);
    let target = at_one["connection"].clone();
    let reply = world
        .disconnect(json!({"connection": target, "reason": "flooding"}))
        .unwrap();
    assert_eq!(reply, json!({"closed": 1}));
    assert_eq!(
        world.clients[one.0].closed,
        Some((4505, "flooding".to_owned()))
    );
    assert!(world.is_open(two));
    assert_eq!(world.brief(watcher), ["leave ana"]);
    let reply = world.disconnect(json!({"user": "ana"})).unwrap();
    assert_eq!(
        reply,
        json!({"closed": 1}),
        "who is within the grace leaves, but is not closed"
    );
    assert_eq!(world.closed(two), Some(4505));
    assert_eq!(world.brief(watcher), ["leave ana", "leave ana"]);
    assert_eq!(
        world.disconnect(json!({"user": "nobody"})).unwrap(),
        json!({"closed": 0})
    );
    assert_eq!(
        world.disconnect(json!({"connection": "zzz"})).unwrap(),
        json!({"closed": 0})
    );
    // Without a ban one may come back.
    world.enter(&arrival("ana").resuming(&at_away, 0));
    assert_eq!(world.brief(watcher), ["join ana"]);
}

#[test]
fn h4_a_ban_of_no_seconds_lifts_the_ban() {
    let mut world = World::new();
    world
        .disconnect(json!({"user": "ana", "ban_seconds": 60}))
        .unwrap();
    let banned = world.connect(&arrival("ana"));
    let refused = world.clients[banned.0].refused.clone().unwrap();
    assert_eq!(refused.code, ErrorCode::Banned);
    world
        .disconnect(json!({"user": "ana", "ban_seconds": 0}))
        .unwrap();
    world.join("ana");
}

#[test]
fn h4_a_ban_holds_across_reconnects_restarts_and_deletion() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world
        .disconnect(json!({"user": "ana", "ban_seconds": 60}))
        .unwrap();
    assert_eq!(world.closed(ana), Some(4505));
    for round in 0..4 {
        let again = world.connect(&arrival("ana").resuming(&welcome, 0));
        let refused = world.clients[again.0].refused.clone().unwrap();
        assert_eq!(
            (refused.code, refused.code.close()),
            (ErrorCode::Banned, 4502)
        );
        let request = world.request("ana", &["presence"], Call::Presence);
        assert_eq!(world.answer(request).unwrap_err().code, ErrorCode::Banned);
        match round {
            0 => world.restart(),
            1 => drop(world.delete().unwrap()),
            _ => world.pass(2_000),
        }
        if round == 2 {
            world.evict();
        }
    }
    let (bob, _) = world.join("bob");
    world
        .disconnect(json!({"connection": "zz", "ban_seconds": 60}))
        .unwrap();
    assert!(world.is_open(bob));
    world.pass(60_000);
    world.join("ana");
}

#[test]
fn h4_a_ban_by_connection_bans_its_user() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.drop(ana, 1006);
    let body = json!({"connection": welcome["connection"], "ban_seconds": 5});
    assert_eq!(world.disconnect(body).unwrap(), json!({"closed": 0}));
    let again = world.connect(&arrival("ana"));
    assert_eq!(
        world.clients[again.0].refused.clone().unwrap().code,
        ErrorCode::Banned
    );
}

#[test]
fn h4_a_ban_by_connection_closes_the_user_s_other_tabs() {
    let mut world = World::new();
    let (one, welcome) = world.join("ana");
    let (other, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    let body = json!({"connection": welcome["connection"], "ban_seconds": 5});
    assert_eq!(world.disconnect(body).unwrap(), json!({"closed": 2}));
    let codes = [one, other, bob].map(|client| world.closed(client));
    assert_eq!(codes, [Some(4505), Some(4505), None]);
}

#[test]
fn h5_deletion_closes_everyone_and_begins_a_new_epoch_in_the_same_turn() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.pass(100);
    // Something still waits for the tick.
    world.make_busy(ana);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    let links = [world.link(ana), world.link(bob)];
    world.delete().unwrap();
    assert_eq!(
        (world.closed(ana), world.closed(bob)),
        (Some(4506), Some(4506))
    );
    assert!(world.store.meta.is_none() && world.store.log.is_empty());
    let written = world.store.rows_written;
    for link in links {
        world.handle(roomful::room::Input::Closed { link, code: 1006 });
        world.handle(roomful::room::Input::Frame {
            link,
            text: "{\"type\":\"state\",\"state\":1}",
        });
    }
    world.pass(60_000);
    assert_eq!(
        world.store.rows_written, written,
        "late events have no effect"
    );
    let (cyd, fresh) = world.join("cyd");
    assert_ne!(fresh["epoch"], welcome["epoch"]);
    assert_eq!(
        (&fresh["offset"], fresh["members"].as_array().unwrap().len()),
        (&json!(0), 1)
    );
    let (_, again) = world.enter(&arrival("ana").resuming(&welcome, 1));
    assert_eq!(again["recovered"], false);
    world.send(cyd, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(cyd), ["join ana", "m null #1"]);
}

#[test]
fn h5_publishes_that_wait_while_the_room_is_deleted_are_told() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    let text = json!({"event": "m"}).to_string();
    let call = Call::Publish(vec![http::decode_publish(&text)]);
    let request = world.request("server", &["admin"], call);
    assert!(world.replies.is_empty(), "it waits for the commit");
    world.delete().unwrap();
    assert_eq!(
        world.answer(request).unwrap_err().code,
        ErrorCode::RoomDeleted
    );
}

#[test]
fn h5_a_room_writes_nothing_before_its_first_join_publish_or_ban() {
    let mut world = World::new();
    world.presence();
    world.ask(Call::Summary).unwrap();
    world.disconnect(json!({"user": "ana"})).unwrap();
    world.pass(60_000);
    assert!(world.evict());
    world.presence();
    assert_eq!(world.store.rows_written, 0);
    world
        .post(json!({"event": "m", "ephemeral": true}))
        .unwrap();
    assert_eq!(world.store.rows_written, 0);
    world.post(json!({"event": "m"})).unwrap();
    assert!(world.store.rows_written > 0);
}
