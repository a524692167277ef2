//! Rooms that sleep, and what their first message meets.

use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::{joined, usage_json};
use crate::histogram::Histogram;
use crate::message::Message;
use crate::protocol::Door;
use crate::runner::{Words, tell};
use crate::schedule::Schedule;
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::tally::{Complaints, Tally};
use crate::wire::Frame;

/// What the joins have left to send.
const SETTLE: u64 = 500_000;
const DRAIN: u64 = 5_000_000;

struct Waking {
    /// How many people each room has: the connections stand room by room, and the first one of each
    /// sends.
    people: usize,
    rooms: Vec<Room>,
    senders: Senders,
    schedule: Schedule,
    tally: Tally,
    complaints: Complaints,
    readers: u64,
}

#[derive(Clone, Default)]
struct Room {
    due: u64,
    first: Option<u64>,
    arrived: u64,
    last: u64,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    let rooms = arguments.count("rooms", 10)?;
    let people = arguments.count("people", 10)?;
    let gap = arguments.seconds("gap", 0.3)?.max(1);
    let stored = match arguments.take("kind", "ephemeral".to_owned())?.as_str() {
        "durable" => true,
        "ephemeral" => false,
        kind => return Err(format!("there are no messages of kind {kind}").into()),
    };
    arguments.finish()?;
    let words = Words::listen();
    let message = match stored {
        true => Message::Chat { stored },
        false => Message::Cursor,
    };
    let mut waking = Waking {
        people,
        rooms: vec![Room::default(); rooms],
        senders: Senders::new(rooms, message),
        schedule: Schedule::new(0.0, 0, 0, 0),
        tally: Tally::of_messages(rooms * people, rooms),
        complaints: Complaints::default(),
        readers: (people - usize::from(!sockets.protocol.echoes())) as u64,
    };
    sockets.gather(rooms * people, &mut waking, |index| Door {
        user: index,
        suffix: Some(index / people + 1),
        ..Door::default()
    })?;
    sockets.serve_for(&mut waking, SETTLE)?;
    tell(
        "ready",
        json!({ "connected_ms": sockets.now() as f64 / 1e3 }),
    );
    sockets.serve_until_told(&mut waking, &words)?;

    let start = sockets.now();
    let end = start + rooms as u64 * gap;
    waking.tally.window = start..end;
    waking.schedule = Schedule::new(1e6 / gap as f64, start, start, end);
    let meter = sockets.meter();
    sockets.serve_until(&mut waking, end)?;
    sockets.serve_rest(&mut waking, end + DRAIN)?;
    let usage = meter.stop();

    let since = |at: fn(&Room) -> Option<u64>| -> Histogram {
        let rooms = waking.rooms.iter();
        rooms
            .filter_map(|room| Some(at(room)? - room.due))
            .collect()
    };
    let readers = waking.readers;
    let whole = waking.rooms.iter().filter(|room| room.arrived >= readers);
    let all: Histogram = whole.map(|room| room.last - room.due).collect();
    let expected = rooms as u64 * readers;
    let figures = json!({
        "rooms": rooms,
        "people": people,
        "published": waking.senders.published(),
        "unsent": waking.senders.unsent,
        "expected": expected,
        "delivered": waking.tally.delivered,
        "lost": expected.saturating_sub(waking.tally.delivered),
        "doubled": waking.tally.doubled,
        "first_ms": since(|room| room.first).to_json(),
        "all_ms": all.to_json(),
        "latency_ms": waking.tally.latency.to_json(),
        "sent_late_ms": waking.schedule.late.to_json(),
        "still_open": sockets.open,
        "complaint": sockets.complaint.as_ref().or(waking.complaints.first.as_ref()),
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Listener for Waking {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        self.complaints.look(frame.payload);
        let new = self.tally.frame(connection.index, frame.payload, now);
        if new > 0 {
            let room = &mut self.rooms[connection.index / self.people];
            // Whoever said it knows it already.
            if !connection.index.is_multiple_of(self.people) {
                room.first.get_or_insert(now);
            }
            room.arrived += new;
            room.last = now;
        }
    }

    fn between(&mut self, sockets: &mut Sockets) {
        while let Some((number, due)) = self.schedule.take(sockets.now()) {
            let number = number as usize;
            self.rooms[number].due = due;
            self.senders
                .publish_over(sockets, number * self.people, number, due);
        }
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        self.schedule.wait(now)
    }

    fn is_complete(&self) -> bool {
        let expected = self.senders.published() * self.readers;
        self.tally.delivered >= expected
    }
}
