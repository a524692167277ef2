//! A busy room with people in it.

use roomful::auth::{Grant, Rights};
use roomful::protocol::{Json, Limits};
use roomful::room::{Action, Connect, Fresh, Input, Kind, Link, Room};
use roomful_memory::Memory;

const EPOCH: &str = "2n9c";
const START: u64 = 1_800_000_000_000;
/// How long a flush waits for the one after it, in milliseconds.
const TICK: u64 = 50;

pub struct Crowd {
    room: Room,
    store: Memory,
    now: u64,
    actions: Vec<Action>,
}

/// What is left of a room that is not in memory.
pub struct Asleep {
    store: Memory,
    sockets: Vec<(Link, String)>,
}

impl Asleep {
    /// A room that so many have joined, whose links are 1 and so on.
    pub fn of(people: u32) -> Asleep {
        // One that lists nobody: to list everybody to everybody takes long.
        let limits = Limits {
            members: 0,
            ..limits()
        };
        let empty = Asleep {
            store: Memory::default(),
            sockets: Vec::new(),
        };
        let mut crowd = empty.wake_with(limits);
        let mut sockets = Vec::new();
        for number in 1..=people {
            crowd.handle(Input::Connect(arrival(number)));
            for action in crowd.actions.drain(..) {
                if let Action::Attach { link, attachment } = action {
                    sockets.push((link, attachment));
                }
            }
        }
        assert_eq!(sockets.len(), people as usize);
        let mut store = crowd.store;
        if let Some(meta) = &mut store.meta {
            meta.crowded = false;
        }
        Asleep { store, sockets }
    }

    pub fn wake(self) -> Crowd {
        self.wake_with(limits())
    }

    fn wake_with(self, limits: Limits) -> Crowd {
        let Asleep { mut store, sockets } = self;
        let fresh = Fresh {
            epoch: EPOCH.to_owned(),
            key: [7; 32],
        };
        let room = Room::restore(
            "lobby".to_owned(),
            limits,
            fresh,
            START,
            sockets,
            &mut store,
        );
        Crowd {
            room: room.expect("storage does not fail"),
            store,
            now: START,
            actions: Vec::new(),
        }
    }
}

impl Crowd {
    /// A room with so many people, whose links are 1 and so on, right after a flush.
    pub fn of(people: u32) -> Crowd {
        let mut crowd = Asleep::of(people).wake();
        crowd.say(1, r#"{"type":"publish","event":"hello","ephemeral":true}"#);
        assert_eq!(crowd.sends(), people as usize);
        crowd
    }

    pub fn handle(&mut self, input: Input<'_>) {
        self.actions.clear();
        self.room
            .handle(self.now, input, &mut self.store, &mut self.actions);
    }

    pub fn say(&mut self, link: u32, text: &str) {
        let link = Link(link);
        self.handle(Input::Frame { link, text });
    }

    /// Ends the tick.
    pub fn flush(&mut self) {
        self.now += TICK;
        self.handle(Input::Timer);
    }

    /// How many sends the last input has caused.
    pub fn sends(&self) -> usize {
        let sends = self.actions.iter().map(|action| match action {
            Action::Send(delivery) => delivery.to.len(),
            _ => 0,
        });
        sends.sum()
    }
}

/// Somebody comes, with this number as link.
pub fn arrival(number: u32) -> Connect {
    let info = format!(r#"{{"name":"Person {number}","color":"teal"}}"#);
    Connect {
        link: Link(number),
        kind: Kind::Socket,
        grant: Grant {
            user: format!("user-{number}").into(),
            info: Json::trusted(info),
            can: Rights::DEFAULT,
            expires_at: None,
        },
        epoch: None,
        offset: None,
        session: None,
    }
}

/// Somebody comes back who has seen nothing since the room began.
pub fn late_arrival(number: u32) -> Connect {
    Connect {
        epoch: Some(EPOCH.to_owned()),
        offset: Some("0".to_owned()),
        ..arrival(number)
    }
}

/// With so few frames a second each room is busy: its flushes are a whole tick apart.
fn limits() -> Limits {
    Limits {
        frames_per_second: 1,
        rate_burst: 100_000,
        members: 2_000,
        ..Limits::default()
    }
}
