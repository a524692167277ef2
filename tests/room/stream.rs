//! Event streams.

use serde_json::Value;

use crate::world::{Arrival, World, arrival, brief, flatten, json};
use roomful::room::Kind;

fn stream(user: &str, presence: bool) -> Arrival {
    arrival(user).kind(Kind::Stream { presence })
}

#[test]
fn h7_the_events_of_a_stream() {
    let mut world = World::new();
    let reader = world.connect(&stream("reader", false));
    let (ana, _) = world.join("ana");
    world.send(
        ana,
        json!({"type": "publish", "event": "m", "data": "a\nb"}),
    );
    world.pass(100);
    world.send(
        ana,
        json!([
            {"type": "publish", "event": "e", "ephemeral": true},
            {"type": "publish", "event": "p", "to": ["user:reader"]},
            {"type": "publish", "event": "s"},
        ]),
    );
    world.pass(100);
    let texts = world.read_frames(reader);
    let welcome: Value = serde_json::from_str(
        texts[0]
            .strip_prefix("data: ")
            .unwrap()
            .strip_suffix("\n\n")
            .unwrap(),
    )
    .unwrap();
    assert!(welcome.get("session").is_none() && welcome.get("members").is_none());
    assert_eq!(
        (&welcome["type"], &welcome["recovered"]),
        (&json!("welcome"), &Value::Null)
    );
    let all = texts[1..].concat();
    let events: Vec<&str> = all.split_terminator("\n\n").collect();
    assert_eq!(events.len(), 4);
    assert!(events[0].starts_with("id: e1/1\ndata: {"), "{}", events[0]);
    assert!(events[0].contains(r#""data":"a\nb""#));
    assert!(events[1].starts_with("data: {") && events[1].contains(r#""event":"e""#));
    assert!(events[2].starts_with("data: {") && events[2].contains(r#""private":true"#));
    assert!(events[3].starts_with("id: e1/2\ndata: {"));
    assert!(
        events
            .iter()
            .all(|event| event.lines().count() <= 2 && !event.contains("event:"))
    );
}

#[test]
fn h7_a_stream_is_no_member_but_counts_as_a_connection() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let reader = world.connect(&stream("reader", true));
    let texts = world.read_frames(reader);
    let welcome = flatten(&texts[0]).remove(0);
    assert_eq!(welcome["members"].as_array().unwrap().len(), 1);
    assert_eq!(welcome["occupancy"], json!({"connections": 2, "users": 1}));
    let plain = world.connect(&stream("plain", false));
    world.join("bob");
    world.send(ana, json!({"type": "state", "state": 1}));
    world.pass(100);
    let heard: Vec<String> = world.read(reader).iter().map(brief).collect();
    assert_eq!(heard, ["join bob", "states"]);
    assert_eq!(
        world.read(plain).len(),
        1,
        "presence only for those who asked"
    );
    world.drop(reader, 1006);
    assert_eq!(
        world.presence()["occupancy"],
        json!({"connections": 3, "users": 2})
    );
    assert_eq!(world.brief(ana), ["join bob", "states"]);
}

#[test]
fn h7_a_stream_resumes_after_its_last_event() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for echo in [true, false, true] {
        world.send(ana, json!({"type": "publish", "event": "m", "echo": echo}));
        world.pass(100);
    }
    let reader = world.connect(&stream("reader", false).at("e1", 1));
    let texts = world.read_frames(reader);
    let messages = flatten(&texts[0]);
    assert_eq!(messages[0]["recovered"], true);
    let rest: Vec<String> = messages[1..].iter().map(brief).collect();
    assert_eq!(rest, ["m null #2", "m null #3"]);
    assert!(texts[0].contains("\nid: e1/2\n") && texts[0].contains("\nid: e1/3\n"));
    let late = world.connect(&stream("late", false).at("e0", 1));
    assert_eq!(world.read(late)[0]["recovered"], false);
    let deaf = stream("deaf", false).can(&["subscribe"]).at("e1", 1);
    let deaf = world.connect(&deaf);
    assert_eq!(
        world.read(deaf)[0]["recovered"],
        false,
        "it has no history right"
    );
}

#[test]
fn h7_m3_a_stream_that_is_left_out_is_told_to_skip_under_the_messages_id() {
    let mut world = World::new();
    let reader = world.connect(&stream("reader", false));
    let welcome = world.read(reader).remove(0);
    world
        .post(json!({"event": "m", "except": [welcome["connection"]]}))
        .unwrap();
    let skip = "id: e1/1\ndata: {\"type\":\"skip\",\"offset\":1}\n\n";
    assert_eq!(world.read_frames(reader), [skip]);
}

#[test]
fn h7_a_comment_goes_out_with_every_ping() {
    let mut world = World::new();
    let reader = world.connect(&stream("reader", false));
    world.read_frames(reader);
    world.pass(25_000 * 4 + 10);
    assert_eq!(world.read_frames(reader), [":\n\n"; 4]);
    assert!(world.is_open(reader), "a stream never pings");
    world.pass(24 * 3_600_000);
    assert!(world.is_open(reader));
    world.drop(reader, 1000);
    world.pass(30_000);
    assert!(
        world.evict(),
        "without streams there is nothing to wait for"
    );
}

#[test]
fn h7_the_end_of_a_stream_tells_why() {
    let end = |cause: &dyn Fn(&mut World)| {
        let mut world = World::new();
        let reader = stream("reader", false).expires_at(world.now + 60_000);
        let reader = world.connect(&reader);
        cause(&mut world);
        assert!(!world.is_open(reader));
        let last = world.read(reader).pop().unwrap();
        assert_eq!(last["type"], "error");
        last["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(end(&|world| world.pass(70_001)), "token_expired");
    assert_eq!(end(&|world| drop(world.delete().unwrap())), "room_deleted");
    let kick = |body: Value| move |world: &mut World| drop(world.disconnect(body.clone()).unwrap());
    assert_eq!(end(&kick(json!({"user": "reader"}))), "removed");
    assert_eq!(
        end(&kick(json!({"user": "reader", "ban_seconds": 60}))),
        "removed"
    );
}
