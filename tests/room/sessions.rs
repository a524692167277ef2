//! What a session may claim when it comes back, and what ends it.

use serde_json::Value;

use crate::world::{Arrival, Client, World, arrival, json};

const LISTENER: [&str; 3] = ["subscribe", "publish", "presence"];
const SPEAKER: [&str; 2] = ["publish", "presence"];

fn publish(world: &mut World, client: Client) {
    world.send(client, json!({"type": "publish", "event": "m"}));
    world.pass(100);
}

/// Comes in, and tells the welcome and what followed it at once.
fn come(world: &mut World, arrival: &Arrival) -> (Client, Value, Vec<String>) {
    let (client, welcome) = world.enter(arrival);
    (client, welcome, world.brief(client))
}

fn ban(world: &mut World, user: &str, seconds: u64) {
    world
        .disconnect(json!({"user": user, "ban_seconds": seconds}))
        .unwrap();
}

#[test]
fn h4_r2_a_ban_ends_the_sessions_of_its_user_who_cannot_claim_what_was_said_meanwhile() {
    for restart in [false, true] {
        let mut world = World::new();
        let (bob, _) = world.join("bob");
        let (_, before, _) = come(&mut world, &arrival("ana").can(&LISTENER));
        let (_, other, _) = come(&mut world, &arrival("cyd").can(&LISTENER));
        publish(&mut world, bob);
        ban(&mut world, "ana", 60);
        publish(&mut world, bob);
        world.pass(60_000);
        // Other bans do not make it forgotten.
        ban(&mut world, "dan", 60);
        if restart {
            world.restart();
        }
        let back = arrival("ana").can(&LISTENER).resuming(&before, 1);
        let (ana, welcome, heard) = come(&mut world, &back);
        assert_eq!(welcome["recovered"], false, "restart: {restart}");
        assert_eq!(heard, [""; 0]);
        assert_ne!(welcome["connection"], before["connection"]);
        // What came before the ban is no more to be had by it.
        let back = arrival("ana").can(&LISTENER).resuming(&before, 0);
        let (_, again, heard) = come(&mut world, &back);
        assert_eq!((&again["recovered"], heard.len()), (&json!(false), 0));
        // The session that began after the ban is one like any other, and so is that of somebody else.
        let (bob, _) = world.join("bob");
        publish(&mut world, bob);
        world.drop(ana, 1006);
        let back = arrival("ana").can(&LISTENER).resuming(&welcome, 2);
        let (_, resumed, heard) = come(&mut world, &back);
        assert_eq!(resumed["recovered"], true);
        assert_eq!(resumed["connection"], welcome["connection"]);
        assert_eq!(heard, ["m null #3"]);
        let back = arrival("cyd").can(&LISTENER).resuming(&other, 1);
        assert_eq!(come(&mut world, &back).2, ["m null #2", "m null #3"]);
    }
}

#[test]
fn h4_r2_a_ban_is_remembered_for_as_long_as_any_of_what_was_said_meanwhile() {
    const DAY: u64 = 86_400_000;
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (_, before, _) = come(&mut world, &arrival("ana").can(&LISTENER));
    // A first row, which does not grow.
    publish(&mut world, bob);
    ban(&mut world, "ana", 5);
    publish(&mut world, bob);
    world.pass(13 * 60_000);
    // It goes into the row of the one before, which leaves the history later for it.
    let (bob, _) = world.join("bob");
    publish(&mut world, bob);
    world.pass(DAY - 10 * 60_000);
    ban(&mut world, "dan", 60);
    let reader = arrival("cyd").at(before["epoch"].as_str().unwrap(), 1);
    assert_eq!(come(&mut world, &reader).2, ["m null #2", "m null #3"]);
    let back = arrival("ana").can(&LISTENER).resuming(&before, 1);
    assert_eq!(come(&mut world, &back).1["recovered"], false);
}

#[test]
fn h4_r2_a_ban_that_was_lifted_is_as_if_it_had_never_been() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (_, before, _) = come(&mut world, &arrival("ana").can(&LISTENER));
    ban(&mut world, "ana", 3_600);
    publish(&mut world, bob);
    ban(&mut world, "ana", 0);
    let back = arrival("ana").can(&LISTENER).resuming(&before, 0);
    let (_, welcome, heard) = come(&mut world, &back);
    assert_eq!(welcome["connection"], before["connection"]);
    assert_eq!(heard, ["m null #1"]);
}

#[test]
fn r2_m7_a_session_without_subscribe_claims_nothing_once_it_has_the_right() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, deaf, _) = come(&mut world, &arrival("ana").can(&SPEAKER));
    publish(&mut world, bob);
    // It has missed nothing, since nothing was for it; who proves no session may not know how much there was.
    let stranger = arrival("cyd")
        .can(&SPEAKER)
        .at(deaf["epoch"].as_str().unwrap(), 0);
    assert_eq!(come(&mut world, &stranger).1["recovered"], false);
    world.drop(ana, 1006);
    let (ana, again, _) = come(&mut world, &arrival("ana").can(&SPEAKER).resuming(&deaf, 0));
    assert_eq!(again["recovered"], true);
    assert_eq!(again["connection"], deaf["connection"]);
    world.drop(ana, 1006);
    world.evict();
    for secret in [&deaf, &again] {
        let back = arrival("ana").can(&LISTENER).resuming(secret, 0);
        let (_, welcome, heard) = come(&mut world, &back);
        assert_eq!(welcome["connection"], deaf["connection"]);
        assert_eq!((&welcome["recovered"], heard.len()), (&json!(false), 0));
    }
    // From there on it may.
    let back = arrival("ana").can(&LISTENER).resuming(&deaf, 0);
    let (ana, hearing, _) = come(&mut world, &back);
    world.drop(ana, 1006);
    publish(&mut world, bob);
    let back = arrival("ana").can(&LISTENER).resuming(&hearing, 1);
    let (_, welcome, heard) = come(&mut world, &back);
    assert_eq!(welcome["recovered"], true);
    assert_eq!(heard, ["m null #2"]);
    let back = arrival("ana").can(&LISTENER).resuming(&hearing, 0);
    assert_eq!(come(&mut world, &back).1["recovered"], false);
}

#[test]
fn r1_a_secret_of_a_deleted_room_is_worth_nothing_in_the_next_epoch() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    publish(&mut world, bob);
    let (_, before, _) = come(&mut world, &arrival("ana"));
    world.delete().unwrap();
    let (bob, _) = world.join("bob");
    publish(&mut world, bob);
    // So that no id of the new epoch is by chance one of the old.
    world.pass(1_000);
    let epoch = world.store.meta.clone().unwrap().epoch;
    let secret = before["session"].as_str().unwrap();
    for rights in [&LISTENER[..], &["history", "subscribe", "presence"]] {
        // Also with the new epoch's name, which everybody in the room knows.
        for epoch in [before["epoch"].as_str().unwrap(), &epoch] {
            let back = arrival("ana").can(rights).session(secret).at(epoch, 0);
            let (_, welcome, heard) = come(&mut world, &back);
            assert_ne!(welcome["connection"], before["connection"]);
            // With `history` the new epoch's messages are everybody's.
            let may = epoch == welcome["epoch"] && rights.contains(&"history");
            assert_eq!(welcome["recovered"], may, "{rights:?}");
            assert_eq!(heard.len(), usize::from(may));
        }
    }
}

#[test]
fn r1_another_user_with_the_secret_gets_neither_place_nor_messages() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, hers, _) = come(&mut world, &arrival("ana").can(&LISTENER));
    publish(&mut world, bob);
    let stolen = arrival("eve").can(&LISTENER).resuming(&hers, 0);
    let (_, welcome, heard) = come(&mut world, &stolen);
    assert_ne!(welcome["connection"], hers["connection"]);
    assert_eq!((&welcome["recovered"], heard.len()), (&json!(false), 0));
    assert!(world.is_open(ana), "the owner's socket is not replaced");
}
