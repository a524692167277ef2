//! Arriving: the welcome, capacity, bans.

use std::collections::BTreeSet;

use crate::world::{Client, World, arrival, json};
use roomful::protocol::ErrorCode;
use roomful::room::Kind;

#[test]
fn c2_the_welcome_comes_first_and_has_every_field() {
    let mut world = World::new();
    let ana = world.connect(
        &arrival("ana")
            .info(json!({"name": "Ana"}))
            .expires_at(world.now + 60_000),
    );
    let frames = world.read_frames(ana);
    assert_eq!(frames.len(), 1);
    let welcome: serde_json::Value = serde_json::from_str(&frames[0]).unwrap();
    let connection = welcome["connection"].as_str().unwrap().to_owned();
    let session = welcome["session"].as_str().unwrap().to_owned();
    assert!(connection.len() <= 10 && session.len() > 40);
    let user = json!({"id": "ana", "info": {"name": "Ana"}});
    assert_eq!(
        welcome,
        json!({
            "type": "welcome", "protocol": 1, "room": "lobby", "connection": connection,
            "session": session, "user": user,
            "can": ["subscribe", "publish", "presence", "history"], "expires_in": 60_000,
            "epoch": "e1", "offset": 0, "recovered": null,
            "members": [
                {"connection": connection, "user": user, "state": null, "at": world.now},
            ],
            "occupancy": {"connections": 1, "users": 1}, "ping": 25_000,
            "limits": {"message_bytes": 65_536, "state_bytes": 4_096, "rate_per_second": 100},
        })
    );
}

#[test]
fn c2_everything_after_the_welcomes_offset_follows_though_it_came_in_the_middle_of_a_tick() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.make_busy(ana);
    world.send(ana, json!({"type": "publish", "event": "a"}));
    world.pass(1);
    // Nothing is committed yet: the tick is not over.
    world.send(ana, json!({"type": "publish", "event": "b"}));
    world.send(
        ana,
        json!({"type": "publish", "event": "e", "ephemeral": true}),
    );
    let (bob, welcome) = world.join("bob");
    world.send(ana, json!({"type": "publish", "event": "c"}));
    let committed = welcome["offset"].as_u64().unwrap();
    let messages = world.brief(bob);
    let expected: Vec<String> = ["a", "b", "c"]
        .iter()
        .zip(1..)
        .map(|(event, n)| format!("{event} null #{n}"))
        .collect();
    assert_eq!(
        messages,
        expected[usize::try_from(committed).unwrap()..],
        "after {committed}"
    );
    assert!(committed < 2);
}

#[test]
fn c2_who_is_in_the_welcome_is_not_told_again_as_a_join() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.make_busy(ana);
    let (bob, _) = world.join("bob");
    let (cyd, welcome) = world.join("cyd");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 3);
    assert_eq!(world.brief(cyd), [""; 0]);
    assert_eq!(world.brief(bob), ["join cyd"]);
    assert_eq!(world.brief(ana), ["busy null", "join bob", "join cyd"]);
}

#[test]
fn c2_the_welcome_lists_everybody_as_they_are_however_the_list_came_about() {
    let mut world = World::new();
    let mut there: Vec<(Client, serde_json::Value)> = Vec::new();
    let mut gone: Option<serde_json::Value> = None;
    for round in 0..60_usize {
        let arrives = match gone.take() {
            // Of an earlier id, after later ones.
            Some(welcome) => {
                let user = welcome["user"]["id"].as_str().unwrap();
                arrival(user).resuming(&welcome, 0)
            }
            None => arrival(&format!("u{round}")).info(json!({"round": round})),
        };
        let (client, welcome) = world.enter(&arrives);
        there.push((client, welcome.clone()));
        let listed = &welcome["members"];
        assert_eq!(*listed, world.presence()["members"], "round {round}");
        assert_eq!(listed.as_array().unwrap().len(), there.len());
        let other = there[round % there.len()].0;
        match round % 7 {
            2 => world.send(other, json!({"type": "state", "state": {"round": round}})),
            3 => world.send(other, json!({"type": "state", "patch": {"x": round}})),
            5 => {
                let (leaves, welcome) = there.remove(round % there.len());
                world.drop(leaves, 1000);
                gone = Some(welcome);
            }
            6 => world.pass(300),
            _ => {}
        }
    }
}

#[test]
fn c2_connection_ids_are_never_used_twice() {
    let mut world = World::new();
    let mut ids = BTreeSet::new();
    for round in 0..50 {
        let (client, welcome) = world.join("ana");
        assert!(ids.insert(welcome["connection"].as_str().unwrap().to_owned()));
        match round % 4 {
            0 => world.drop(client, 1000),
            1 => world.drop(client, 1006),
            2 => world.restart(),
            _ => world.pass(7),
        }
    }
}

#[test]
fn c2_without_presence_one_neither_sees_nor_is_seen() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (ghost, welcome) = world.enter(&arrival("ghost").can(&["subscribe", "publish"]));
    assert!(welcome.get("members").is_none());
    assert_eq!(welcome["occupancy"], json!({"connections": 2, "users": 1}));
    assert_eq!(world.brief(ana), [""; 0]);
    let (bob, welcome) = world.join("bob");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 2);
    assert_eq!(welcome["occupancy"], json!({"connections": 3, "users": 2}));
    world.pass(100);
    world.send(bob, json!({"type": "state", "state": 1}));
    world.drop(bob, 1000);
    assert_eq!(world.brief(ghost), [""; 0]);
    world.drop(ghost, 1000);
    assert_eq!(world.brief(ana), ["join bob", "states", "leave bob"]);
}

#[test]
fn c2_plain_clients_are_served_like_all_others() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (wes, welcome) = world.enter(&arrival("wes").kind(Kind::PlainSocket));
    assert_eq!(welcome["members"].as_array().unwrap().len(), 2);
    world.send(ana, json!({"type": "publish", "event": "hi"}));
    assert_eq!(world.brief(wes), ["hi null #1"]);
}

#[test]
fn n7_e3_a_full_room_refuses_and_those_inside_notice_nothing() {
    let mut world = World::with(|limits| limits.connections = 2);
    let (ana, welcome) = world.join("ana");
    world.join("bob");
    world.brief(ana);
    let cyd = world.connect(&arrival("cyd"));
    let refused = world.clients[cyd.0].refused.clone().unwrap();
    assert_eq!(
        (refused.code, refused.code.close()),
        (ErrorCode::RoomFull, 4301)
    );
    assert_eq!(world.brief(ana), [""; 0]);
    // Whoever has a place keeps it through a drop, and comes back though the room is full.
    world.drop(ana, 1006);
    let cyd = world.connect(&arrival("cyd"));
    assert!(world.clients[cyd.0].refused.is_some());
    world.enter(&arrival("ana").resuming(&welcome, 0));
    // And gives it up at the end of the grace.
    world.pass(1_000);
    world.restart();
    let cyd = world.connect(&arrival("cyd"));
    assert!(world.clients[cyd.0].refused.is_some());
    world.pass(10_000);
    world.enter(&arrival("cyd"));
}

#[test]
fn n7_connections_of_one_user_are_limited() {
    let mut world = World::with(|limits| limits.connections_per_user = 2);
    let (first, _) = world.join("ana");
    world.join("ana");
    let third = world.connect(&arrival("ana"));
    assert_eq!(
        world.clients[third.0].refused.clone().unwrap().code,
        ErrorCode::UserFull
    );
    world.join("bob");
    world.drop(first, 1000);
    world.join("ana");
}

#[test]
fn r1_an_older_socket_of_the_session_is_replaced_and_the_member_stays() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send(ana, json!({"type": "state", "state": {"x": 1}}));
    world.brief(ana);
    world.brief(bob);
    let (again, second) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(world.closed(ana), Some(4504));
    assert_eq!(second["connection"], welcome["connection"]);
    assert_eq!(second["members"][0]["state"], json!({"x": 1}));
    assert_eq!(second["occupancy"], json!({"connections": 2, "users": 2}));
    // The end of the old socket is told late, and concerns nobody.
    let link = roomful::room::Link(1);
    world.handle(roomful::room::Input::Closed {
        link,
        code: 1006,
        unread: 0,
    });
    world.pass(60_000);
    world.ping(again);
    assert_eq!(world.brief(bob), [""; 0]);
    assert!(world.is_open(again));
}

#[test]
fn r1_two_sockets_of_one_session_at_once_leave_the_newer() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.drop(ana, 1006);
    let first = world.connect(&arrival("ana").resuming(&welcome, 0));
    let second = world.connect(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(world.closed(first), Some(4504));
    assert!(world.is_open(second));
    world.pass(20_000);
    assert_eq!(world.presence()["members"].as_array().unwrap().len(), 2);
    assert_eq!(world.brief(bob), [""; 0]);
}

#[test]
fn t2_every_action_needs_its_right() {
    let mut world = World::new();
    let (ana, _) = world.enter(&arrival("ana").can(&[]));
    for (message, code) in [
        (
            json!({"type": "publish", "id": "p", "event": "hi"}),
            "error forbidden p",
        ),
        (
            json!({"type": "state", "id": "s", "state": 1}),
            "error forbidden s",
        ),
        (json!({"type": "history", "id": "h"}), "error forbidden h"),
    ] {
        world.send(ana, message);
        assert_eq!(world.brief(ana), [code]);
    }
    let (bob, _) = world.join("bob");
    world.send(bob, json!({"type": "publish", "event": "hi"}));
    assert_eq!(world.brief(ana), [""; 0], "receiving needs subscribe");
    assert_eq!(world.brief(bob), ["hi null #1"]);
}
