//! When frames go out, and how many rows are written.

use crate::world::{Client, World, json};
use roomful::room::Input;

#[test]
fn m6_a_quiet_room_sends_within_the_event() {
    let mut world = World::with(|limits| limits.frames_per_second = 5_000);
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.pass(100);
    world.read(bob);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    assert_eq!(world.read(bob).len(), 1);
    assert_eq!(world.read(ana).len(), 3, "join, message and ack");
    assert_eq!(world.store.newest_offset(), 1);
}

#[test]
fn m6_a_busy_room_sends_one_frame_a_tick() {
    let mut world = World::with(|limits| limits.frames_per_second = 5_000);
    let clients: Vec<_> = (0..100).map(|n| world.join(&format!("u{n}")).0).collect();
    world.pass(1_000);
    for client in &clients {
        world.read_frames(*client);
    }
    // A second of 100 cursors at 20 Hz: 2,000 messages.
    for step in 0..1_000 {
        if step % 50 == 0 {
            for client in &clients {
                let cursor = json!({"type": "publish", "event": "c", "ephemeral": true});
                world.send(*client, cursor);
            }
        }
        world.pass(1);
    }
    let frames = world.read_frames(clients[0]);
    assert!(
        (20..=51).contains(&frames.len()),
        "{} frames in a second",
        frames.len()
    );
    let messages: usize = frames
        .iter()
        .map(|frame| crate::world::flatten(frame).len())
        .sum();
    assert_eq!(messages, 2_000);
}

#[test]
fn m6_the_tick_is_at_most_forty_milliseconds() {
    let mut world = World::with(|limits| limits.frames_per_second = 100);
    let clients: Vec<_> = (0..40).map(|n| world.join(&format!("u{n}")).0).collect();
    world.pass(1_000);
    world.read_frames(clients[0]);
    world.make_busy(clients[0]);
    world.make_busy(clients[1]);
    world.pass(39);
    assert_eq!(world.read_frames(clients[0]).len(), 1);
    world.pass(1);
    assert_eq!(world.read_frames(clients[0]).len(), 1);
}

#[test]
fn n5_a_busy_room_commits_at_most_twenty_times_a_second() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.pass(1_000);
    let before = world.store.appends;
    for _ in 0..5_000 {
        for client in [ana, bob] {
            if world.now.is_multiple_of(20) {
                world.send(client, json!({"type": "publish", "event": "m"}));
            }
        }
        world.pass(1);
    }
    world.pass(100);
    let commits = world.store.appends - before;
    assert!((80..=105).contains(&commits), "{commits} in five seconds");
    assert_eq!(world.store.newest_offset(), 500);
}

#[test]
fn m6_what_is_ephemeral_does_not_overtake_what_waits_for_its_commit() {
    let mut world = World::with(|limits| limits.frames_per_second = 5_000);
    let (ana, _) = world.join("ana");
    world.send(ana, json!({"type": "publish", "event": "a"}));
    world.pass(1);
    world.send(ana, json!({"type": "publish", "event": "b"}));
    for _ in 0..10 {
        world.send(
            ana,
            json!({"type": "publish", "event": "e", "ephemeral": true}),
        );
        world.pass(1);
    }
    let heard = world.brief(ana);
    assert_eq!(heard[..2], ["a null #1", "b null #2"]);
    assert_eq!(heard.len(), 12);
}

#[test]
fn m6_a_large_outbox_does_not_wait() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.make_busy(ana);
    world.read(ana);
    for _ in 0..20 {
        let data = "x".repeat(60_000);
        world.send(
            ana,
            json!({"type": "publish", "event": "m", "data": data, "ephemeral": true}),
        );
    }
    assert!(world.read(ana).len() >= 16);
}

#[test]
fn c3_what_comes_alone_leaves_nothing_for_a_timer() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.pass(2_000);
    for n in 0..5 {
        world.send(ana, json!({"type": "state", "state": n}));
        let waits = world.room.as_ref().unwrap().is_waiting();
        assert!(!waits, "a timer keeps the room awake");
        assert_eq!(state_attached(&world, ana), n.to_string());
        world.pass(150);
    }
}

#[test]
fn c3_attachments_wait_for_a_pause_while_everybody_talks() {
    let mut world = World::new();
    let clients: Vec<_> = (0..300).map(|n| world.join(&format!("u{n}")).0).collect();
    world.pass(2_000);
    world.send(clients[0], json!({"type": "state", "state": "first"}));
    let before = world.attaches;
    for n in 0..100 {
        for client in &clients {
            world.send(*client, json!({"type": "state", "state": n}));
        }
        world.pass(50);
    }
    assert_eq!(world.attaches, before, "written while they talk");
    world.pass(40);
    assert_eq!(world.attaches, before, "written before there is a pause");
    let waits = world.room.as_ref().unwrap().is_waiting();
    assert!(waits, "could be put away meanwhile");
    // After five seconds of it, looks for a pause are an eighth of that apart.
    world.pass(600);
    assert_eq!(world.attaches, before + 300);
    for client in &clients {
        assert_eq!(state_attached(&world, *client), "99");
    }
    assert!(!world.room.as_ref().unwrap().is_waiting());
}

#[test]
fn c3_to_look_for_a_pause_takes_few_timers_and_no_longer_than_a_second() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.pass(2_000);
    let talk = |world: &mut World, messages: u64| {
        let before = world.timers;
        for n in 0..messages {
            world.send(
                ana,
                json!({"type": "publish", "event": "e", "data": n, "ephemeral": true}),
            );
            world.pass(50);
        }
        world.timers - before
    };
    // A short burst is over soon,
    talk(&mut world, 4);
    world.pass(100);
    assert!(!world.room.as_ref().unwrap().is_waiting());
    // and a long one does not take a timer for each message.
    world.pass(1_000);
    let timers = talk(&mut world, 20 * 60);
    assert!(timers < 100, "{timers} timers in a minute");
    world.pass(1_000);
    assert!(!world.room.as_ref().unwrap().is_waiting());
}

fn state_attached(world: &World, client: Client) -> String {
    let attachment = world.clients[client.0].attachment.as_deref();
    let attachment: serde_json::Value = serde_json::from_str(attachment.unwrap()).unwrap();
    attachment["s"].to_string()
}

#[test]
fn m4_at_the_pace_of_the_commits_nobody_waits_for_one() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.pass(1_000);
    for n in 0..40 {
        // 20 a second, as evenly as people are.
        world.pass(if n % 2 == 0 { 30 } else { 70 });
        world.read(ana);
        let message = json!({"type": "publish", "event": "m", "id": n.to_string()});
        world.send(ana, message);
        assert_eq!(world.read(ana).len(), 2, "message {n} and its ack, at once");
    }
}

#[test]
fn m6_flushes_that_could_not_wait_are_not_paid_for_by_what_comes_later() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.pass(1_000);
    // Who is closed gets its last ack first, so each of these is a commit at once.
    for n in 0..100 {
        let (guest, _) = world.join(&format!("u{n}"));
        world.send(guest, json!({"type": "publish", "event": "m", "id": "1"}));
        let link = world.link(guest);
        world.handle(Input::BinaryFrame { link });
        world.pass(1);
    }
    world.read(ana);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.pass(52);
    let heard = world.brief(ana);
    assert!(heard.contains(&"ack 1 #101".to_owned()), "{heard:?}");
}

/// A room of many whose last flush has just gone out, to all of them.
fn just_flushed(people: usize) -> (World, Vec<Client>) {
    let mut world = World::with(|limits| limits.frames_per_second = 2_500);
    let clients: Vec<_> = (0..people)
        .map(|n| world.join(&format!("u{n}")).0)
        .collect();
    world.pass(1_000);
    world.make_busy(clients[0]);
    for client in &clients {
        world.read(*client);
    }
    (world, clients)
}

#[test]
fn p2_many_are_told_of_an_arrival_a_quarter_of_a_second_later_at_most() {
    let (mut world, clients) = just_flushed(400);
    let (bob, welcome) = world.join("bob");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 401);
    world.drop(clients[7], 1000);
    world.pass(239);
    assert!(world.read(clients[0]).is_empty());
    world.pass(1);
    let frames = world.read_frames(clients[0]);
    assert_eq!(frames.len(), 1);
    let briefs: Vec<_> = crate::world::flatten(&frames[0])
        .iter()
        .map(crate::world::brief)
        .collect();
    assert_eq!(briefs, ["join bob", "leave u7"]);
    assert_eq!(world.brief(bob), ["leave u7"]);
}

#[test]
fn p2_what_is_said_does_not_wait_for_an_arrival_nor_overtake_it() {
    let (mut world, clients) = just_flushed(400);
    world.join("bob");
    world.pass(10);
    world.make_busy(clients[1]);
    world.pass(29);
    assert!(world.read(clients[0]).is_empty());
    world.pass(1);
    let heard = world.read(clients[0]);
    let briefs: Vec<_> = heard.iter().map(crate::world::brief).collect();
    assert_eq!(briefs, ["join bob", "busy null"]);
}

#[test]
fn p2_a_state_does_not_wait_for_an_arrival() {
    let (mut world, clients) = just_flushed(400);
    world.join("bob");
    world.send(clients[1], json!({"type": "state", "state": 1}));
    world.pass(40);
    let heard = world.read(clients[0]);
    let briefs: Vec<_> = heard.iter().map(crate::world::brief).collect();
    assert_eq!(briefs.len(), 2, "{briefs:?}");
    assert_eq!(briefs[0], "join bob");
}

#[test]
fn p2_few_are_told_of_an_arrival_within_the_event() {
    let (mut world, clients) = just_flushed(10);
    world.pass(8);
    world.join("bob");
    assert_eq!(world.read(clients[0]).len(), 1);
}
