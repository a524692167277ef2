//! The room in numbers: each counts what its name says.

use crate::scrape::{changes, expect, scrape};
use crate::world::{World, arrival, json};
use roomful::protocol::http;
use roomful::room::{Call, Input, Kind};

#[test]
fn h9_gauges_tell_how_the_room_is() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.join("ana");
    let (bob, _) = world.join("bob");
    world.enter(&arrival("reader").kind(Kind::Stream { presence: false }));
    for _ in 0..3 {
        world.send(ana, json!({"type": "publish", "event": "m"}));
        world.pass(100);
    }
    world.drop(bob, 1006);
    let now = scrape(&mut world);
    for (name, number) in [
        ("connections{kind=websocket}", 2.0),
        ("connections{kind=stream}", 1.0),
        ("connections{kind=absent}", 1.0),
        ("users", 2.0),
        ("members", 3.0),
        ("history_messages", 3.0),
        ("stored_messages_total", 3.0),
        ("start_time_seconds", 1_800_000_000.0),
        ("tick_stretch_seconds", 0.0),
    ] {
        assert_eq!(now[name], number, "{name}");
    }
    assert!(now["history_bytes"] > 0.0);
    assert_eq!(now["history_bytes"], now["stored_bytes_total"]);
    world.store.size = 4_096;
    assert_eq!(scrape(&mut world)["storage_bytes"], 4_096.0);
    let bound = roomful::room::storage_bound(&world.limits);
    assert_eq!(now["storage_limit_bytes"], bound as f64);
}

#[test]
fn h9_messages_are_counted_in_and_out() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, at_bob) = world.join("bob");
    world.brief(ana);
    let before = scrape(&mut world);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.brief(ana);
    world.brief(bob);
    // One message to each of two, and the ack.
    expect(
        &mut world,
        &before,
        &[
            ("frames_received_total", 1.0),
            ("messages_received_total{kind=stored}", 1.0),
            ("frames_sent_total{to=websocket}", 2.0),
            ("messages_sent_total", 3.0),
            ("flushes_total", 1.0),
            ("commits_total", 1.0),
            ("rows_written_total", 1.0),
            ("stored_messages_total", 1.0),
        ],
    );
    let before = scrape(&mut world);
    let to = at_bob["connection"].clone();
    world.send(
        ana,
        json!([
            {"type": "publish", "event": "m", "ephemeral": true},
            {"type": "publish", "event": "m", "to": [to]},
            {"type": "publish", "event": "m", "id": "1"},
            {"type": "state", "state": 1},
            {"type": "history", "id": "h"},
        ]),
    );
    world.pass(100);
    let frames = [world.read_frames(ana), world.read_frames(bob)].concat();
    let bytes: usize = frames.iter().map(String::len).sum();
    // ana: message, ack, history, states; bob: message, private message, states.
    expect(
        &mut world,
        &before,
        &[
            ("frames_received_total", 1.0),
            ("messages_received_total{kind=stored}", 0.0),
            ("messages_received_total{kind=ephemeral}", 1.0),
            ("messages_received_total{kind=private}", 1.0),
            ("messages_received_total{kind=repeated}", 1.0),
            ("messages_received_total{kind=state}", 1.0),
            ("messages_received_total{kind=history}", 1.0),
            ("messages_sent_total", 7.0),
            ("frames_sent_total{to=websocket}", 2.0),
            ("sent_bytes_total", bytes as f64),
            ("flushes_total", 1.0),
            ("commits_total", 0.0),
            ("rows_written_total", 0.0),
        ],
    );
}

#[test]
fn h9_http_publishes_and_requests_are_counted_and_scrapes_are_not() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.brief(ana);
    let before = scrape(&mut world);
    let (good, long) = (
        json!({"event": "a"}).to_string(),
        json!({"event": "a", "data": "x".repeat(70_000)}).to_string(),
    );
    let messages = vec![http::decode_publish(&good), http::decode_publish(&long)];
    world.ask(Call::Publish(messages)).unwrap();
    world.ask(Call::Summary).unwrap();
    for _ in 0..3 {
        scrape(&mut world);
    }
    expect(
        &mut world,
        &before,
        &[
            ("requests_total", 2.0),
            ("messages_received_total{kind=stored}", 1.0),
            ("errors_total{code=message_too_large}", 1.0),
            ("frames_received_total", 0.0),
        ],
    );
    let before = scrape(&mut world);
    assert_eq!(changes(&before, &scrape(&mut world)).len(), 0);
}

#[test]
fn h9_resumes_are_counted_by_outcome() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.brief(ana);
    let before = scrape(&mut world);
    world.enter(&arrival("bob"));
    world.drop(ana, 1006);
    let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    world.drop(ana, 1001);
    world.enter(&arrival("ana").resuming(&welcome, 99));
    expect(
        &mut world,
        &before,
        &[
            ("connects_total{outcome=new}", 1.0),
            ("connects_total{outcome=recovered}", 1.0),
            ("connects_total{outcome=lost}", 1.0),
            ("client_closes_total{code=1006}", 1.0),
            ("client_closes_total{code=1001}", 1.0),
            // Three welcomes, the message that was missed, and a join for ana.
            ("messages_sent_total", 5.0),
        ],
    );
}

#[test]
fn h9_errors_and_closes_are_counted_by_code() {
    let mut world = World::with(|limits| limits.connections_per_user = 2);
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    let (old, welcome) = world.join("cleo");
    world.enter(&arrival("reader").kind(Kind::Stream { presence: false }));
    world.brief(ana);
    let before = scrape(&mut world);
    for _ in 0..10 {
        world.send_text(ana, "nonsense");
    }
    world.send(bob, json!({"type": "fly"}));
    let link = world.link(bob);
    world.handle(Input::BinaryFrame { link });
    world.enter(&arrival("cleo").resuming(&welcome, 0));
    assert_eq!(world.closed(old), Some(4504));
    world.disconnect(json!({"user": "cleo"})).unwrap();
    for _ in 0..3 {
        world.connect(&arrival("dan"));
    }
    let dan = world.connect(&arrival("eve"));
    world.drop(dan, 3210);
    world.delete().unwrap();
    expect(
        &mut world,
        &before,
        &[
            ("errors_total{code=bad_message}", 10.0),
            ("errors_total{code=bad_messages}", 1.0),
            ("errors_total{code=unknown_type}", 1.0),
            ("errors_total{code=binary_frame}", 1.0),
            ("errors_total{code=user_full}", 1.0),
            ("closes_total{code=4503}", 1.0),
            ("closes_total{code=4508}", 1.0),
            ("closes_total{code=4504}", 1.0),
            ("closes_total{code=4505}", 1.0),
            // Both of dan's, and the stream.
            ("closes_total{code=4506}", 3.0),
            ("closes_total{code=other}", 0.0),
            ("client_closes_total{code=other}", 1.0),
            ("requests_total", 2.0),
        ],
    );
}

#[test]
fn h9_rows_and_failures_of_storage_are_counted() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.brief(ana);
    let now = scrape(&mut world);
    let rows = world.store.rows_written as f64;
    assert_eq!(now["alarms_set_total"], 1.0);
    assert_eq!(
        now["rows_written_total"],
        rows + 1.0,
        "an alarm is billed as a row"
    );
    world.store.faults.failing.insert("append");
    for id in ["1", "2"] {
        world.send(ana, json!({"type": "publish", "event": "m", "id": id}));
    }
    world.brief(ana);
    world.store.faults.failing.insert("heads");
    expect(
        &mut world,
        &now,
        &[
            ("errors_total{code=storage_failed}", 2.0),
            ("stored_messages_total", 0.0),
            ("history_messages", 0.0),
            ("rows_written_total", 0.0),
        ],
    );
    assert!(scrape(&mut world)["storage_failures_total"] >= 1.0);
}

#[test]
fn h9_late_timers_are_counted_by_how_late_they_are() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.brief(ana);
    world.make_busy(ana);
    let before = scrape(&mut world);
    world.send(
        ana,
        json!({"type": "publish", "event": "m", "ephemeral": true}),
    );
    let at = world.timer.take().expect("the tick is not over");
    world.now = at + 60;
    world.handle(Input::Timer);
    expect(
        &mut world,
        &before,
        &[
            ("timer_lateness_seconds_bucket{le=0.05}", 0.0),
            ("timer_lateness_seconds_bucket{le=0.1}", 1.0),
            ("timer_lateness_seconds_bucket{le=+Inf}", 1.0),
            ("timer_lateness_seconds_count", 1.0),
        ],
    );
    let after = scrape(&mut world);
    let by = after["timer_lateness_seconds_sum"] - before["timer_lateness_seconds_sum"];
    assert!((by - 0.06).abs() < 1e-9, "{by}");
    assert!(after["tick_stretch_seconds"] > 0.0);
}

#[test]
fn h9_counters_begin_anew_with_the_object_and_live_on_when_the_room_is_deleted() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.pass(5_000);
    assert!(world.evict());
    let now = scrape(&mut world);
    assert_eq!(now["connects_total{outcome=new}"], 0.0);
    assert_eq!(now["stored_messages_total"], 1.0);
    assert_eq!(now["start_time_seconds"], world.now as f64 / 1_000.0);
    world.send(ana, json!({"type": "publish", "event": "m"}));
    world.brief(ana);
    world.delete().unwrap();
    let now = scrape(&mut world);
    assert_eq!(now["messages_received_total{kind=stored}"], 1.0);
    assert_eq!(now["stored_messages_total"], 0.0);
}

// Data points.
