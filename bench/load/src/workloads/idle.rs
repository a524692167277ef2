//! A crowd that only keeps its connections alive.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::{joined, usage_json};
use crate::histogram::Histogram;
use crate::protocol::{Door, Kind};
use crate::runner::{Words, tell};
use crate::schedule::Schedule;
use crate::sockets::{Listener, Sockets};
use crate::wire::Frame;

/// It has settled when nothing came for this long (µs) …
const SILENCE: u64 = 1_500_000;
/// … and if that never happens, it has to do.
const SETTLE_WITHIN: u64 = 15_000_000;
/// As long as a client waits for a pong.
const PONG_WITHIN: u64 = 10_000_000;

struct Idle {
    schedule: Schedule,
    /// Who waits for a pong, and since when.
    waiting: HashMap<usize, u64>,
    sent: u64,
    pongs: u64,
    pong: Histogram,
    closed: u64,
    last: u64,
    frames: u64,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    let people = arguments.count("people", 5_000)?;
    let every = arguments.take("ping-every", 25.0)?;
    let seconds = arguments.seconds("seconds", 30.0)?;
    arguments.finish()?;
    let words = Words::listen();

    let mut idle = Idle {
        schedule: Schedule::new(0.0, 0, 0, 0),
        waiting: HashMap::new(),
        sent: 0,
        pongs: 0,
        pong: Histogram::new(),
        closed: 0,
        last: 0,
        frames: 0,
    };
    sockets.gather(people, &mut idle, Door::of_user)?;
    let connected = sockets.now();
    while sockets.now() < connected + SETTLE_WITHIN && sockets.now() < idle.last + SILENCE {
        sockets.serve_for(&mut idle, 100_000)?;
    }
    tell("ready", json!({ "connected_ms": connected as f64 / 1e3 }));
    sockets.serve_until_told(&mut idle, &words)?;

    sockets.keep_alive = false;
    idle.frames = 0;
    let start = sockets.now();
    // Each in turn, so that everybody does it as often as asked.
    let rate = match sockets.protocol.kind {
        Kind::SocketIo => 0.0,
        _ => people as f64 / every,
    };
    idle.schedule = Schedule::new(rate, start, start, start + seconds);
    let meter = sockets.meter();
    sockets.serve_until(&mut idle, start + seconds)?;
    let usage = meter.stop();
    let frames = idle.frames;
    sockets.serve_rest(&mut idle, start + seconds + PONG_WITHIN)?;
    let figures = json!({
        "people": people,
        "ping_every_s": every,
        "connected_ms": connected as f64 / 1e3,
        "connect_ms": sockets.connect.to_json(),
        "pings": idle.sent,
        "pongs": idle.pongs,
        "missing": idle.sent - idle.pongs,
        "pong_ms": idle.pong.to_json(),
        "sent_late_ms": idle.schedule.late.to_json(),
        "frames": frames,
        "closed": idle.closed,
        "still_open": sockets.open,
        "complaint": sockets.complaint,
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Listener for Idle {
    fn text(&mut self, _: &mut Connection, _: &Frame<'_>, now: u64) {
        self.last = now;
        self.frames += 1;
    }

    fn closed(&mut self, _: &mut Connection, _: u64) {
        self.closed += 1;
    }

    fn ponged(&mut self, connection: &mut Connection, now: u64) {
        // Pongs for what was pinged before it was measured do not count.
        if let Some(due) = self.waiting.remove(&connection.index) {
            self.pongs += 1;
            self.pong.add(now - due);
        }
    }

    fn between(&mut self, sockets: &mut Sockets) {
        while let Some((number, due)) = self.schedule.take(sockets.now()) {
            let index = number as usize % sockets.connections.len();
            let connection = &mut sockets.connections[index];
            self.sent += 1;
            // Nobody pings again before the pong; who is gone cannot.
            if connection.is_open() && !self.waiting.contains_key(&index) {
                sockets.protocol.ping(connection);
                self.waiting.insert(index, due);
            }
        }
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        self.schedule.wait(now)
    }

    fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }
}
