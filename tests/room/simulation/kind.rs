//! Kinds of simulation: what may happen, to how many, within which limits.

use roomful::protocol::Limits;

use super::random::Random;

/// What may happen beside what clients do on a network that delays and cuts.
#[derive(Copy, Clone, Debug, Default)]
pub struct Kind {
    pub name: &'static str,
    /// After so many milliseconds without an event the room is put away, if it does not mind.
    pub evicts_after: Option<u64>,
    /// The process ends.
    pub restarts: bool,
    /// It dies before or after it has written something. Setting an alarm counts.
    pub kills: bool,
    /// Storage fails now and then.
    pub failures: bool,
    /// Writes take their time.
    pub slow: bool,
    /// Somebody sets the clock.
    pub clock: bool,
    pub deletions: bool,
    /// Some clients do not follow the protocol, and the rates are low.
    pub hostile: bool,
    /// The limits of presence are reached.
    pub crowds: bool,
    /// The history is short.
    pub short: bool,
}

const PEACE: Kind = Kind {
    name: "peace",
    evicts_after: None,
    restarts: false,
    kills: false,
    failures: false,
    slow: false,
    clock: false,
    deletions: false,
    hostile: false,
    crowds: false,
    short: false,
};

const STORM: Kind = Kind {
    name: "storm",
    evicts_after: Some(1),
    restarts: true,
    kills: true,
    failures: true,
    slow: true,
    deletions: true,
    ..PEACE
};

pub const KINDS: &[Kind] = &[
    PEACE,
    STORM,
    Kind {
        name: "crash",
        failures: false,
        deletions: false,
        evicts_after: Some(200),
        ..STORM
    },
    Kind {
        name: "clock",
        clock: true,
        ..STORM
    },
    Kind {
        name: "crowd",
        crowds: true,
        ..STORM
    },
    Kind {
        name: "short",
        short: true,
        ..STORM
    },
    Kind {
        name: "hostile",
        hostile: true,
        failures: false,
        ..STORM
    },
    // Run twice, with evictions and without: see `slept`. No restarts: the alarm with which a room
    // that nobody comes back to begins the graces (R5) may be another one after a sleep.
    Kind {
        name: "sleep",
        deletions: true,
        hostile: true,
        crowds: true,
        ..PEACE
    },
];

impl Kind {
    pub fn named(name: &str) -> Kind {
        let found = KINDS.iter().find(|kind| kind.name == name);
        *found.unwrap_or_else(|| panic!("there is no kind {name}"))
    }

    /// The same in rooms that are put away when nothing has happened for a second.
    pub fn slept(self) -> Kind {
        let evicts_after = Some(1_000);
        Kind {
            evicts_after,
            ..self
        }
    }

    pub fn limits(&self, random: &mut Random) -> Limits {
        let mut limits = Limits {
            frames_per_second: random.pick(&[100, 500, 5_000]),
            rate_per_second: 1_000,
            rate_burst: 10_000,
            ..Limits::default()
        };
        if self.hostile {
            (limits.rate_per_second, limits.rate_burst) = (random.pick(&[5, 20]), 20);
            limits.message_bytes = 2_048;
            limits.state_bytes = 256;
        }
        if self.crowds && random.chance(80) {
            limits.members = random.pick(&[3, 4, 10]);
            limits.presence_bytes = random.pick(&[60, 120, 100_000]);
        }
        if self.short {
            limits.history_messages = random.pick(&[0, 1, 5, 20, 1_000]);
            limits.recover_messages = random.pick(&[3, 10, 500]);
            limits.history_ms = random.pick(&[1_000, 60_000, 86_400_000]);
        }
        if random.chance(20) {
            limits.grace_ms = random.pick(&[0, 1_000, 30_000]);
        }
        limits
    }
}
