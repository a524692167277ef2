//! Chat: messages with ids, as fast as the acks come, or at a rate. A server without acks has the
//! sender's own echo in their place.

use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::Course;
use crate::message::Message;
use crate::protocol::Kind;
use crate::schedule::Schedule;
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::stamp;
use crate::tally::{Complaints, Tally, Traffic};
use crate::wire::Frame;

struct Chat {
    senders: Senders,
    schedule: Schedule,
    tally: Tally,
    acks: Tally,
    traffic: Traffic,
    complaints: Complaints,
    window: Range<u64>,
    /// Acks that came in the window.
    acked: u64,
    /// Closed loop: who may send one more.
    ready: Vec<usize>,
    closed_loop: bool,
    /// Whether there is anything that tells a sender that its message was taken.
    acknowledged: bool,
    /// How many get each message.
    readers: u64,
    /// Whose frames are counted as commits.
    one_reader: usize,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    let course = Course::of(&mut arguments)?;
    let people = arguments.count("people", 100)?;
    let senders = arguments.count("senders", people.min(10))?.min(people);
    let rate: Option<f64> = arguments.optional("rate")?;
    let unacknowledged = arguments.count("window", 1)?;
    let stored = match arguments.take("kind", "durable".to_owned())?.as_str() {
        "durable" => true,
        "ephemeral" => false,
        kind => return Err(format!("there is no chat of kind {kind}").into()),
    };
    arguments.finish()?;
    let echoes = sockets.protocol.echoes();
    if rate.is_none() && !echoes {
        return Err("without acks and echoes it needs a --rate".into());
    }
    let is_room = sockets.protocol.kind == Kind::Roomful;
    let mark = if is_room { stamp::ACK } else { stamp::MESSAGE };

    let mut chat = Chat {
        senders: Senders::new(senders, Message::Chat { stored }),
        schedule: Schedule::new(0.0, 0, 0, 0),
        tally: Tally::of_messages(people, senders),
        acks: Tally::of_own(mark, senders),
        traffic: Traffic::default(),
        complaints: Complaints::default(),
        window: 0..0,
        acked: 0,
        ready: Vec::new(),
        closed_loop: rate.is_none(),
        acknowledged: echoes,
        readers: (people - usize::from(!echoes)) as u64,
        one_reader: people - 1,
    };
    let measured = course.run(&mut sockets, people, &mut chat, |chat, times| {
        let window = times.window;
        match rate {
            Some(rate) => {
                chat.schedule = Schedule::new(rate, times.start, window.start, window.end);
            }
            None => {
                let turns = (0..senders * unacknowledged).map(|turn| turn % senders);
                chat.ready.extend(turns);
            }
        }
        chat.tally.window = window.clone();
        chat.acks.window = window.clone();
        chat.traffic.window = window.clone();
        chat.window = window;
    })?;
    let Chat {
        senders,
        schedule,
        tally,
        acks,
        traffic,
        complaints,
        ..
    } = &chat;
    let seconds = (traffic.window.end - traffic.window.start) as f64 / 1e6;
    let each = |count: u64| (count as f64 / seconds.max(1e-3)).round();
    let own = json!({
        "people": people,
        "rate": rate,
        "sent_late_ms": schedule.late.to_json(),
        "acks": if echoes {
            json!({ "expected": senders.published(), "got": acks.delivered, "doubled": acks.doubled })
        } else {
            json!(null)
        },
        "ack_ms": acks.latency.to_json(),
        "messages_per_second": if echoes { json!(each(chat.acked)) } else { json!(null) },
        "commits_per_second": if stored && is_room { json!(each(traffic.commits)) } else { json!(null) },
    });
    let figures = [senders.figures(), tally.figures(chat.expected()), own];
    Ok(measured.report(&sockets, traffic, complaints, figures))
}

impl Chat {
    fn expected(&self) -> u64 {
        self.senders.due() * self.readers
    }
}

impl Listener for Chat {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        let index = connection.index;
        let new = self.tally.frame(index, frame.payload, now);
        self.traffic
            .frame(new, frame.length, now, index == self.one_reader);
        self.complaints.look(frame.payload);
        if index < self.senders.count() {
            let acked = self.acks.frame(index, frame.payload, now);
            if self.window.contains(&now) {
                self.acked += acked;
            }
            if self.closed_loop {
                self.ready.extend((0..acked).map(|_| index));
            }
        }
    }

    fn between(&mut self, sockets: &mut Sockets) {
        self.senders.keep(&mut self.schedule, sockets);
        if self.ready.is_empty() {
            return;
        }
        let now = sockets.now();
        for sender in std::mem::take(&mut self.ready) {
            // Who is not there sends no more, and has nothing due.
            if now < self.window.end && sockets.connections[sender].is_open() {
                self.senders.publish(sockets, sender, now);
            }
        }
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        self.schedule.wait(now)
    }

    fn is_complete(&self) -> bool {
        self.tally.delivered >= self.expected()
            && (!self.acknowledged || self.acks.delivered >= self.senders.published())
    }
}
