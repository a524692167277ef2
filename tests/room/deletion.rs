//! Rooms that a server deletes, and rooms that nobody has used.

use crate::world::{World, arrival, json};
use roomful::protocol::{ErrorCode, http};
use roomful::room::{Call, Input};

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
        world.handle(Input::Closed {
            link,
            code: 1006,
            unread: 0,
        });
        world.handle(Input::Frame {
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

#[test]
fn e3_h5_what_a_user_has_left_unread_outlives_the_room() {
    let mut world = World::new();
    world.linger = true;
    let links = [(); 4].map(|()| {
        let (mal, _) = world.join("mal");
        world.link(mal)
    });
    world.delete().unwrap();
    for link in links {
        let unread = 8 * 1_024 * 1_024;
        world.handle(Input::Slow { link, unread });
    }
    let refused = world.connect(&arrival("mal"));
    let error = world.clients[refused.0].refused.clone().unwrap();
    assert_eq!(error.code, ErrorCode::UserFull);
    world.join("bob");
    let [link, ..] = links;
    world.handle(Input::Closed {
        link,
        code: 1006,
        unread: 0,
    });
    world.join("mal");
}

#[test]
fn e3_n9_it_outlives_a_room_that_erases_itself_as_well() {
    let mut world = World::with(|limits| limits.history_ms = 60_000);
    world.linger = true;
    for _ in 0..4 {
        let (mal, _) = world.join("mal");
        let link = world.link(mal);
        let unread = 8 * 1_024 * 1_024;
        world.handle(Input::Slow { link, unread });
    }
    world.pass(3_600_000);
    assert!(world.store.meta.is_none(), "the room is gone");
    let refused = world.connect(&arrival("mal"));
    let error = world.clients[refused.0].refused.clone().unwrap();
    assert_eq!(error.code, ErrorCode::UserFull);
}
