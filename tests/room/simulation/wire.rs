//! One connection's way through the network: a queue for each direction, in which nothing
//! overtakes. Different connections are as fast as they are.

use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::Value;

use super::said::Listener;
use crate::frame::Frame;
use crate::world::{Arrival, Client, World};
use roomful::auth::Rights;

/// What is on its way to the room.
#[derive(Debug)]
pub enum Up {
    Connect,
    Frame(String),
    Binary,
    Ping,
    Close(u16),
}

/// What is on its way to the client.
pub enum Down {
    Frame(Rc<Frame>),
    End,
}

/// One direction.
pub struct Line<T> {
    delay: u64,
    queue: VecDeque<(u64, T)>,
    dead: bool,
}

impl<T> Line<T> {
    fn new(delay: u64) -> Line<T> {
        let queue = VecDeque::new();
        let dead = false;
        Line { delay, queue, dead }
    }

    pub fn push(&mut self, now: u64, item: T) {
        if self.dead {
            return;
        }
        let last = self.queue.back().map_or(0, |(at, _)| *at);
        self.queue.push_back((last.max(now + self.delay), item));
    }

    /// Nothing after this one.
    pub fn push_last(&mut self, now: u64, item: T) {
        self.push(now, item);
        self.dead = true;
    }

    /// What is under way is lost; `end` arrives at its time.
    pub fn cut(&mut self, end: Option<(u64, T)>) {
        self.queue.clear();
        self.queue.extend(end);
        self.dead = true;
    }

    pub fn due(&self) -> Option<u64> {
        self.queue.front().map(|(at, _)| *at)
    }

    pub fn pop(&mut self, now: u64) -> Option<T> {
        if self.due()? > now {
            return None;
        }
        self.queue.pop_front().map(|(_, item)| item)
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Nothing that is put in will arrive any more.
    pub fn is_cut(&self) -> bool {
        self.dead
    }

    fn is_over(&self) -> bool {
        self.dead && self.queue.is_empty()
    }
}

/// With what a connection was opened, as the client knows it.
#[derive(Clone, Default)]
pub struct Asked {
    /// It showed its own session.
    pub session: bool,
    pub epoch: Option<String>,
    pub offset: Option<u64>,
}

pub struct Wire {
    pub who: usize,
    pub room: usize,
    pub arrival: Arrival,
    pub asked: Asked,
    /// The room's end, once it has heard of it.
    pub client: Option<Client>,
    /// The room's epoch when that end was accepted: what it is sent is about no other.
    pub epoch: String,
    /// How many new tokens the room may have for it that it has not answered for.
    pub renewals: u64,
    /// That end was open when it was last looked at.
    pub was_open: bool,
    /// The room's end has told how it ended.
    pub told_end: bool,
    /// When the room last heard of it, by the room's clock.
    pub heard_at: u64,
    /// When the client pings next, if it does.
    pub ping_at: Option<u64>,
    /// When the client takes the connection for lost.
    pub gives_up_at: Option<u64>,
    pub reads: bool,
    pub up: Line<Up>,
    pub down: Line<Down>,
}

impl Wire {
    pub fn new(
        who: usize,
        room: usize,
        arrival: Arrival,
        asked: Asked,
        delays: (u64, u64),
    ) -> Wire {
        Wire {
            who,
            room,
            arrival,
            asked,
            client: None,
            epoch: String::new(),
            renewals: 0,
            was_open: false,
            told_end: false,
            heard_at: 0,
            ping_at: None,
            gives_up_at: None,
            reads: true,
            up: Line::new(delays.0),
            down: Line::new(delays.1),
        }
    }

    /// When something happens on it next.
    pub fn due(&self) -> Option<u64> {
        let down = self.down.due().filter(|_| self.reads);
        let dues = [self.up.due(), down, self.ping_at, self.gives_up_at];
        dues.into_iter().flatten().min()
    }

    /// The client is done with it, and the room learns of it by `code`, if it ever does.
    pub fn close(&mut self, now: u64, code: Option<u16>) {
        match code {
            Some(code) => self.up.push_last(now, Up::Close(code)),
            None => self.up.cut(None),
        }
        self.down.cut(None);
        (self.ping_at, self.gives_up_at) = (None, None);
    }

    /// Who it is that hears what is sent to it.
    pub fn listener(&self, number: usize, world: &World) -> Listener {
        let end = self.client.map(|client| &world.clients[client.0]);
        let connection = end.and_then(|end| end.connection);
        Listener {
            wire: number,
            connection: connection.map_or_else(String::new, |id| id.to_string()),
            user: self.arrival.grant.user.to_string(),
        }
    }

    /// Of which epoch it wants what it has missed.
    pub fn asked_epoch(&self) -> &str {
        self.asked.epoch.as_deref().unwrap_or_default()
    }

    /// Whether it is certain that it may.
    pub fn surely_may(&self, right: Rights) -> bool {
        self.renewals == 0 && self.arrival.grant.can.has(right)
    }

    /// The room has taken a new token for it.
    pub fn renewed(&mut self, can: &Value) {
        let names = can.as_array().unwrap().iter();
        self.arrival.grant.can = Rights::from_names(names.map(|name| name.as_str().unwrap()));
        self.answered();
    }

    /// The room has answered for a token.
    pub fn answered(&mut self) {
        self.renewals = self.renewals.saturating_sub(1);
    }

    /// Nothing will ever happen on it any more but on the room's side.
    pub fn is_over(&self) -> bool {
        self.gives_up_at.is_none() && self.up.is_over() && self.down.is_over()
    }
}
