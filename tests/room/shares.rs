//! What one user with many tabs may add to the list of members, and keep the others from.

use serde_json::Value;

use crate::frame::count;
use crate::world::{Client, World, arrival, json};

/// As many tabs of one user as a room takes.
const TABS: usize = 50;

fn state(bytes: usize) -> Value {
    // With its quotes.
    json!({"type": "state", "id": "s", "state": "x".repeat(bytes - 2)})
}

#[test]
fn n7_three_users_with_all_their_tabs_do_not_hide_the_list() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for user in ["eve", "mallory", "trudy"] {
        for _ in 0..TABS {
            let tab = world.connect(&arrival(user).info(json!({"name": user})));
            world.send(tab, state(4_096));
            world.pass(20);
            assert!(world.is_open(tab));
        }
    }
    assert_eq!(world.presence()["members"].as_array().unwrap().len(), 151);
    world.pass(1_000);
    world.read(ana);
    let (bob, welcome) = world.join("bob");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 152);
    world.send(bob, state(4_096));
    assert_eq!(world.brief(ana), ["join bob", "states"]);
}

#[test]
fn n7_states_of_one_user_have_a_size_together() {
    let mut world = World::with(|limits| limits.presence_bytes_per_user = 10_000);
    let tabs: Vec<Client> = (0..3).map(|_| world.join("ana").0).collect();
    let (bob, _) = world.join("bob");
    // An empty info is two bytes.
    for (tab, bytes) in [(0, 4_000), (1, 4_000), (2, 1_994)] {
        world.send(tabs[tab], state(bytes));
    }
    let errors = |heard: Vec<Value>| -> Vec<Value> {
        let errors = heard.into_iter().filter(|heard| heard["type"] == "error");
        errors.collect()
    };
    world.pass(100);
    assert_eq!(errors(world.read(tabs[2])), [Value::Null; 0]);
    world.send(tabs[2], state(1_995));
    world.pass(100);
    let error = errors(world.read(tabs[2])).remove(0);
    assert_eq!(
        (&error["code"], &error["id"]),
        (&json!("state_too_large"), &json!("s"))
    );
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("MAX_PRESENCE_BYTES_PER_USER"), "{text}");
    assert!(world.is_open(tabs[2]));
    let patch = json!({"type": "state", "patch": {"a": "x".repeat(3_000)}});
    world.send(tabs[2], patch.clone());
    assert_eq!(count(&world.brief(tabs[2]), "error state_too_large"), 1);
    // What is no larger than before fits, others have their own, and who leaves makes room.
    world.send(tabs[2], state(1_000));
    world.send(bob, state(4_096));
    world.drop(tabs[0], 1000);
    world.send(tabs[2], patch);
    world.pass(100);
    for client in [tabs[2], bob] {
        assert_eq!(errors(world.read(client)), [Value::Null; 0]);
    }
    let presence = world.presence();
    let sizes: Vec<usize> = presence["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["state"].to_string().len())
        .collect();
    assert_eq!(sizes, [4_000, 3_008, 4_096]);
}

#[test]
fn n7_a_state_that_is_no_larger_than_before_fits_however_large_the_share() {
    let mut world = World::with(|limits| limits.presence_bytes_per_user = 3_000);
    let (ana, _) = world.join("ana");
    world.send(ana, state(2_000));
    // Nobody is refused for an info.
    let info = json!({"name": "x".repeat(1_500)});
    world.enter(&arrival("ana").info(info));
    world.pass(100);
    world.read(ana);
    world.send(ana, state(2_001));
    assert_eq!(world.brief(ana), ["error state_too_large s"]);
    for bytes in [2_000, 1_999] {
        world.send(ana, state(bytes));
    }
    assert_eq!(count(&world.brief(ana), "error state_too_large s"), 0);
    assert_eq!(
        world.presence()["members"][0]["state"].to_string().len(),
        1_999
    );
}

#[test]
fn n7_the_share_of_a_user_survives_eviction_and_restarts() {
    let mut world = World::with(|limits| limits.presence_bytes_per_user = 5_000);
    let (first, welcome) = world.join("ana");
    let (second, _) = world.join("ana");
    world.send(first, state(4_000));
    world.pass(2_000);
    assert!(world.evict());
    world.read(second);
    world.send(second, state(1_001));
    assert_eq!(world.brief(second), ["error state_too_large s"]);
    world.drop(first, 1006);
    world.restart();
    let (third, _) = world.join("ana");
    world.send(third, state(1_001));
    assert_eq!(
        world.brief(third),
        ["error state_too_large s"],
        "it is kept for its grace"
    );
    let (first, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    world.send(first, state(3_000));
    world.send(third, state(1_900));
    assert_eq!(count(&world.brief(third), "error state_too_large s"), 0);
}
