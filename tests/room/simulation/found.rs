//! Bugs that the simulation has found, as the shortest steps that showed them.

use super::run::replay;
use super::step::{Step, Way, What};

const ALL: &str = "subscribe publish presence history";

#[test]
fn h4_a_lifted_ban_stays_lifted_when_the_clock_is_set_back() {
    let steps = [
        Step::Kick {
            room: 1,
            user: 2,
            ban_seconds: Some(0),
        },
        Step::Jump {
            room: 1,
            by: -2_756_356,
        },
    ];
    let universe = replay(32, "clock", &steps);
    let bans = &universe.rooms[1].world.store.bans;
    assert!(bans.values().all(|until| *until == 0), "{bans:?}");
}

#[test]
fn n9_c3_a_room_that_slept_until_its_last_one_went_waits_as_long_as_any_other() {
    let steps = [
        Step::Connect {
            who: 3,
            way: Way::Steal(1),
            can: ALL,
            token_ms: None,
            delays: (150, 1),
            twin: None,
        },
        Step::Pass { ms: 10_048 },
        Step::Cut {
            who: 3,
            client_after: 0,
            room_after: Some(30_000),
        },
        Step::Pass { ms: 90_169 },
    ];
    let universe = replay(10_192, "sleep", &steps);
    assert!(!universe.transcript.is_empty());
}

#[test]
fn n6_who_speaks_after_the_clock_was_set_back_is_heard() {
    let publish = |what| Step::Publish {
        who: 1,
        what,
        count: 1,
        echo: true,
    };
    let steps = [
        Step::Connect {
            who: 1,
            way: Way::New,
            can: "subscribe publish presence",
            token_ms: None,
            delays: (150, 1),
            twin: None,
        },
        Step::Pass { ms: 52_987 },
        publish(What::Stored),
        Step::Pass { ms: 239 },
        Step::Jump {
            room: 0,
            by: -1_505_449,
        },
        publish(What::Ephemeral),
    ];
    let universe = replay(46, "clock", &steps);
    assert!(universe.rooms[0].said.hearers(1_000_002) > 0);
}

#[test]
fn p2_nobody_waits_for_a_timer_that_a_clock_has_overtaken() {
    let steps = [
        Step::Connect {
            who: 0,
            way: Way::Resume,
            can: ALL,
            token_ms: Some(101_058),
            delays: (700, 1),
            twin: None,
        },
        Step::Jump {
            room: 0,
            by: 41_035,
        },
        Step::Pass { ms: 69_048 },
        Step::Jump {
            room: 0,
            by: 437_872,
        },
    ];
    // Whenever it is quiet all who see presence see the same.
    replay(20_315, "clock", &steps);
}

#[test]
fn p4_who_arrives_in_a_crowd_as_another_goes_learns_how_many_are_left() {
    let connect = |who, can, delays| Step::Connect {
        who,
        way: Way::Resume,
        can,
        token_ms: None,
        delays,
        twin: None,
    };
    let steps = [
        connect(12, "subscribe publish presence", (1, 30)),
        connect(15, ALL, (150, 700)),
        Step::Pass { ms: 897 },
    ];
    let universe = replay(10_442, "crowd", &steps);
    let north = &universe.rooms[0].world.store;
    assert!(north.meta.as_ref().is_some_and(|meta| meta.crowded));
}
