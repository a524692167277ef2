//! The room in numbers: each counts what its name says.

use std::collections::BTreeMap;

use crate::world::{World, arrival, json};
use roomful::protocol::http;
use roomful::room::{Call, Input, Kind, Report};

/// The samples by name and labels, without the label that all of them have.
fn scrape(world: &mut World) -> BTreeMap<String, f64> {
    let request = world.request("operator", &["admin"], Call::Metrics);
    let reply = world
        .replies
        .remove(&request)
        .expect("it is answered at once");
    let text = reply.expect("no error");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let named = samples.map(|line| {
        let (name, number) = line.rsplit_once(' ').expect("a number");
        let name = name.strip_prefix("roomful_room_").expect("the prefix");
        assert!(name.contains("{room=\"lobby\""), "{line}");
        let name = name
            .replace("room=\"lobby\",", "")
            .replace("{room=\"lobby\"}", "");
        (name.replace('"', ""), number.parse().expect("a number"))
    });
    named.collect()
}

/// Which of the samples have changed, and by how much.
fn changes(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let changed = after
        .iter()
        .map(|(name, number)| (name.clone(), number - before[name]));
    changed.filter(|(_, by)| by.abs() > 1e-9).collect()
}

fn expect(world: &mut World, before: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    let changes = changes(before, &scrape(world));
    for (name, by) in expected {
        assert_eq!(
            changes.get(*name).copied().unwrap_or(0.0),
            *by,
            "{name} in {changes:#?}"
        );
    }
}

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
fn h9_a_scrape_writes_nothing_wakes_nobody_and_leaves_no_timer() {
    let mut world = World::new();
    scrape(&mut world);
    assert_eq!(
        world.store.rows_written, 0,
        "of a room that nobody used (H5)"
    );
    let (ana, _) = world.join("ana");
    world.brief(ana);
    world.pass(5_000);
    assert!(world.evict());
    let (rows, sends) = (world.store.rows_written, world.sends.len());
    scrape(&mut world);
    assert_eq!((world.store.rows_written, world.sends.len()), (rows, sends));
    assert_eq!(
        report(&mut world),
        None,
        "that the room woke for it is no news"
    );
    assert!(world.evict(), "the room may be put away at once");
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
    world.store.failing.insert("append");
    for id in ["1", "2"] {
        world.send(ana, json!({"type": "publish", "event": "m", "id": id}));
    }
    world.brief(ana);
    world.store.failing.insert("heads");
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

fn report(world: &mut World) -> Option<BTreeMap<&'static str, f64>> {
    let (room, now) = (world.room.as_mut().expect("it is awake"), world.now);
    let report = room.report(now, &mut world.store)?;
    assert_eq!(report.room, "lobby");
    let mut numbers: BTreeMap<_, _> = Report::NUMBERS.into_iter().zip(report.numbers).collect();
    assert_eq!(numbers.len(), 20, "each has its own name");
    numbers.retain(|_, number| *number != 0.0);
    Some(numbers)
}

#[test]
fn h9_a_report_tells_what_has_come_since_the_last() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.brief(ana);
    let rows = world.store.rows_written as f64 + 1.0;
    let first = report(&mut world).expect("the room is quiet");
    for (name, number) in [
        ("connections at this moment", 1.0),
        ("connections let in, new", 1.0),
        ("rows written, alarms among them", rows),
    ] {
        assert_eq!(first[name], number, "{name}");
    }
    assert_eq!(report(&mut world), None, "nothing has come since");
    scrape(&mut world);
    assert_eq!(report(&mut world), None, "a scrape is nothing");
    world.pass(900);
    world.send(
        ana,
        json!([{"type": "publish", "event": "m"}, {"type": "fly"}]),
    );
    world.pass(100);
    let second = report(&mut world).expect("something has come");
    assert_eq!(
        second["milliseconds since the room's last point, or since the object came into memory"],
        1_000.0
    );
    assert_eq!(second["messages published"], 1.0);
    assert_eq!(second["messages sent"], 2.0);
    assert_eq!(second["errors told"], 1.0);
    assert!(!second.contains_key("connections let in, new"));
}

#[test]
fn h9_a_report_names_the_codes() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.send_text(ana, "nonsense");
    let link = world.link(ana);
    world.handle(Input::BinaryFrame { link });
    world.drop(bob, 1006);
    world.pass(60_000);
    let (room, now) = (world.room.as_mut().unwrap(), world.now);
    let report = room.report(now, &mut world.store).unwrap();
    assert_eq!(
        report.codes,
        "errors_total:bad_message=1 errors_total:binary_frame=1 closes_total:4508=1 client_closes_total:1006=1"
    );
}

#[test]
fn h9_a_busy_room_reports_once_a_minute_and_a_quiet_one_at_once() {
    let mut world = World::with(|limits| limits.rate_per_second = 10_000);
    let (ana, _) = world.join("ana");
    world.brief(ana);
    report(&mut world).expect("it is quiet");
    let began = world.now;
    let mut reports = Vec::new();
    while world.now < began + 150_000 {
        // Keeps the tick running.
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "ephemeral": true}),
        );
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "ephemeral": true}),
        );
        let busy = world.room.as_ref().unwrap().is_waiting();
        assert!(busy);
        if report(&mut world).is_some() {
            reports.push(world.now - began);
        }
        world.pass(5);
    }
    assert_eq!(reports.len(), 2, "{reports:?}");
    world.pass(1_000);
    assert!(report(&mut world).is_some(), "it has fallen quiet");
}
