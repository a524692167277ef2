//! A room with its surroundings, which do what the shell does and look at all that the room does.

use std::collections::BTreeMap;

use roomful::protocol::Limits;
use roomful::room::{Action, Delivery, Fresh, Input, Kind, Link, Room};
use serde_json::Value;

use crate::memory::Memory;
use crate::text;

const START: u64 = 1_800_000_000_000;
/// So many are let in at a time, and remembered when they go.
pub const CLIENTS: usize = 12;

/// One end of a socket or stream, from its connect to its end.
pub struct End {
    pub kind: Kind,
    pub user: &'static str,
    pub attachment: Option<String>,
    /// The offset of the newest message or skip that it has seen.
    pub offset: Option<u64>,
    /// Where a later connection of the same client goes on.
    pub asked: Option<u64>,
    pub pinged_at: Option<u64>,
}

pub struct World {
    pub now: u64,
    pub limits: Limits,
    pub store: Memory,
    pub room: Option<Room>,
    pub ends: BTreeMap<Link, End>,
    /// What those who have gone would come back with: user, epoch, offset, session.
    pub gone: Vec<(&'static str, String, u64, String)>,
    /// Epoch and session of each end.
    pub sessions: BTreeMap<Link, (String, String)>,
    pub links: u32,
    pub lives: u8,
    pub requests: u32,
    pub timer: Option<u64>,
    pub alarm: Option<u64>,
    pub verifying: Vec<(Link, Option<Box<str>>, u32)>,
}

impl World {
    /// Limits are small, so that few events reach them.
    pub fn new(seed: u8) -> World {
        let bit = |bit: u8, few, many| if seed & (1 << bit) == 0 { many } else { few };
        let limits = Limits {
            history_messages: bit(0, 5, 1_000),
            history_bytes: bit(1, 65_536, 4_194_304),
            history_ms: bit(2, 5_000, 86_400_000),
            members: bit(3, 3, 1_000) as usize,
            recover_messages: bit(4, 4, 500),
            connections: bit(5, 4, 10_000) as usize,
            connections_per_user: bit(6, 2, 50) as usize,
            rate_burst: bit(7, 20, 200) as u32,
            presence_bytes_per_user: bit(6, 60, 65_536) as usize,
            frames_per_second: 100,
            ..Limits::default()
        };
        World {
            now: START,
            limits,
            store: Memory::default(),
            room: None,
            ends: BTreeMap::new(),
            gone: Vec::new(),
            sessions: BTreeMap::new(),
            links: 0,
            lives: 0,
            requests: 0,
            timer: None,
            alarm: None,
            verifying: Vec::new(),
        }
    }
    // Life and death.

    pub fn fresh(&mut self) -> Fresh {
        self.lives = self.lives.wrapping_add(1);
        Fresh {
            epoch: format!("e{}", self.lives),
            key: [self.lives; 32],
        }
    }

    /// False if storage fails.
    pub fn wake(&mut self) -> bool {
        if self.room.is_some() {
            return true;
        }
        let fresh = self.fresh();
        let sockets = self.ends.iter();
        let attached = |(link, end): (&Link, &End)| Some((*link, end.attachment.clone()?));
        let sockets: Vec<_> = sockets.filter_map(attached).collect();
        let (name, limits) = ("lobby".to_owned(), self.limits.clone());
        let room = Room::restore(name, limits, fresh, self.now, sockets, &mut self.store);
        self.room = room.ok();
        self.room.is_some()
    }

    /// Wakes the room for a socket, which is closed if that fails.
    pub fn wake_for(&mut self, link: Link) -> Option<Link> {
        if self.wake() {
            return Some(link);
        }
        self.forget(link);
        None
    }

    /// Puts the room away if it does not mind; its sockets live on.
    pub fn evict(&mut self) {
        let waits = self.room.as_ref().is_some_and(Room::is_waiting);
        if !waits && !self.ends.values().any(|end| end.kind.is_stream()) {
            self.room = None;
            self.verifying.clear();
        }
    }

    /// The room's process dies, and with it all sockets.
    pub fn restart(&mut self) {
        (self.room, self.timer) = (None, None);
        self.verifying.clear();
        while let Some(link) = self.ends.keys().next().copied() {
            self.forget(link);
        }
    }

    pub fn drop_end(&mut self, link: Link, code: u16) {
        self.forget(link);
        if self.wake() {
            self.handle(Input::Closed {
                link,
                code,
                unread: 0,
            });
        }
    }

    fn forget(&mut self, link: Link) {
        let end = self.ends.remove(&link);
        let session = self.sessions.remove(&link);
        if let (Some(end), Some((epoch, secret))) = (end, session)
            && let Some(offset) = end.offset
        {
            self.gone.push((end.user, epoch, offset, secret));
            if self.gone.len() > CLIENTS {
                self.gone.remove(0);
            }
        }
    }

    /// Lets time pass, with the timers and alarms that fall into it.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        // A room that asks to be woken at once, again and again, would never rest.
        for _ in 0..10_000 {
            let due = |at: &u64| *at <= until;
            match (self.timer.filter(due), self.alarm.filter(due)) {
                (Some(at), alarm) if alarm.is_none_or(|other| at <= other) => {
                    (self.now, self.timer) = (self.now.max(at), None);
                    self.handle(Input::Timer);
                }
                (_, Some(at)) => {
                    (self.now, self.alarm) = (self.now.max(at), None);
                    self.ring();
                }
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("the room does not rest");
    }

    fn ring(&mut self) {
        if !self.wake() {
            // The runtime tries again.
            self.alarm = Some(self.now + 2_000);
            return;
        }
        let ends = self.ends.iter();
        let pinged = |(link, end): (&Link, &End)| Some((*link, end.pinged_at?));
        let pings: Vec<_> = ends.filter_map(pinged).collect();
        let fresh = self.fresh();
        self.handle(Input::Alarm {
            pings: &pings,
            fresh,
        });
    }

    // What the room does.

    pub fn handle(&mut self, input: Input<'_>) {
        let Some(room) = &mut self.room else { return };
        let mut actions = Vec::new();
        let erased = self.store.erased;
        room.handle(self.now, input, &mut self.store, &mut actions);
        if self.store.erased > erased {
            self.alarm = None;
        }
        let mut closed = Vec::new();
        for action in actions {
            if let Action::Close { link, .. } = action {
                closed.push(link);
            }
            self.carry_out(action);
        }
        // Their clients close them as well, or nobody would be let in any more (N11).
        for link in closed {
            self.handle(Input::Closed {
                link,
                code: 1006,
                unread: 0,
            });
        }
        let banned = self.store.bans.values().any(|until| *until > self.now);
        let stored = self.store.meta.is_some() || banned;
        assert!(!stored || self.alarm.is_some(), "it would stay for ever");
        let waits = self.room.as_ref().is_some_and(Room::is_waiting);
        assert_eq!(waits, self.timer.is_some());
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Accept { link, .. } => assert!(self.ends.contains_key(&link)),
            Action::Refuse { link, .. } => {
                self.ends.remove(&link).expect("the link is there");
            }
            Action::Send(Delivery { to, text }) => {
                let messages = messages(&text);
                for link in to {
                    assert!(!self.ends[&link].kind.is_stream());
                    self.take(link, &messages);
                }
            }
            Action::Stream(Delivery { to, text }) => {
                assert!(text.ends_with("\n\n"));
                let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
                let events: Vec<Value> = lines.flat_map(messages).collect();
                for link in to {
                    assert!(self.ends[&link].kind.is_stream());
                    self.take(link, &events);
                }
            }
            Action::Attach { link, attachment } => {
                assert!(attachment.len() <= 16_384);
                let end = self.ends.get_mut(&link).expect("the link is there");
                assert!(!end.kind.is_stream());
                end.attachment = Some(attachment);
            }
            Action::Close { link, reason, .. } => {
                assert!(reason.len() <= 123);
                assert!(self.ends.contains_key(&link), "the link is there");
                self.forget(link);
            }
            Action::Verify { link, id, nth, .. } => self.verifying.push((link, id, nth)),
            Action::Reply { reply, .. } => {
                let reply = reply.unwrap_or_else(|error| error.to_http_body());
                assert!(text::value(&reply).is_some(), "no JSON: {reply}");
            }
            Action::Timer { at } => self.timer = Some(at),
            Action::Alarm { at } => self.alarm = Some(at),
            Action::Log(_) => {}
        }
    }

    /// M1, M3, R2: from its `welcome` on, nobody sees a gap, a double or another order.
    fn take(&mut self, link: Link, messages: &[Value]) {
        let stored = self.store.newest_offset();
        let end = self.ends.get_mut(&link).expect("the link is there");
        for message in messages {
            let offset = message["offset"].as_u64();
            match message["type"].as_str().expect("every message has a type") {
                "welcome" => {
                    assert!(end.offset.is_none(), "welcomed twice");
                    assert!(offset.is_some_and(|offset| offset <= stored));
                    let recovered = message["recovered"] == true;
                    let can = message["can"].as_array().expect("rights");
                    let subscribes = can.contains(&"subscribe".into());
                    let from = if recovered { end.asked } else { offset };
                    end.offset = from.filter(|_| subscribes);
                    assert!(!recovered || from.is_some());
                    let text = |name| message[name].as_str().unwrap_or_default().to_owned();
                    self.sessions.insert(link, (text("epoch"), text("session")));
                }
                "message" | "skip" => {
                    if let Some(offset) = offset {
                        assert!(offset <= stored, "sent before it was stored");
                        if let Some(seen) = &mut end.offset {
                            assert_eq!(offset, *seen + 1, "{link:?}");
                            *seen = offset;
                        }
                    }
                }
                "ack" => assert!(offset.is_none_or(|offset| offset <= stored)),
                _ => {}
            }
        }
    }
}

/// The messages of a frame.
fn messages(text: &str) -> Vec<Value> {
    match serde_json::from_str(text).expect("a frame is JSON") {
        Value::Array(messages) => messages,
        message => vec![message],
    }
}
