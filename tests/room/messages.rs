//! Messages: order, echo, private ones, ids.

use serde_json::Value;

use crate::world::{World, arrival, brief, json};

fn publish(event: &str) -> Value {
    json!({"type": "publish", "event": event})
}

fn with_id(event: &str, id: &str) -> Value {
    json!({"type": "publish", "event": event, "id": id})
}

#[test]
fn m1_a_message_reaches_everybody_the_sender_included() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.brief(ana);
    world.send(
        ana,
        json!({"type": "publish", "event": "chat", "data": {"text": "hi"}}),
    );
    let expected = json!({
        "type": "message", "event": "chat", "data": {"text": "hi"},
        "from": welcome["connection"], "user": "ana", "offset": 1, "at": world.now,
    });
    assert_eq!(world.read(ana), std::slice::from_ref(&expected));
    assert_eq!(world.read(bob), [expected]);
}

#[test]
fn m1_data_is_passed_on_as_the_text_it_arrived_as() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send_text(
        ana,
        r#"{"type":"publish","event":"e","data": {"n" : 1.0, "big":9007199254740993, "é":"\u00e9"} }"#,
    );
    let data = r#""data":{"n":1.0,"big":9007199254740993,"é":"\u00e9"}"#;
    assert!(world.read_frames(ana)[0].contains(data));
    let (again, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    assert!(
        world.clients[again.0].frames[1].contains(data),
        "in replay as well"
    );
}

#[test]
fn m1_offsets_grow_by_one_in_the_same_order_for_all() {
    let mut world = World::new();
    let clients: Vec<_> = (0..5).map(|n| world.join(&format!("u{n}")).0).collect();
    for round in 0..20 {
        world.send(clients[round % 5], publish("m"));
        world.pass(round as u64);
    }
    world.pass(100);
    for client in clients {
        let messages = world.read(client);
        let offsets: Vec<u64> = messages
            .iter()
            .filter_map(|message| message["offset"].as_u64())
            .collect();
        assert_eq!(offsets, (1..=20).collect::<Vec<_>>());
        assert!(messages.iter().filter_map(|m| m["at"].as_u64()).is_sorted());
    }
}

#[test]
fn m2_ephemeral_messages_have_no_offset_and_are_not_stored() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let written = world.store.rows_written;
    world.send(
        ana,
        json!({"type": "publish", "event": "cursor", "data": 1, "ephemeral": true}),
    );
    let message = world.read(ana).remove(0);
    assert!(message.get("offset").is_none() && message.get("at").is_none());
    assert_eq!(world.store.rows_written, written);
    world.send(
        ana,
        json!({"type": "publish", "event": "c", "id": "x", "ephemeral": true}),
    );
    assert_eq!(world.brief(ana), ["c null", "ack x"]);
}

#[test]
fn m3_private_messages_reach_their_recipients_alone() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, welcome) = world.join("bob");
    let (bob_too, _) = world.join("bob");
    let (cyd, _) = world.join("cyd");
    for client in [ana, bob, bob_too, cyd] {
        world.brief(client);
    }
    let connection = welcome["connection"].as_str().unwrap();
    world.send(
        ana,
        json!({"type": "publish", "event": "a", "to": [connection]}),
    );
    world.send(
        ana,
        json!({"type": "publish", "event": "b", "to": ["user:bob", connection]}),
    );
    world.send(
        ana,
        json!({"type": "publish", "event": "c", "to": ["user:bob", "user:ana"]}),
    );
    world.send(
        ana,
        json!({"type": "publish", "event": "d", "to": ["user:nobody", "zzz", "?"]}),
    );
    let only = |event: &str| format!("{event} null privately");
    assert_eq!(world.brief(bob), [only("a"), only("b"), only("c")]);
    assert_eq!(world.brief(bob_too), [only("b"), only("c")]);
    assert_eq!(world.brief(ana), [only("c")]);
    assert_eq!(world.brief(cyd), [""; 0]);
    let message = json!({"type": "publish", "event": "e", "to": ["user:ana"], "echo": false});
    world.send(ana, message);
    assert_eq!(world.brief(ana), [""; 0]);
}

#[test]
fn m3_without_echo_the_sender_gets_a_skip_live_and_in_replay() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    world.brief(ana);
    for event in ["a", "b", "c"] {
        world.send(
            ana,
            json!({"type": "publish", "event": event, "echo": event == "b"}),
        );
    }
    let message = json!({"type": "publish", "event": "d", "echo": false, "ephemeral": true});
    world.send(ana, message);
    let all = ["a null #1", "b null #2", "c null #3", "d null"];
    assert_eq!(world.brief(bob), all);
    assert_eq!(world.brief(ana), ["skip #1", "b null #2", "skip #3"]);
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&at_ana, 0));
    assert_eq!(welcome["recovered"], true);
    let replayed = world.clients[ana.0].frames[1].clone();
    let replayed: Vec<String> = crate::world::flatten(&replayed).iter().map(brief).collect();
    assert_eq!(replayed, ["skip #1", "b null #2", "skip #3"]);
    let (bob, _) = world.enter(&arrival("bob").resuming(&at_bob, 0));
    let replayed = crate::world::flatten(&world.clients[bob.0].frames[1]);
    assert_eq!(replayed.iter().map(brief).collect::<Vec<_>>(), all[..3]);
}

#[test]
fn m4_an_ack_tells_the_offset_once_the_message_is_stored() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(ana), ["a null #1", "ack 1 #1"]);
    assert_eq!(world.store.newest_offset(), 1);
}

#[test]
fn m4_same_id_counts_once() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send(ana, with_id("a", "1"));
    // Within the tick, after it, and after the room was put away.
    world.send(ana, with_id("a", "1"));
    world.pass(1_000);
    world.send(ana, with_id("a", "1"));
    world.pass(2_000);
    assert!(world.evict());
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(bob), ["a null #1"]);
    let acks = world
        .brief(ana)
        .into_iter()
        .filter(|text| text == "ack 1 #1")
        .count();
    assert_eq!(acks, 4);
    // Another one's id is another id.
    world.send(bob, with_id("b", "1"));
    assert_eq!(world.brief(bob), ["b null #2", "ack 1 #2"]);
}

#[test]
fn m4_a_publish_retried_after_a_lost_connection_counts_once() {
    for restart in [false, true] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        world.send(ana, with_id("a", "1"));
        if restart {
            world.restart();
        } else {
            world.drop(ana, 1006);
        }
        let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
        world.send(ana, with_id("a", "1"));
        world.send(ana, with_id("b", "2"));
        assert_eq!(
            world.brief(ana),
            ["a null #1", "ack 1 #1", "b null #2", "ack 2 #2"]
        );
    }
}

#[test]
fn m4_an_ack_that_is_due_reaches_the_sessions_next_socket() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    world.brief(ana);
    world.make_busy(ana);
    world.send(ana, with_id("a", "2"));
    world.send(ana, with_id("b", "3"));
    world.drop(ana, 1006);
    let (ana, welcome) = world.enter(&arrival("ana").resuming(&welcome, 1));
    let offset = welcome["offset"].as_u64().unwrap();
    let heard = world.brief(ana);
    assert!(
        heard.contains(&"ack 3 #3".to_owned()),
        "{heard:?} after {offset}"
    );
}

#[test]
fn m4_an_id_counts_again_once_its_message_has_left_the_history() {
    let mut world = World::with(|limits| limits.history_messages = 3);
    let (ana, _) = world.join("ana");
    world.send(ana, with_id("a", "1"));
    for _ in 0..2 {
        world.pass(100);
        world.send(ana, publish("b"));
    }
    world.pass(100);
    world.send(ana, with_id("a", "1"));
    assert_eq!(world.brief(ana).last().unwrap(), "ack 1 #1");
    world.send(ana, publish("b"));
    for _ in 0..2 {
        world.pass(3_000);
        assert!(world.evict());
        world.send(ana, with_id("a", "1"));
        assert_eq!(world.brief(ana).last().unwrap(), "ack 1 #5");
    }
}

#[test]
fn m4_ids_over_http_count_for_each_user_and_never_meet_those_of_connections() {
    let mut world = World::new();
    let (ana, _) = world.join("server");
    world.send(ana, with_id("a", "1"));
    world.brief(ana);
    assert_eq!(
        world.post(json!({"event": "b", "id": "1"})).unwrap()["offset"],
        2
    );
    assert_eq!(
        world.post(json!({"event": "b", "id": "1"})).unwrap()["offset"],
        2
    );
    assert_eq!(world.brief(ana), ["b null #2"]);
}

#[test]
fn m6_everything_addressed_to_one_comes_in_the_rooms_order() {
    let mut world = World::new();
    let (ana, at_ana) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    world.brief(ana);
    let (from_ana, from_bob) = (at_ana["connection"].clone(), at_bob["connection"].clone());
    world.make_busy(bob);
    world.brief(ana);
    world.brief(bob);
    world.make_busy(ana);
    assert_eq!(
        world.read_frames(bob).len(),
        1,
        "the first goes out at once"
    );
    world.send(
        ana,
        json!([
            {"type": "publish", "event": "1", "id": "x"},
            {"type": "publish", "event": "2", "ephemeral": true},
            {"type": "publish", "event": "3", "to": [from_bob]},
            {"type": "nonsense", "id": "y"},
            {"type": "publish", "event": "4", "echo": false, "id": "z"},
            {"type": "publish", "event": "5", "to": [from_ana, from_bob]},
            {"type": "publish", "event": "6", "echo": false, "ephemeral": true},
            {"type": "publish", "event": "7"},
        ]),
    );
    assert_eq!(
        world.brief(ana),
        [
            "busy null",
            "1 null #1",
            "ack x #1",
            "2 null",
            "error unknown_type y",
            "skip #2",
            "ack z #2",
            "5 null privately",
            "7 null #3",
        ]
    );
    assert_eq!(world.read_frames(bob).len(), 1, "the rest in one frame");
    let frame = world.clients[bob.0].frames.last().unwrap().clone();
    assert_eq!(
        crate::world::flatten(&frame)
            .iter()
            .map(brief)
            .collect::<Vec<_>>(),
        [
            "1 null #1",
            "2 null",
            "3 null privately",
            "4 null #2",
            "5 null privately",
            "6 null",
            "7 null #3",
        ]
    );
}

#[test]
fn m7_publishing_and_receiving_need_their_rights() {
    let mut world = World::new();
    let (mute, _) = world.enter(&arrival("mute").can(&["subscribe"]));
    let (deaf, _) = world.enter(&arrival("deaf").can(&["publish"]));
    world.send(mute, with_id("a", "1"));
    world.send(mute, publish("a"));
    world.send(deaf, with_id("b", "2"));
    world.send(
        mute,
        json!({"type": "publish", "event": "c", "to": ["user:deaf"]}),
    );
    assert_eq!(world.brief(deaf), ["ack 2 #1"]);
    let refusals = [
        "error forbidden 1",
        "error forbidden",
        "b null #1",
        "error forbidden",
    ];
    assert_eq!(world.brief(mute), refusals);
    let (ana, _) = world.join("ana");
    world.send(
        ana,
        json!({"type": "publish", "event": "c", "to": ["user:deaf"]}),
    );
    assert_eq!(world.brief(deaf), [""; 0], "a private message as well");
}

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
