//! Waking up is the normal case: what a client has is the same before and after.

use crate::world::{World, arrival, json};
use roomful::room::Kind;

#[test]
fn c3_everything_about_a_connection_survives_eviction() {
    let mut world = World::new();
    let grant = arrival("ana")
        .kind(Kind::PlainSocket)
        .info(json!({"name": "Ana \"1\" \u{1F600}"}))
        .can(&["subscribe", "presence"])
        .expires_at(world.now + 50_000_000);
    let (ana, welcome) = world.enter(&grant);
    let (bob, _) = world.join("bob");
    world.brief(ana);
    world.send(
        ana,
        json!({"type": "state", "state": {"deep": [1, "\u{e9}"]}}),
    );
    world.pass(5_000);
    let before = world.presence();
    world.pass(5_000);
    assert!(world.evict());
    assert_eq!(world.presence(), before);
    world.send(ana, json!({"type": "publish", "id": "1", "event": "m"}));
    assert_eq!(world.brief(ana), ["states", "error forbidden 1"]);
    world.send(
        bob,
        json!({"type": "publish", "event": "m", "to": ["user:ana"]}),
    );
    assert_eq!(world.brief(ana), ["m null privately"]);
    let (_, again) = world.enter(&grant.resuming(&welcome, 0));
    assert_eq!(again["connection"], welcome["connection"]);
    assert_eq!(again["members"][0], before["members"][0]);
}

#[test]
fn r2_the_first_offset_of_a_session_survives_eviction() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    world.send(bob, json!({"type": "publish", "event": "m"}));
    let can = ["subscribe", "presence"];
    let (ana, welcome) = world.enter(&arrival("ana").can(&can));
    world.pass(5_000);
    assert!(world.evict());
    world.send(bob, json!({"type": "publish", "event": "m"}));
    world.drop(ana, 1006);
    let (_, again) = world.enter(&arrival("ana").can(&can).resuming(&welcome, 0));
    assert_eq!(again["recovered"], false);
    let (_, again) = world.enter(&arrival("ana").can(&can).resuming(&welcome, 1));
    assert_eq!(again["recovered"], true);
}

#[test]
fn h5_sockets_of_an_earlier_epoch_are_nobodys() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.pass(2_000);
    let attachment = world.clients[ana.0].attachment.clone();
    world.delete().unwrap();
    let (bob, _) = world.join("bob");
    world.pass(2_000);
    world.brief(bob);
    // Its socket is still there when the room wakes: the end of it has not come through.
    let link = roomful::room::Link(9_999);
    (world.clients[ana.0].link, world.clients[ana.0].attachment) = (Some(link), attachment);
    assert!(world.evict());
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(
        world.presence()["occupancy"],
        json!({"connections": 1, "users": 1})
    );
    world.drop(ana, 1006);
    world.pass(20_000);
    assert_eq!(world.brief(bob), [""; 0]);
}

#[test]
fn r5_a_socket_without_its_row_is_a_member_and_a_row_without_its_socket_leaves_once() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, _) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    world.send(cyd, json!({"type": "state", "state": 1}));
    world.pass(2_000);
    for client in [ana, bob, cyd] {
        world.brief(client);
    }
    assert!(world.evict());
    let id = roomful::protocol::ConnectionId::parse(at_ana["connection"].as_str().unwrap());
    world.store.members.remove(&id.unwrap());
    // The end of this one's socket is never told.
    (world.clients[cyd.0].link, world.clients[cyd.0].attachment) = (None, None);
    assert_eq!(world.presence()["members"].as_array().unwrap().len(), 3);
    assert_eq!(
        world.brief(bob),
        ["states"],
        "its state has gone with the socket"
    );
    world.pass(20_000);
    assert_eq!(world.brief(bob), ["leave cyd"]);
    world.drop(ana, 1000);
    assert_eq!(world.brief(bob), ["leave ana"]);
}

#[test]
fn c3_bytes_that_are_no_attachment_are_left_alone() {
    for text in ["", "{}", "null", "{\"e\":\"e1\"}", "\u{1F600}"] {
        let mut world = World::new();
        let (ana, _) = world.join("ana");
        let (bob, _) = world.join("bob");
        world.pass(2_000);
        world.brief(bob);
        assert!(world.evict());
        world.clients[ana.0].attachment = Some(text.to_owned());
        assert_eq!(
            world.presence()["occupancy"]["connections"],
            2,
            "its row is still there"
        );
        world.pass(30_000);
        assert_eq!(world.brief(bob), ["states", "leave ana"]);
        world.send(ana, json!({"type": "publish", "event": "m"}));
        assert_eq!(world.brief(bob), [""; 0]);
        assert!(world.is_open(bob));
    }
}

#[test]
fn c3_attachments_of_other_versions_are_read() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana \"\u{e9}\"");
    let (bob, _) = world.join("bob");
    world.send(
        ana,
        json!({"type": "state", "state": {"e": "\\", "s": [{}, []]}}),
    );
    world.send(ana, json!("nonsense"));
    world.pass(2_000);
    let before = world.presence();
    let attachment = world.clients[ana.0].attachment.take().unwrap();
    // In another order, and with keys that this version does not know.
    let mut fields: serde_json::Map<_, _> = serde_json::from_str(&attachment).unwrap();
    fields.insert("a".to_owned(), json!({"e": "}"}));
    fields.insert("later".to_owned(), json!([[], 1.5]));
    fields.insert(String::new(), json!(null));
    world.clients[ana.0].attachment = Some(json!(fields).to_string());
    assert!(world.evict());
    assert_eq!(world.presence(), before);
    world.brief(bob);
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.pass(100);
    assert_eq!(world.read(bob)[0]["from"], welcome["connection"]);
}

#[test]
fn c3_r5_only_the_rows_of_those_without_a_socket_are_read() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send(ana, json!({"type": "state", "state": 1}));
    world.pass(5_000);
    assert!(world.evict());
    let before = world.presence();
    assert_eq!(before["members"].as_array().unwrap().len(), 2);
    assert_eq!(world.store.members_read, 0);
    assert!(world.evict());
    (world.clients[bob.0].link, world.clients[bob.0].attachment) = (None, None);
    assert_eq!(world.presence(), before);
    assert_eq!(world.store.members_read, 1);
}
