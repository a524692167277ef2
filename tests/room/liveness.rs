//! Silence and ends of tokens: who is closed, when, and how often the room looks.

use crate::world::{World, arrival, json};
use roomful::room::Kind;

/// 4 times `ping`.
const PERIOD: u64 = 100_000;

#[test]
fn c4_who_is_silent_for_four_pings_is_closed_and_leaves() {
    let mut world = World::new();
    let (silent, _) = world.join("silent");
    let (ana, _) = world.join("ana");
    world.read(ana);
    // In steps shorter than the grace.
    for _ in 0..100 {
        if world.is_open(silent) {
            world.ping(ana);
            world.pass(5_000);
        }
    }
    assert_eq!(world.closed(silent), Some(4102));
    assert_eq!(world.brief(silent), ["join ana", "error silent"]);
    assert_eq!(
        world.brief(ana),
        ["leave silent"],
        "at once: it had its time"
    );
    assert!(world.is_open(ana));
}

#[test]
fn c4_silence_is_closed_neither_too_early_nor_much_too_late() {
    for delay in [1, 7_000, 33_333, 66_666, 99_999] {
        let mut world = World::new();
        let (ana, _) = world.join("ana");
        world.pass(delay);
        world.send(ana, json!({"type": "publish", "event": "m"}));
        let heard = world.now;
        world.pass(PERIOD - 1);
        assert!(world.is_open(ana), "{delay}");
        world.pass(PERIOD + 1);
        assert!(!world.is_open(ana), "{delay}");
        assert!(world.now <= heard + 2 * PERIOD);
    }
}

#[test]
fn c4_pings_and_messages_keep_a_connection_even_if_throttled_to_one_a_minute() {
    let mut world = World::new();
    let (pings, _) = world.join("pings");
    let (speaks, _) = world.join("speaks");
    for round in 0..30 {
        world.ping(pings);
        world.send(
            speaks,
            json!({"type": "publish", "event": "m", "ephemeral": true}),
        );
        world.pass(60_000);
        if round % 3 == 0 {
            assert!(world.evict());
        }
    }
    assert!(world.is_open(pings) && world.is_open(speaks));
}

#[test]
fn c4_the_room_looks_no_more_often_than_once_in_a_period() {
    for evictions in [false, true] {
        let mut world = World::new();
        let clients: Vec<_> = (0..10).map(|n| world.join(&format!("u{n}")).0).collect();
        let began = world.now;
        for n in 0..200 {
            for client in &clients {
                world.ping(*client);
            }
            if n % 7 == 0 {
                let (late, _) = world.join("late");
                world.pass(3_000);
                world.drop(late, 1000);
            }
            world.pass(10_000);
            if evictions {
                world.evict();
            }
        }
        let periods = (world.now - began) / PERIOD;
        assert!(
            world.looks.len() as u64 <= periods + 1,
            "{} in {periods}",
            world.looks.len()
        );
        assert!(
            world
                .looks
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= PERIOD)
        );
    }
}

#[test]
fn c4_waking_and_connecting_does_not_put_off_the_look() {
    let mut world = World::new();
    let (silent, _) = world.join("silent");
    for _ in 0..6 {
        world.pass(40_000);
        world.evict();
        let (late, _) = world.join("late");
        world.drop(late, 1000);
    }
    assert_eq!(world.closed(silent), Some(4102));
}

#[test]
fn c4_plain_clients_are_closed_after_an_hour_without_traffic_in_either_direction() {
    let mut world = World::new();
    let (plain, _) = world.enter(&arrival("plain").kind(Kind::PlainSocket));
    let (other, _) = world.enter(&arrival("other").kind(Kind::PlainSocket).can(&["publish"]));
    // It hears something now and then, which is traffic.
    for _ in 0..8 {
        world.pass(15 * 60_000);
        world.evict();
        world.post(json!({"event": "m"})).unwrap();
    }
    assert!(world.is_open(plain));
    assert_eq!(
        world.closed(other),
        Some(4102),
        "it heard nothing for two hours"
    );
    world.pass(59 * 60_000);
    assert!(world.is_open(plain));
    world.pass(12 * 60_000);
    assert_eq!(world.closed(plain), Some(4102));
}

#[test]
fn c4_a_room_where_nobody_speaks_sleeps() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.send(ana, json!({"type": "state", "state": 1}));
    world.pass(3_000);
    assert!(world.evict());
    let looks = world.looks.len();
    world.ping(ana);
    world.pass(50_000);
    assert!(world.room.is_none(), "nothing woke it");
    assert_eq!(world.looks.len(), looks);
}

#[test]
fn t5_a_connection_is_closed_soon_after_the_end_of_its_token() {
    for lifetime in [1_000, 60_000, 61_234, 64_999, 3_600_000] {
        for evicted in [false, true] {
            let mut world = World::new();
            let end = world.now + lifetime;
            let (ana, _) = world.enter(&arrival("ana").expires_at(end));
            let (bob, _) = world.join("bob");
            world.pass(500);
            if evicted {
                world.evict();
            }
            while world.now < end + 5_000 - 1 {
                world.ping(ana);
                world.ping(bob);
                world.pass(20_000.min(end + 5_000 - 1 - world.now));
            }
            assert!(world.is_open(ana), "within the leeway {lifetime}");
            world.pass(6_000);
            assert_eq!(world.closed(ana), Some(4001), "{lifetime}");
            // It may come back with a fresh token: it has its grace.
            let told: Vec<_> = world.read(bob).iter().map(crate::world::brief).collect();
            assert_eq!(told, [""; 0]);
            world.pass(10_000);
            assert_eq!(world.brief(bob), ["leave ana"]);
        }
    }
}

#[test]
fn t5_nothing_is_taken_from_an_ended_token() {
    let mut world = World::new();
    let end = world.now + 1_000;
    let (ana, _) = world.enter(&arrival("ana").expires_at(end));
    let (bob, _) = world.join("bob");
    world.now = end + 5_000;
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.closed(ana), Some(4001));
    assert_eq!(world.brief(bob), [""; 0]);
}
