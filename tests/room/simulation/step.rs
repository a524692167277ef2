//! What happens, step by step: made from the seed before anything runs, so that a run can be
//! repeated with fewer steps.

use super::kind::Kind;
use super::random::Random;
use crate::disk::Kill;

/// With what somebody connects.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// As if for the first time.
    New,
    /// With session, epoch and the last offset seen.
    Resume,
    /// With session and epoch, but an offset that was seen long ago.
    Rewind,
    /// With session and epoch, but an offset that nobody has given yet.
    Ahead,
    /// With the session of somebody else.
    Steal(usize),
    /// With a session that was never one.
    Forge,
}

/// What somebody publishes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Stored, with an id: sent until it is acknowledged.
    Sure,
    Stored,
    Ephemeral,
    /// To the users of this number, and to its own connection.
    Private(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Opens a socket or a stream; `delays` are the milliseconds to the room and back. With `twin`
    /// another socket with the same session is on its way too, and takes so long.
    Connect {
        who: usize,
        way: Way,
        can: &'static str,
        token_ms: Option<u64>,
        delays: (u64, u64),
        twin: Option<u64>,
    },
    Publish {
        who: usize,
        what: What,
        count: u64,
        echo: bool,
    },
    State {
        who: usize,
        form: u64,
        value: u64,
    },
    /// The client closes.
    Close {
        who: usize,
        code: u16,
    },
    /// What is under way is lost; each end notices after so many milliseconds, the room perhaps never.
    Cut {
        who: usize,
        client_after: u64,
        room_after: Option<u64>,
    },
    /// One direction falls silent.
    Half {
        who: usize,
        upwards: bool,
    },
    Renew {
        who: usize,
        token: &'static str,
    },
    AskHistory {
        who: usize,
        after: u64,
    },
    /// A server publishes, or tries again what was not answered; `lost` answers do not arrive.
    Post {
        room: usize,
        form: u64,
        lost: bool,
    },
    /// A server looks at the room.
    Look {
        room: usize,
    },
    Kick {
        room: usize,
        user: u64,
        ban_seconds: Option<u64>,
    },
    Delete {
        room: usize,
    },
    Restart {
        room: usize,
    },
    Kill {
        room: usize,
        kill: Kill,
    },
    /// From now on one call of storage in so many fails; 0: none.
    Fail {
        room: usize,
        one_in: u64,
        seed: u64,
    },
    /// From now on a write takes so many milliseconds.
    Slow {
        room: usize,
        delay: u64,
    },
    Jump {
        room: usize,
        by: i64,
    },
    Nonsense {
        who: usize,
        which: u64,
    },
    Flood {
        who: usize,
        count: u64,
    },
    /// The client reads what is sent to it, or does not.
    Read {
        who: usize,
        reads: bool,
    },
    Pass {
        ms: u64,
    },
}

/// Close codes of clients and networks.
const CODES: &[u16] = &[
    1000, 1001, 1001, 1005, 1006, 1006, 1006, 1011, 3000, 4101, 4300, 4504, 4999,
];
const RIGHTS: &[&str] = &[
    "subscribe publish presence history",
    "subscribe publish presence history",
    "subscribe publish presence history",
    "subscribe publish presence history",
    "subscribe publish presence history",
    "subscribe publish presence history",
    "subscribe publish presence",
    "subscribe publish presence",
    "subscribe publish history",
    "publish presence",
];
/// Tokens as they are renewed: rights, or what is wrong.
const TOKENS: &[&str] = &[
    "subscribe publish presence history",
    "subscribe publish presence history",
    "publish presence",
    "subscribe publish",
    "bad",
    "busy",
    "other",
];

pub fn steps(random: &mut Random, kind: &Kind, rooms: usize, people: usize) -> Vec<Step> {
    let count = 60 + random.below(140);
    (0..count)
        .map(|_| step(random, kind, rooms, people))
        .collect()
}

fn step(random: &mut Random, kind: &Kind, rooms: usize, people: usize) -> Step {
    let (who, room) = (random.index(people), random.index(rooms));
    let pass = Step::Pass { ms: pause(random) };
    let or_pass = |happens: bool, step: Step| if happens { step } else { pass.clone() };
    match random.below(130) {
        0..26 => connect(random, kind, who, people),
        26..52 => Step::Publish {
            who,
            what: match random.below(10) {
                0..5 => What::Sure,
                5 => What::Stored,
                6..8 => What::Ephemeral,
                _ => What::Private(random.below(6)),
            },
            count: if random.chance(20) {
                1 + random.below(6)
            } else {
                1
            },
            echo: random.chance(75),
        },
        52..62 => Step::State {
            who,
            form: random.below(5),
            value: random.below(1_000),
        },
        62..66 => Step::Close {
            who,
            code: random.pick(CODES),
        },
        66..71 => Step::Cut {
            who,
            client_after: random.pick(&[0, 50, 1_000, 9_000]),
            room_after: random.pick(&[Some(0), Some(20), Some(3_000), Some(30_000), None]),
        },
        71 => Step::Half {
            who,
            upwards: random.chance(50),
        },
        72..74 => Step::Renew {
            who,
            token: random.pick(TOKENS),
        },
        74 => Step::AskHistory {
            who,
            after: random.below(30),
        },
        75..79 => Step::Post {
            room,
            form: random.below(11),
            lost: random.chance(30),
        },
        79 => Step::Look { room },
        80 => Step::Kick {
            room,
            user: random.below(6),
            ban_seconds: random.pick(&[None, None, Some(0), Some(5), Some(40)]),
        },
        81 => or_pass(kind.deletions && random.chance(40), Step::Delete { room }),
        82..84 => or_pass(kind.restarts, Step::Restart { room }),
        84..88 => {
            let kill = random.pick(&[Kill::BeforeCommit, Kill::BeforeSend]);
            or_pass(kind.kills, Step::Kill { room, kill })
        }
        88..91 => {
            let one_in = random.pick(&[0, 0, 2, 5, 12]);
            let seed = random.next();
            or_pass(kind.failures, Step::Fail { room, one_in, seed })
        }
        91..93 => {
            let delay = random.pick(&[0, 0, 5, 40, 400]);
            or_pass(kind.slow, Step::Slow { room, delay })
        }
        93 | 100..104 => {
            let most = random.pick(&[100, 5_000, 60_000, 3_600_000]);
            let by = random.below(2 * most) as i64 - most as i64;
            or_pass(kind.clock, Step::Jump { room, by })
        }
        94..100 => {
            let (which, count) = (random.next(), 1 + random.below(80));
            match random.below(8) {
                0..5 => Step::Nonsense { who, which },
                5..7 => or_pass(kind.hostile, Step::Flood { who, count }),
                _ => or_pass(
                    kind.hostile,
                    Step::Read {
                        who,
                        reads: random.chance(50),
                    },
                ),
            }
        }
        _ => pass,
    }
}

fn pause(random: &mut Random) -> u64 {
    let most = random.pick(&[3, 20, 20, 100, 100, 1_500, 1_500, 12_000, 70_000]);
    random.below(most + 1)
}

fn connect(random: &mut Random, kind: &Kind, who: usize, people: usize) -> Step {
    let way = match random.below(if kind.hostile { 24 } else { 20 }) {
        0 | 1 => Way::New,
        2 => Way::Rewind,
        3 => Way::Ahead,
        20..22 => Way::Steal(random.index(people)),
        22.. => Way::Forge,
        _ => Way::Resume,
    };
    let delay = |random: &mut Random| random.pick(&[0, 1, 5, 30, 150, 700]);
    Step::Connect {
        who,
        way,
        can: random.pick(RIGHTS),
        token_ms: random.chance(10).then(|| random.below(120_000)),
        delays: (delay(random), delay(random)),
        twin: random.chance(8).then(|| delay(random)),
    }
}
