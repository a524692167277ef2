//! Quiet rooms and moving cursors: an open loop of ephemeral messages that everybody gets.

use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::Course;
use crate::message::Message;
use crate::schedule::Schedule;
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::tally::{Complaints, Tally, Traffic};
use crate::wire::Frame;

struct Crowd {
    senders: Senders,
    schedule: Schedule,
    tally: Tally,
    traffic: Traffic,
    complaints: Complaints,
    /// How many get each message.
    readers: u64,
}

pub fn run(name: &str, mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    let course = Course::of(&mut arguments)?;
    let people = arguments.count("people", 10)?;
    let senders = arguments.count("senders", people)?.min(people);
    let each = if name == "quiet" {
        20.0
    } else {
        20.0 * senders as f64
    };
    let rate = arguments.take("rate", each)?;
    arguments.finish()?;

    let mut crowd = Crowd {
        senders: Senders::new(senders, Message::Cursor),
        schedule: Schedule::new(0.0, 0, 0, 0),
        tally: Tally::of_messages(people, senders),
        traffic: Traffic::default(),
        complaints: Complaints::default(),
        readers: (people - usize::from(!sockets.protocol.echoes())) as u64,
    };
    let measured = course.run(&mut sockets, people, &mut crowd, |crowd, times| {
        let window = times.window;
        crowd.schedule = Schedule::new(rate, times.start, window.start, window.end);
        crowd.tally.window = window.clone();
        crowd.traffic.window = window;
    })?;
    let Crowd {
        senders,
        schedule,
        tally,
        traffic,
        complaints,
        ..
    } = &crowd;
    let own = json!({
        "people": people,
        "rate": rate,
        "sent_late_ms": schedule.late.to_json(),
    });
    let figures = [senders.figures(), tally.figures(crowd.expected()), own];
    Ok(measured.report(&sockets, traffic, complaints, figures))
}

impl Crowd {
    fn expected(&self) -> u64 {
        self.senders.due() * self.readers
    }
}

impl Listener for Crowd {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        let new = self.tally.frame(connection.index, frame.payload, now);
        self.traffic.frame(new, frame.length, now, false);
        self.complaints.look(frame.payload);
    }

    fn between(&mut self, sockets: &mut Sockets) {
        self.senders.keep(&mut self.schedule, sockets);
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        self.schedule.wait(now)
    }

    fn looks(&self) -> bool {
        self.schedule.is_dense()
    }

    fn is_complete(&self) -> bool {
        self.tally.delivered >= self.expected()
    }
}
