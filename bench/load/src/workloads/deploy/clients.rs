//! Clients that come back whenever their connection is lost, and send again what may not have arrived.

use std::collections::VecDeque;
use std::time::Duration;

use memchr::memchr_iter;

use crate::backoff::{Backoff, Random};
use crate::connection::Connection;
use crate::ledger::Ledger;
use crate::message::Message;
use crate::protocol::{Door, Kind};
use crate::roomful::{Said, said};
use crate::schedule::Schedule;
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::stamp::{self, Stamp};
use crate::tally::Complaints;
use crate::wire::Frame;

/// As long as a client waits for a welcome (µs).
const WELCOME_WITHIN: u64 = 10_000_000;
const LOOK_EVERY: u64 = 2_000;

pub struct Clients {
    pub is_room: bool,
    pub readers: usize,
    pub all: Vec<Client>,
    pub senders: Senders,
    /// What each sender has to send again: all that is not acknowledged. Without acks, what was due
    /// while it was not connected.
    outboxes: Vec<VecDeque<(u32, Vec<u8>)>>,
    pub schedule: Schedule,
    pub ledger: Ledger,
    random: Random,
    pub complaints: Complaints,
    next_look: u64,
    /// When the first connection closed.
    pub killed: Option<u64>,
    /// How many are back.
    pub back: usize,
    pub recovered: u64,
    pub not_recovered: u64,
    pub joins: u64,
    pub leaves: u64,
    /// Offsets that a client had already, and offsets that it never got.
    pub repeated: u64,
    pub skipped: u64,
    pub dropped_again: u64,
}

#[derive(Clone, Default)]
pub struct Client {
    place: Option<Place>,
    backoff: Backoff,
    opened: Option<u64>,
    retry: Option<u64>,
    pub back: Option<u64>,
}

/// What a client comes back to.
#[derive(Clone)]
struct Place {
    epoch: String,
    session: String,
    offset: u64,
}

impl Clients {
    pub fn new(sockets: &Sockets, people: usize, senders: usize) -> Clients {
        Clients {
            is_room: sockets.protocol.kind == Kind::Roomful,
            readers: people - usize::from(!sockets.protocol.echoes()),
            all: vec![Client::default(); people],
            senders: Senders::new(senders, Message::Chat { stored: true }),
            outboxes: vec![VecDeque::new(); senders],
            schedule: Schedule::new(0.0, 0, 0, 0),
            ledger: Ledger::new(people, senders),
            random: Random::new(),
            complaints: Complaints::default(),
            next_look: 0,
            killed: None,
            back: 0,
            recovered: 0,
            not_recovered: 0,
            joins: 0,
            leaves: 0,
            repeated: 0,
            skipped: 0,
            dropped_again: 0,
        }
    }

    pub fn has_all(&self) -> bool {
        let outstanding = self.senders.published() - self.ledger.acks();
        self.ledger.lost(self.readers) == 0 && (!self.is_room || outstanding == 0)
    }

    fn hear(&mut self, connection: &mut Connection, said: Said<'_>) {
        match said.kind() {
            "welcome" => self.enter(connection.index, said),
            "message" | "skip" => {
                if let Some(offset) = said.number("offset") {
                    self.advance(connection.index, offset);
                }
                self.see(connection.index, said.bytes());
            }
            "ack" => {
                let id = said.text("id").unwrap_or_default();
                if let Some(stamp) = Stamp::read(id.as_bytes()) {
                    self.ledger.acked(stamp);
                    if let Some(outbox) = self.outboxes.get_mut(stamp.sender as usize) {
                        outbox.retain(|&(number, _)| number != stamp.number);
                    }
                }
            }
            "join" => self.joins += 1,
            "leave" => self.leaves += 1,
            _ => {}
        }
    }

    /// The offset is the welcome's own, unless what was missed follows (R2).
    fn enter(&mut self, index: usize, welcome: Said<'_>) {
        let client = &mut self.all[index];
        let recovered = welcome.is_true("recovered");
        let offset = match &client.place {
            Some(place) if recovered => place.offset,
            _ => welcome.number("offset").unwrap_or_default(),
        };
        if client.place.is_some() {
            self.recovered += u64::from(recovered);
            self.not_recovered += u64::from(!recovered);
        }
        client.place = Some(Place {
            epoch: welcome.text("epoch").unwrap_or_default().to_owned(),
            session: welcome.text("session").unwrap_or_default().to_owned(),
            offset,
        });
    }

    fn advance(&mut self, index: usize, offset: u64) {
        if let Some(place) = &mut self.all[index].place {
            self.repeated += u64::from(offset <= place.offset);
            self.skipped += offset.saturating_sub(place.offset + 1);
            place.offset = place.offset.max(offset);
        }
    }

    fn see(&mut self, index: usize, text: &[u8]) {
        for place in memchr_iter(stamp::MESSAGE, text) {
            if let Some(stamp) = Stamp::read(&text[place..]) {
                self.ledger.seen(index, stamp);
            }
        }
    }

    fn lose(&mut self, index: usize, now: u64) {
        let client = &mut self.all[index];
        let lived = client.opened.take().map(|opened| now - opened);
        client.retry = Some(now + client.backoff.pause(lived, &mut self.random));
    }

    fn publish(&mut self, sockets: &mut Sockets, sender: usize, due: u64) {
        let text = self.senders.write(&sockets.protocol, sender, due).to_vec();
        let connection = &mut sockets.connections[sender];
        let is_open = connection.is_open();
        connection.send_if_open(&text);
        if self.is_room || !is_open {
            let number = self.senders.last(sender);
            self.outboxes[sender].push_back((number, text));
        }
    }

    /// Brings back who has waited long enough, and gives up attempts that take too long.
    fn look(&mut self, sockets: &mut Sockets, now: u64) {
        for index in 0..sockets.connections.len() {
            let Some(client) = self.all.get_mut(index) else {
                return;
            };
            if client.retry.is_some_and(|at| at <= now) {
                client.retry = None;
                let place = client.place.as_ref();
                let door = Door {
                    user: index,
                    after: place.map(|place| (place.epoch.as_str(), place.offset)),
                    session: place.map(|place| place.session.as_str()),
                    ..Door::default()
                };
                if sockets.begin_again(index, door).is_err() {
                    self.lose(index, now);
                }
            } else if sockets.give_up(index, now.saturating_sub(WELCOME_WITHIN)) {
                self.lose(index, now);
            }
        }
    }
}

impl Listener for Clients {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, _: u64) {
        self.complaints.look(frame.payload);
        if !self.is_room {
            self.see(connection.index, frame.payload);
            return;
        }
        for said in said(frame.payload) {
            self.hear(connection, said);
        }
    }

    fn opened(&mut self, connection: &mut Connection, now: u64) {
        let index = connection.index;
        let client = &mut self.all[index];
        client.opened = Some(now);
        if self.killed.is_some() && client.back.is_none() {
            client.back = Some(now);
            self.back += 1;
        }
        if self.is_room {
            connection.send(b"ping");
        }
        if let Some(outbox) = self.outboxes.get_mut(index) {
            for (_, text) in &*outbox {
                connection.send(text);
            }
            if !self.is_room {
                outbox.clear();
            }
        }
    }

    fn closed(&mut self, connection: &mut Connection, now: u64) {
        let client = &self.all[connection.index];
        if client.opened.is_some() {
            self.killed.get_or_insert(now);
            self.dropped_again += u64::from(client.back.is_some());
        }
        self.lose(connection.index, now);
    }

    fn between(&mut self, sockets: &mut Sockets) {
        let now = sockets.now();
        while let Some((number, due)) = self.schedule.take(now) {
            self.publish(sockets, number as usize % self.senders.count(), due);
        }
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            self.look(sockets, now);
        }
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        let look = Duration::from_micros(LOOK_EVERY);
        Some(self.schedule.wait(now).unwrap_or(look).min(look))
    }

    /// Everybody is back.
    fn is_complete(&self) -> bool {
        self.back == self.all.len()
    }
}
