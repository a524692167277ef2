//! Looking at what the rooms have done: it is checked, and what they said is put on its way.

use std::rc::Rc;

use serde_json::Value;

use super::place::Place;
use super::universe::Universe;
use super::wire::Down;
use crate::frame::Frame;
use roomful::room::{Input, Room};

/// How many frames may wait for a client that does not read (the runtime counts bytes).
const UNREAD: usize = 40;

/// H7: what has an offset carries it as its id, with the epoch, and nothing else does.
fn check_events(events: &str, epoch: &str) {
    let mut id = None;
    for line in events.lines() {
        if let Some(text) = line.strip_prefix("id: ") {
            id = Some(text.to_owned());
        } else if let Some(data) = line.strip_prefix("data: ") {
            let message: Value = serde_json::from_str(data).expect("an event is JSON");
            let moves = message["type"] == "message" || message["type"] == "skip";
            let offset = message["offset"].as_u64().filter(|_| moves);
            let expected = offset.map(|offset| format!("{epoch}/{offset}"));
            assert_eq!(id.take(), expected, "H7: {message}");
        }
    }
}

impl Universe {
    /// Looks at what the rooms have done, and puts what they said on its way.
    pub fn look(&mut self) {
        for room in 0..self.rooms.len() {
            let place = &mut self.rooms[room];
            if place.crashes != place.world.crashes {
                place.crashes = place.world.crashes;
                place.ledger.crashed(&place.world.store);
                place.said.crashed();
                place.watch.restarted(&place.world.store, place.world.now);
                place.poster.crashed();
            }
            if self.kind.name == "sleep" {
                self.transcript.look(&place.world);
            }
            place
                .ledger
                .look(&place.world.store, &place.said, place.world.now);
            place.watch.bans.look(&place.world.store, place.world.now);
            if let Some(room) = &place.world.room {
                place.watch.size(&room.size(), place.world.open());
            }
            self.examine(room);
        }
        let active = self.active.clone();
        for wire in &active {
            self.look_at_end(*wire);
        }
        let said = active.iter().map(|wire| self.look_at_welcomes(*wire));
        let said: Vec<_> = said.collect();
        for (wire, frames) in active.into_iter().zip(said) {
            self.look_at_frames(wire, frames);
        }
        for place in &mut self.rooms {
            if self.kind.name == "sleep" {
                for (request, reply) in &place.world.replies {
                    let (whom, error) = (format!("{request:?}"), reply.as_ref().err());
                    let text = error.map(|error| format!("{error:?}"));
                    let text = text.as_ref().or(reply.as_ref().ok()).unwrap();
                    self.transcript.says(self.time, &place.world, &whom, text);
                }
            }
            place.take_answers();
            let waits = place.world.room.as_ref().is_some_and(Room::is_waiting);
            if !waits && !place.world.disk.is_busy() {
                place.said.settled();
            }
        }
    }

    fn look_at_end(&mut self, number: usize) {
        let wire = &mut self.wires[number];
        let Some(client) = wire.client else { return };
        let Place {
            world, watch, said, ..
        } = &mut self.rooms[wire.room];
        let end = &world.clients[client.0];
        if end.link.is_some() {
            watch.open(wire, world.now, end.pinged_at.unwrap_or(0));
            return;
        }
        if !std::mem::take(&mut wire.was_open) {
            return;
        }
        said.excuse(number);
        if let Some(connection) = end.connection {
            let code = end.ended.unwrap_or(1006);
            let others = world.clients.iter();
            let mut others = others.filter(|other| other.connection == Some(connection));
            if !others.any(|other| other.link.is_some()) {
                let now = world.now;
                watch.gone(&wire.epoch, &connection.to_string(), code, now);
            }
        }
    }

    /// Takes what was said to a wire, and looks at who is let in before anything else.
    fn look_at_welcomes(&mut self, number: usize) -> Vec<Rc<Frame>> {
        let wire = &self.wires[number];
        let Some(client) = wire.client else {
            return Vec::new();
        };
        let Place { world, watch, .. } = &mut self.rooms[wire.room];
        let frames = world.take_frames(client);
        let messages = frames.iter().flat_map(|frame| frame.messages());
        for message in messages.filter(|message| message["type"] == "welcome") {
            watch.welcome(wire, message, &world.name, world.now);
        }
        frames
    }

    fn look_at_frames(&mut self, number: usize, frames: Vec<Rc<Frame>>) {
        let wire = &mut self.wires[number];
        let Some(client) = wire.client else { return };
        let Place {
            world, watch, said, ..
        } = &mut self.rooms[wire.room];
        let told = !frames.is_empty();
        let listener = told.then(|| wire.listener(number, world));
        for frame in frames {
            for message in frame.messages() {
                watch.sent(&wire.epoch, message, world.now);
                self.tally.sent(message);
                let late = message["recovered"] == false && message["epoch"] == *wire.asked_epoch();
                if late {
                    self.tally.one("too late to recover");
                }
                match message["type"].as_str() {
                    Some("message") => said.heard(message, listener.as_ref().unwrap()),
                    Some("auth") => wire.renewed(&message["can"]),
                    Some("error") if message["code"] == "unauthorized" => wire.answered(),
                    Some("ack" | "error") => said.told(message),
                    _ => {}
                }
            }
            if wire.arrival.kind.is_stream() {
                check_events(&frame, &wire.epoch);
            }
            if self.kind.name == "sleep" {
                let whom = number.to_string();
                self.transcript.says(self.time, world, &whom, &frame);
            }
            wire.down.push(self.time, Down::Frame(frame));
        }
        let end = &world.clients[client.0];
        if wire.told_end || (end.closed.is_none() && end.refused.is_none()) {
            // Noticed as it is sent something, so its room is awake.
            if told && !wire.reads && wire.down.len() > UNREAD && end.link.is_some() {
                let link = world.link(client);
                world.handle(Input::Slow { link, unread: 0 });
                said.excuse(number);
            }
            return;
        }
        wire.told_end = true;
        if let Some((code, _)) = &end.closed {
            self.tally.one(&format!("closed {code}"));
        }
        if let Some(error) = &end.refused {
            self.tally.one(&format!("refused {:?}", error.code));
        }
        if self.kind.name == "sleep" {
            let why = format!("{:?} {:?}", end.refused, end.closed);
            let whom = number.to_string();
            self.transcript.says(self.time, world, &whom, &why);
        }
        wire.down.push_last(self.time, Down::End);
    }
}
