//! Frames that are no messages: each is told, the rest is taken, and too many are the end.

use crate::world::{World, arrival, json};

#[test]
fn c5_an_unknown_type_is_an_error_and_the_connection_lives() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for _ in 0..30 {
        world.send(ana, json!({"type": "dance", "id": "d"}));
        assert_eq!(world.brief(ana), ["error unknown_type d"]);
    }
    world.send(
        ana,
        json!({"type": "publish", "event": "a", "mood": "fine"}),
    );
    assert_eq!(
        world.brief(ana),
        ["a null #1"],
        "unknown fields are ignored"
    );
}

#[test]
fn c6_each_bad_element_gets_its_error_and_the_rest_is_taken() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send_text(
        ana,
        r#"[{"type":"publish","event":"a"}, 7, {"type":"publish","id":"x"},
            {"type":"publish","event":"roomful:x"}, {"type":"publish","event":"b","event":"c"},
            {"type":"state","state":1,"patch":{}}, {"type":"publish","event":"b"}]"#,
    );
    let bad = "error bad_message";
    let expected = [
        "a null #1",
        bad,
        "error bad_message x",
        bad,
        bad,
        bad,
        "b null #2",
    ];
    assert_eq!(world.brief(ana), expected);
    assert!(world.is_open(ana));
    for text in ["", "{", "[", "1", "{}", "null", "\u{1F600}"] {
        let (bob, _) = world.join("bob");
        world.send_text(bob, text);
        let heard = world.brief(bob);
        assert_eq!(heard, [bad], "{text}");
        world.drop(bob, 1000);
    }
}

#[test]
fn c6_too_many_elements_are_one_error() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let hundred = vec![json!({"type": "publish", "event": "a", "ephemeral": true}); 100];
    world.send(ana, hundred.clone().into());
    assert_eq!(world.brief(ana).len(), 100);
    world.pass(2_000);
    let mut more = hundred;
    more.push(json!({"type": "publish", "event": "a"}));
    world.send(ana, more.into());
    assert_eq!(world.brief(ana), ["error bad_message"]);
}

#[test]
fn c6_ten_bad_messages_within_a_minute_end_the_connection() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for _ in 0..9 {
        world.send_text(ana, "bad");
        world.pass(6_500);
    }
    // The first is more than a minute ago by now, so these are but nine.
    world.pass(4_000);
    world.send_text(ana, "bad");
    world.pass(1_000);
    assert!(world.is_open(ana));
    world.brief(ana);
    world.send_text(ana, "bad");
    assert_eq!(world.closed(ana), Some(4503));
    assert_eq!(
        world.brief(ana),
        ["error bad_message", "error bad_messages"]
    );
}

#[test]
fn c6_bad_messages_are_remembered_through_a_drop_and_eviction() {
    let mut world = World::new();
    let (mut ana, welcome) = world.join("ana");
    for round in 0..9 {
        world.send_text(ana, "bad");
        world.pass(1_500);
        if round == 3 {
            assert!(world.evict());
        }
        if round == 6 {
            world.drop(ana, 1006);
            ana = world.enter(&arrival("ana").resuming(&welcome, 0)).0;
        }
    }
    assert!(world.is_open(ana));
    world.send_text(ana, "bad");
    assert_eq!(world.closed(ana), Some(4503));
}

#[test]
fn n4_a_frame_or_state_that_is_too_large_is_an_error_and_the_connection_lives() {
    let mut world = World::with(|limits| {
        limits.message_bytes = 1_024;
        limits.state_bytes = 64;
    });
    let (ana, _) = world.join("ana");
    let long = "x".repeat(1_024);
    world.send(ana, json!({"type": "publish", "event": "a", "data": long}));
    assert_eq!(world.brief(ana), ["error message_too_large"]);
    let link = world.link(ana);
    world.handle(roomful::room::Input::OversizedFrame { link });
    assert_eq!(world.brief(ana), ["error message_too_large"]);
    // 64 bytes fit, one more does not.
    world.send(ana, json!({"type": "state", "state": "x".repeat(62)}));
    assert_eq!(world.brief(ana), ["states"]);
    world.send(
        ana,
        json!({"type": "state", "id": "s", "state": "x".repeat(63)}),
    );
    assert_eq!(world.brief(ana), ["error state_too_large s"]);
    // Patches merged: each is small enough, together they are not.
    world.send(
        ana,
        json!({"type": "state", "state": {"a": "x".repeat(30)}}),
    );
    assert_eq!(world.brief(ana), ["states"]);
    world.send(
        ana,
        json!({"type": "state", "patch": {"b": "x".repeat(30)}}),
    );
    assert_eq!(world.brief(ana), ["error state_too_large"]);
    let state = &world.presence()["members"][0]["state"];
    assert_eq!(state, &json!({"a": "x".repeat(30)}), "it stays as it was");
}

#[test]
fn c1_a_binary_frame_ends_the_connection() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let link = world.link(ana);
    world.handle(roomful::room::Input::BinaryFrame { link });
    assert_eq!(world.closed(ana), Some(4508));
    assert_eq!(world.brief(ana), ["error binary_frame"]);
}
