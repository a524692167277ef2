//! Who has dropped may come back for a while: how long, and what of it a restart leaves.

use serde_json::Value;

use crate::world::{World, arrival, brief, json};

#[test]
fn r1_within_the_grace_the_others_notice_nothing_and_after_it_a_new_join() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "state", "state": "here"}));
    world.brief(bob);
    world.drop(ana, 1006);
    world.pass(9_000);
    let (ana, again) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert_eq!(world.brief(bob), [""; 0]);
    assert_eq!(again["members"][1]["state"], "here");
    world.drop(ana, 1006);
    world.pass(11_000);
    world.enter(&arrival("ana").resuming(&welcome, 0));
    world.pass(100);
    let told = world.read(bob);
    assert_eq!(
        told.iter().map(brief).collect::<Vec<_>>(),
        ["leave ana", "join ana"]
    );
    assert_eq!(told[1]["member"]["connection"], welcome["connection"]);
    assert_eq!(told[1]["member"]["state"], Value::Null);
}

#[test]
fn r4_the_close_code_decides_on_the_grace() {
    for (code, grace) in [
        (1000, 0),
        (1001, 2_000),
        (1005, 0),
        (1006, 10_000),
        (1009, 10_000),
        (1011, 10_000),
        (3000, 10_000),
        (4000, 10_000),
        (4001, 10_000),
        (4101, 10_000),
        (4102, 0),
        (4300, 10_000),
        (4499, 10_000),
        (4500, 0),
        (4503, 0),
        (4504, 10_000),
        (4505, 0),
        (4999, 0),
    ] {
        let mut world = World::new();
        let (bob, _) = world.join("bob");
        let (ana, _) = world.join("ana");
        world.brief(bob);
        world.drop(ana, code);
        let since = world.now;
        if grace > 0 {
            world.pass(grace - 1);
            assert_eq!(world.read(bob).len(), 0, "{code}");
        }
        world.pass(100);
        let left = world.read(bob);
        assert_eq!(
            left.iter().map(brief).collect::<Vec<_>>(),
            ["leave ana"],
            "{code}"
        );
        assert!(world.now <= since + grace + 100);
    }
}

#[test]
fn r4_without_grace_everybody_leaves_at_once() {
    let mut world = World::with(|limits| limits.grace_ms = 0);
    let (bob, _) = world.join("bob");
    let (ana, _) = world.join("ana");
    world.brief(bob);
    world.drop(ana, 1006);
    assert_eq!(world.brief(bob), ["leave ana"]);
}

#[test]
fn r5_after_a_restart_those_who_do_not_come_back_leave_once() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (_, at_bob) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    world.send(ana, json!({"type": "state", "state": "a"}));
    world.pass(5_000);
    world.drop(cyd, 1006);
    world.restart();
    world.pass(60_000);
    // The grace begins when somebody is there to notice.
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    let members = welcome["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(members[0]["state"], Value::Null, "states may be lost");
    assert_eq!(members[0]["at"], at_ana["members"][0]["at"]);
    world.pass(9_000);
    assert_eq!(world.read(ana), [Value::Null; 0]);
    world.enter(&arrival("bob").resuming(&at_bob, 0));
    world.pass(60_000);
    assert_eq!(world.brief(ana), ["leave cyd"]);
    assert_eq!(world.store.members.len(), 2);
}

#[test]
fn r5_the_state_of_whoever_had_dropped_before_is_kept() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    world.send(ana, json!({"type": "state", "state": "a"}));
    world.send(bob, json!({"type": "state", "state": "b"}));
    world.pass(2_000);
    world.drop(ana, 1006);
    world.drop(bob, 1006);
    let (bob, _) = world.enter(&arrival("bob").resuming(&at_bob, 0));
    world.send(bob, json!({"type": "state", "state": "b2"}));
    world.restart();
    let (_, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    let states: Vec<_> = welcome["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["state"].clone())
        .collect();
    assert_eq!(
        states,
        [json!("a"), Value::Null],
        "an old state is not shown as the present one"
    );
}

#[test]
fn r5_restarts_in_a_row_make_no_ghosts() {
    let mut world = World::new();
    let (_, at_ana) = world.join("ana");
    world.join("bob");
    for _ in 0..5 {
        world.restart();
        let _ = world.presence();
        world.pass(3_000);
    }
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(welcome["members"].as_array().unwrap().len(), 2);
    world.pass(20_000);
    assert_eq!(world.brief(ana), ["leave bob"]);
    world.restart();
    let (_, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(welcome["members"].as_array().unwrap().len(), 1);
}
