//! Data points: when a room has one to write, and what is in it.

use std::collections::BTreeMap;

use crate::scrape::scrape;
use crate::world::{World, json};
use roomful::room::{Input, Report};

/// The next data point, without what is zero.
pub fn report(world: &mut World) -> Option<BTreeMap<&'static str, f64>> {
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
    assert_eq!(second["publishes taken, repeated ones too"], 1.0);
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
