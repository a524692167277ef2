//! Bugs that the simulation has found, as the shortest steps that showed them.

use super::run::replay;
use super::step::Step;

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
