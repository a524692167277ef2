//! Members and their states.

use serde_json::Value;

use crate::world::{World, arrival, brief, json};

fn state(world: &mut World, client: crate::world::Client, change: Value) {
    let mut message = json!({"type": "state"});
    message
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    world.send(client, message);
}

#[test]
fn p1_a_state_is_set_merged_and_cleared() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for (change, expected) in [
        (json!({"state": {"x": 1, "y": 2}}), json!({"x": 1, "y": 2})),
        (
            json!({"patch": {"y": null, "z": {"deep": 1}}}),
            json!({"x": 1, "z": {"deep": 1}}),
        ),
        (
            json!({"patch": {"z": {"other": 2}}}),
            json!({"x": 1, "z": {"other": 2}}),
        ),
        (json!({"state": 7}), json!(7)),
        (json!({"patch": {"a": 1}}), json!({"a": 1})),
        (json!({"state": null}), Value::Null),
        (json!({"patch": {"a": null}}), json!({})),
    ] {
        state(&mut world, ana, change.clone());
        world.pass(100);
        assert_eq!(
            world.presence()["members"][0]["state"],
            expected,
            "{change}"
        );
    }
    world.read(ana);
    state(&mut world, ana, json!({"state": 1, "patch": {}}));
    state(&mut world, ana, json!({}));
    assert_eq!(world.brief(ana), ["error bad_message", "error bad_message"]);
}

#[test]
fn p2_joins_and_leaves_go_to_the_others() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let arrives = arrival("bob").info(json!({"name": "Bob"}));
    let (bob, welcome) = world.enter(&arrives);
    assert_eq!(world.brief(bob), [""; 0]);
    let join = world.read(ana).remove(0);
    assert_eq!(
        join,
        json!({"type": "join", "member": welcome["members"][1]})
    );
    assert_eq!(
        join["member"]["user"],
        json!({"id": "bob", "info": {"name": "Bob"}})
    );
    world.drop(bob, 1000);
    world.pass(100);
    let leave = world.read(ana).remove(0);
    let expected = json!({"type": "leave", "connection": welcome["connection"], "user": "bob"});
    assert_eq!(leave, expected);
}

#[test]
fn p2_only_the_last_state_between_two_frames_is_sent_the_sender_included() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    let (eve, at_eve) = world.join("eve");
    world.brief(ana);
    let id = |welcome: &Value| welcome["connection"].as_str().unwrap().to_owned();
    state(&mut world, eve, json!({"state": {"a": 0, "b": 0}}));
    world.brief(ana);
    world.make_busy(eve);
    for client in [ana, bob, eve] {
        world.read(client);
    }
    for x in 0..5 {
        state(&mut world, ana, json!({"state": {"x": x}}));
    }
    state(&mut world, bob, json!({"state": 1}));
    state(&mut world, bob, json!({"patch": {"k": 1}}));
    state(&mut world, eve, json!({"patch": {"a": 1, "c": 1}}));
    state(&mut world, eve, json!({"patch": {"a": 2, "c": null}}));
    world.pass(100);
    let expected = json!({
        "type": "states",
        "states": {id(&at_ana): {"x": 4}, id(&at_bob): {"k": 1}},
        "patches": {id(&at_eve): {"a": 2, "c": null}},
    });
    for client in [ana, bob, eve] {
        assert_eq!(world.read(client), std::slice::from_ref(&expected));
    }
}

#[test]
fn p2_a_joiner_in_the_middle_of_a_tick_ends_up_with_the_same_states() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    state(&mut world, ana, json!({"state": {"a": 1, "b": 1}}));
    world.pass(100);
    world.make_busy(ana);
    state(&mut world, ana, json!({"patch": {"a": null, "c": 3}}));
    let (bob, welcome) = world.join("bob");
    assert_eq!(welcome["members"][0]["state"], json!({"b": 1, "c": 3}));
    state(&mut world, ana, json!({"patch": {"d": 4}}));
    world.pass(100);
    let mut seen = welcome["members"][0]["state"].clone();
    for message in world.read(bob) {
        let patches = message["patches"].as_object().unwrap();
        for (key, value) in patches.values().next().unwrap().as_object().unwrap() {
            let object = seen.as_object_mut().unwrap();
            if value.is_null() {
                object.remove(key);
            } else {
                object.insert(key.clone(), value.clone());
            }
        }
    }
    assert_eq!(seen, json!({"b": 1, "c": 3, "d": 4}));
}

#[test]
fn p3_one_user_with_two_tabs_is_two_members() {
    let mut world = World::new();
    world.join("ana");
    let (_, welcome) = world.join("ana");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 2);
    assert_eq!(welcome["occupancy"], json!({"connections": 2, "users": 1}));
}

#[test]
fn p3_occupancy_counts_whoever_is_within_the_grace() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.join("bob");
    world.drop(ana, 1006);
    let occupancy = json!({"connections": 2, "users": 2});
    assert_eq!(world.presence()["occupancy"], occupancy);
    let (_, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(
        again["occupancy"], occupancy,
        "one that returns counts once"
    );
    let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(
        again["occupancy"], occupancy,
        "and one that replaces its older socket"
    );
    world.drop(ana, 1000);
    assert_eq!(
        world.presence()["occupancy"],
        json!({"connections": 1, "users": 1})
    );
}

#[test]
fn p5_every_join_has_one_leave_whatever_dies_in_between() {
    let mut world = World::new();
    let (watcher, _) = world.join("watcher");
    let mut expected = Vec::new();
    for (round, code) in [1000, 1001, 1006, 4102, 4101, 4503].into_iter().enumerate() {
        let user = format!("u{round}");
        let (client, welcome) = world.join(&user);
        world.drop(client, code);
        world.drop(client, code);
        if round % 2 == 0 {
            let (again, _) = world.enter(&arrival(&user).resuming(&welcome, 0));
            if code == 1000 {
                expected.extend([format!("join {user}"), format!("leave {user}")]);
            }
            world.pass(5_000);
            world.drop(again, code);
        }
        world.pass(15_000);
        world.ping(watcher);
        expected.extend([format!("join {user}"), format!("leave {user}")]);
    }
    assert_eq!(world.brief(watcher), expected);
}

#[test]
fn p2_a_members_info_stays_as_it_was_when_it_joined() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let named = |name: &str| arrival("ana").info(json!({"name": name}));
    let (ana, welcome) = world.enter(&named("Ana"));
    world.brief(bob);
    world.drop(ana, 1006);
    let (ana, again) = world.enter(&named("Anna").resuming(&welcome, 0));
    assert_eq!(again["user"]["info"], json!({"name": "Ana"}));
    world.pass(15_000);
    assert!(world.evict());
    assert_eq!(
        world.presence()["members"][1]["user"]["info"],
        json!({"name": "Ana"})
    );
    world.drop(ana, 1000);
    world.enter(&named("Anna").resuming(&welcome, 0));
    world.pass(100);
    let told = world.read(bob);
    assert_eq!(
        told.iter().map(brief).collect::<Vec<_>>(),
        ["leave ana", "join ana"]
    );
    assert_eq!(told[1]["member"]["user"]["info"], json!({"name": "Anna"}));
}

#[test]
fn p1_p2_patches_of_one_tick_are_merged() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.pass(1_000);
    world.read(bob);
    let patch = |patch: serde_json::Value| json!({"type": "state", "patch": patch});
    world.send(
        ana,
        json!([patch(json!({"a": 1, "b": 1})), patch(json!({"b": 2}))]),
    );
    world.pass(100);
    let own = welcome["connection"].as_str().unwrap();
    let states = world.read(bob).remove(0);
    assert_eq!(states["patches"][own], json!({"a": 1, "b": 2}), "{states}");
}

#[test]
fn p2_patches_that_are_longer_than_a_state_may_be_are_told_as_the_state() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    let own = welcome["connection"].as_str().unwrap();
    world.send(ana, json!({"type": "state", "state": {"a": 1}}));
    world.pass(1_000);
    world.read(bob);
    // What it removes makes no state larger, so nothing bounds it but the frame.
    let removal = |from: usize, to: usize| {
        let keys = (from..to).map(|key| (key.to_string(), json!(null)));
        let patch: serde_json::Map<_, _> = keys.collect();
        json!({"type": "state", "patch": patch})
    };
    let set = json!({"type": "state", "patch": {"b": 2}});
    for patches in [
        json!([removal(1_000, 1_500), set]),
        json!([removal(1_000, 1_300), set, removal(1_300, 1_600)]),
    ] {
        world.send(ana, patches);
        world.pass(100);
        let states = world.read(bob).remove(0);
        assert_eq!(states["states"][own], json!({"a": 1, "b": 2}));
        assert_eq!(states.get("patches"), None);
    }
    world.send(ana, json!([removal(1_000, 1_300), set]));
    world.pass(100);
    let states = world.read(bob).remove(0);
    assert_eq!(states["patches"][own].as_object().unwrap().len(), 301);
}
