//! Users whom a server sends away, for now or for longer.

use crate::world::{World, arrival, json};
use roomful::protocol::ErrorCode;
use roomful::room::Call;

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
fn h4_h5_lifting_a_ban_that_there_is_not_writes_nothing_and_needs_no_space() {
    let mut world = World::new();
    let lift = json!({"user": "ana", "ban_seconds": 0});
    world.disconnect(lift.clone()).unwrap();
    assert_eq!(world.store.rows_written, 0);
    assert!(world.store.meta.is_none() && world.alarm.is_none());
    world.post(json!({"event": "m"})).unwrap();
    let later = world.now + 60_000;
    for n in 0..10_000 {
        world.store.bans.insert(format!("u{n}"), later);
    }
    world.disconnect(lift).unwrap();
    assert_eq!(world.store.bans.len(), 10_000);
    world
        .disconnect(json!({"user": "u7", "ban_seconds": 0}))
        .unwrap();
    world.join("u7");
}
