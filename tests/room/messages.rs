//! Messages: order, echo, private ones, rights.

use serde_json::Value;

use crate::ids::with_id;
use crate::world::{World, arrival, brief, json};

pub fn publish(event: &str) -> Value {
    json!({"type": "publish", "event": event})
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
