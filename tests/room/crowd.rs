//! Rooms with more members than are listed.

use serde_json::Value;

use crate::world::{Arrival, Client, World, arrival, json};

fn crowded(members: usize) -> World {
    World::with(|limits| limits.members = members)
}

fn fill(world: &mut World, count: usize) -> Vec<(Client, Value)> {
    (0..count).map(|n| world.join(&format!("u{n}"))).collect()
}

#[test]
fn p4_above_the_limit_there_is_only_occupancy() {
    let mut world = crowded(10);
    let clients = fill(&mut world, 10);
    let (first, _) = clients[0];
    assert_eq!(world.brief(first).len(), 9);
    let (last, welcome) = world.join("last");
    assert!(welcome.get("members").is_none(), "absent everywhere");
    assert_eq!(
        welcome["occupancy"],
        json!({"connections": 11, "users": 11})
    );
    assert_eq!(world.brief(first), ["occupancy 11/11"]);
    world.send(last, json!({"type": "state", "state": 1}));
    world.drop(clients[1].0, 1006);
    world.send(first, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(first), ["m null #1"], "messages are as ever");
    let presence = world.presence();
    assert!(presence.get("members").is_none());
    assert_eq!(
        presence["occupancy"],
        json!({"connections": 11, "users": 11})
    );
}

#[test]
fn p4_a_crowd_is_told_no_state_by_a_flush_in_the_middle_of_a_frame_either() {
    let mut world = crowded(1);
    let clients = fill(&mut world, 2);
    let (first, last) = (clients[0].0, clients[1].0);
    for _ in 0..9 {
        world.send(last, json!(7));
    }
    world.pass(2_000);
    world.read(first);
    // The tenth closes it, before which it gets its answers.
    world.send(last, json!([{"type": "state", "state": 1}, 7]));
    assert_eq!(world.closed(last), Some(4503));
    let told = world.brief(first);
    assert!(
        !told.iter().any(|text| text.starts_with("states")),
        "{told:?}"
    );
}

#[test]
fn p4_below_ninety_percent_a_fresh_list_ends_it() {
    let mut world = crowded(10);
    let clients = fill(&mut world, 11);
    let (first, _) = clients[0];
    world.send(clients[1].0, json!({"type": "state", "state": "kept"}));
    world.pass(2_000);
    world.read(first);
    for (client, _) in &clients[9..] {
        world.drop(*client, 1000);
    }
    // Nine are 90 %, not below.
    world.pass(2_000);
    let told: Vec<String> = world.brief(first);
    assert!(
        told.iter().all(|text| text.starts_with("occupancy")),
        "{told:?}"
    );
    assert_eq!(told.last().unwrap(), "occupancy 9/9");
    world.drop(clients[8].0, 1000);
    world.pass(100);
    let told = world.read(first);
    let [occupancy, list] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&occupancy["connections"], &occupancy["users"]),
        (&json!(8), &json!(8))
    );
    let members = list["members"].as_array().unwrap();
    assert_eq!((&list["type"], members.len()), (&json!("members"), 8));
    assert_eq!(members[1]["state"], "kept");
    // From here on all is as before.
    let (_, welcome) = world.join("new");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 9);
    assert_eq!(world.brief(first), ["join new"]);
}

#[test]
fn p4_occupancy_is_told_at_most_once_a_second() {
    let mut world = crowded(5);
    let clients = fill(&mut world, 6);
    let (first, _) = clients[0];
    world.pass(5_000);
    world.read(first);
    let (mut times, mut told) = (Vec::new(), Vec::new());
    for n in 0..201 {
        let client = world.connect(&arrival(&format!("v{n}")));
        world.pass(13);
        if n % 2 == 0 {
            world.drop(client, 1000);
        }
        world.pass(12);
        for message in world.read(first) {
            times.push(world.now);
            told.push(crate::world::brief(&message));
        }
    }
    world.pass(2_000);
    told.extend(world.brief(first));
    assert_eq!(told.last().unwrap(), "occupancy 106/106");
    assert!((5..=7).contains(&times.len()), "{}", times.len());
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 975));
    world.pass(5_000);
    assert!(
        world.evict(),
        "a crowd that does not change lets the room sleep"
    );
    assert_eq!(world.brief(first), [""; 0]);
    world.drop(clients[1].0, 1000);
    assert_eq!(world.brief(first), ["occupancy 105/105"]);
}

#[test]
fn p4_who_arrives_while_nothing_may_be_told_learns_that_all_is_as_before() {
    let mut world = crowded(2);
    let clients = fill(&mut world, 3);
    assert_eq!(world.brief(clients[0].0).last().unwrap(), "occupancy 3/3");
    let (new, welcome) = world.join("new");
    assert_eq!(welcome["occupancy"], json!({"connections": 4, "users": 4}));
    world.drop(clients[1].0, 1000);
    world.pass(2_000);
    assert_eq!(world.brief(new), ["occupancy 3/3"]);
}

#[test]
fn t5_p4_who_gains_presence_while_nothing_may_be_told_learns_that_all_is_as_before() {
    let mut world = crowded(2);
    let clients = fill(&mut world, 3);
    let (tab, _) = world.enter(&arrival("bob").can(&["subscribe"]));
    world.pass(5_000);
    let (new, _) = world.join("new");
    assert_eq!(world.brief(clients[0].0).last().unwrap(), "occupancy 5/4");
    let renew = |world: &mut World, client: Client, arrival: Arrival| {
        world.send(client, json!({"type": "auth", "token": "fresh"}));
        let verifying = world.verifying.pop().unwrap();
        world.handle(verifying.outcome(Ok(arrival.grant)));
    };
    world.read(tab);
    renew(&mut world, tab, arrival("bob"));
    assert_eq!(world.brief(tab), ["auth", "occupancy 5/5"]);
    // The other one stays, but is no member any more: all but the tab know that figure.
    renew(&mut world, new, arrival("new").can(&["subscribe"]));
    world.pass(2_000);
    assert_eq!(world.brief(tab), ["occupancy 5/4"]);
    // When all may be told, it is told with them.
    world.pass(2_000);
    world.read(new);
    renew(&mut world, new, arrival("new"));
    assert_eq!(world.brief(new), ["auth", "occupancy 5/5"]);
}

#[test]
fn n7_p4_states_that_are_too_large_together_count_as_a_crowd() {
    let mut world = World::with(|limits| limits.presence_bytes = 3_000);
    let clients = fill(&mut world, 3);
    let (first, _) = clients[0];
    world.brief(first);
    for (client, _) in &clients {
        world.send(
            *client,
            json!({"type": "state", "state": "x".repeat(1_000)}),
        );
        world.pass(1_100);
    }
    assert_eq!(world.brief(first), ["states", "states", "occupancy 3/3"]);
    world.send(clients[2].0, json!({"type": "state", "state": null}));
    assert_eq!(world.brief(first), ["occupancy 3/3", "members 3"]);
}

#[test]
fn p4_the_crowd_survives_eviction_and_restarts() {
    let mut world = crowded(10);
    let clients = fill(&mut world, 11);
    world.pass(20_000);
    assert!(world.evict());
    world.drop(clients[10].0, 1000);
    let (first, at_first) = clients[0].clone();
    assert_eq!(world.brief(first).last().unwrap(), "occupancy 10/10");
    world.restart();
    let (first, welcome) = world.enter(&arrival("u0").resuming(&at_first, 0));
    assert!(welcome.get("members").is_none(), "ten are above 90 %");
    assert_eq!(
        welcome["occupancy"],
        json!({"connections": 10, "users": 10})
    );
    world.pass(20_000);
    assert_eq!(world.brief(first), ["occupancy 1/1", "members 1"]);
}

#[test]
fn p4_who_arrives_at_the_turn_is_told_once() {
    let mut world = crowded(3);
    let clients = fill(&mut world, 3);
    world.make_busy(clients[0].0);
    let (fourth, welcome) = world.join("fourth");
    assert!(welcome.get("members").is_none());
    assert_eq!(world.brief(fourth), ["occupancy 4/4"]);
    world.pass(3_000);
    world.make_busy(clients[0].0);
    world.drop(clients[1].0, 1000);
    world.drop(clients[2].0, 1000);
    world.brief(fourth);
    let (fifth, welcome) = world.join("fifth");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 3);
    assert_eq!(world.brief(fifth), [""; 0]);
}

#[test]
fn p4_a_limit_of_nobody_lists_nobody() {
    let mut world = crowded(0);
    let (ana, welcome) = world.join("ana");
    assert!(welcome.get("members").is_none());
    world.join("bob");
    world.pass(2_000);
    assert_eq!(world.brief(ana), ["occupancy 1/1", "occupancy 2/2"]);
}
