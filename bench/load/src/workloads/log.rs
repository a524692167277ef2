//! Stores many messages, as fast as the acks come.

use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::{joined, usage_json};
use crate::message::Message;
use crate::protocol::{Door, Kind};
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::stamp;
use crate::tally::{Complaints, Tally};
use crate::wire::Frame;

/// A frame may hold so many (C6).
const MOST: usize = 100;
/// Without an ack for so long (µs), none will come.
const GIVE_UP: u64 = 10_000_000;

struct Log {
    senders: Senders,
    acks: Tally,
    complaints: Complaints,
    /// How many are still to be sent.
    left: usize,
    batch: usize,
    /// How many each may have sent without an ack.
    most_under_way: u64,
    /// Who has room for one more frame.
    ready: Vec<usize>,
    under_way: Vec<u64>,
    last_ack: u64,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    if sockets.protocol.kind != Kind::Roomful {
        return Err("only rooms have a log".into());
    }
    let messages = arguments.count("messages", 10_000)?;
    let batch = arguments.count("batch", MOST)?.min(MOST);
    let senders = arguments.count("sockets", 1)?;
    let window = arguments.count("window", 4)?;
    arguments.finish()?;

    let mut log = Log {
        senders: Senders::new(senders, Message::Chat { stored: true }),
        acks: Tally::of_own(stamp::ACK, senders),
        complaints: Complaints::default(),
        left: 0,
        batch,
        most_under_way: (window * batch) as u64,
        ready: Vec::new(),
        under_way: vec![0; senders],
        last_ack: 0,
    };
    sockets.gather(senders, &mut log, Door::of_user)?;
    let start = sockets.now();
    log.acks.window = start..u64::MAX;
    log.last_ack = start;
    log.left = messages;
    log.ready
        .extend((0..senders * window).map(|turn| turn % senders));
    let meter = sockets.meter();
    while !log.is_complete() && sockets.now() < log.last_ack + GIVE_UP && sockets.open > 0 {
        sockets.serve(&mut log, Duration::from_millis(10))?;
    }
    let usage = meter.stop();
    let seconds = (log.last_ack - start) as f64 / 1e6;
    let figures = json!({
        "messages": messages,
        "batch": batch,
        "sockets": senders,
        "published": log.senders.published(),
        "acked": log.acks.delivered,
        "lost": messages as u64 - log.acks.delivered,
        "doubled": log.acks.doubled,
        "messages_per_second": (log.acks.delivered as f64 / seconds.max(1e-6)).round(),
        "ack_ms": log.acks.latency.to_json(),
        "complaint": sockets.complaint.as_ref().or(log.complaints.first.as_ref()),
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Log {
    fn store(&mut self, sockets: &mut Sockets, index: usize) {
        let count = self.batch.min(self.left);
        if count == 0 {
            return;
        }
        self.left -= count;
        self.under_way[index] += count as u64;
        let now = sockets.now();
        let mut text = Vec::new();
        for number in 0..count {
            text.push(if number == 0 { b'[' } else { b',' });
            text.extend(self.senders.write(&sockets.protocol, index, now));
        }
        text.push(b']');
        // One message alone comes without array (C1).
        let text = if count == 1 {
            &text[1..text.len() - 1]
        } else {
            &text
        };
        sockets.connections[index].send(text);
    }
}

impl Listener for Log {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        let index = connection.index;
        self.complaints.look(frame.payload);
        let acked = self.acks.frame(index, frame.payload, now);
        if acked == 0 {
            return;
        }
        self.last_ack = now;
        self.under_way[index] -= acked;
        let room = (self.most_under_way - self.under_way[index]) / self.batch as u64;
        self.ready.extend((0..room).map(|_| index));
    }

    fn between(&mut self, sockets: &mut Sockets) {
        for index in std::mem::take(&mut self.ready) {
            if self.under_way[index] + self.batch as u64 <= self.most_under_way {
                self.store(sockets, index);
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.left == 0 && self.acks.delivered >= self.senders.published()
    }
}
