//! Looking at what the rooms have done: it is checked, and what they said is put on its way.

use std::rc::Rc;

use super::place::Place;
use super::universe::Universe;
use super::wire::Down;
use crate::frame::Frame;
use roomful::room::Input;

/// How many frames may wait for a client that does not read (the runtime counts bytes).
const UNREAD: usize = 40;

impl Universe {
    /// Looks at what the rooms have done, and puts what they said on its way.
    pub fn look(&mut self) {
        for room in 0..self.rooms.len() {
            let place = &mut self.rooms[room];
            if place.crashes != place.world.crashes {
                place.crashes = place.world.crashes;
                place.ledger.crashed(&place.world.store);
                place.watch.restarted(&place.world.store, place.world.now);
                place.poster.crashed();
            }
            place.ledger.look(&place.world.store, place.world.now);
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
            place
                .poster
                .answers(&mut place.world, &mut place.ledger, &mut place.watch);
        }
    }

    fn look_at_end(&mut self, number: usize) {
        let wire = &mut self.wires[number];
        let Some(client) = wire.client else { return };
        let Place { world, watch, .. } = &mut self.rooms[wire.room];
        let end = &world.clients[client.0];
        if end.link.is_some() {
            watch.open(wire, world.now, end.pinged_at.unwrap_or(0));
            return;
        }
        if std::mem::take(&mut wire.was_open)
            && let Some(connection) = end.connection
        {
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
        let Place { world, watch, .. } = &mut self.rooms[wire.room];
        let told = !frames.is_empty();
        for frame in frames {
            for message in frame.messages() {
                watch.sent(&wire.epoch, message, world.now);
            }
            if self.kind.name == "sleep" {
                let text = frame.to_string();
                self.transcript
                    .push(format!("{} {number} {text}", self.time));
            }
            wire.down.push(self.time, Down::Frame(frame));
        }
        let end = &world.clients[client.0];
        if wire.told_end || (end.closed.is_none() && end.refused.is_none()) {
            // Noticed as it is sent something, so its room is awake.
            if told && !wire.reads && wire.down.len() > UNREAD && end.link.is_some() {
                let link = world.link(client);
                world.handle(Input::Slow { link });
            }
            return;
        }
        wire.told_end = true;
        if self.kind.name == "sleep" {
            let why = format!("{:?} {:?}", end.refused, end.closed);
            self.transcript
                .push(format!("{} {number} {why}", self.time));
        }
        wire.down.push_last(self.time, Down::End);
    }
}
