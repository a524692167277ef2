//! Cursors as presence states: of each sender only the last state counts, so what matters is how
//! old the state is that one sees.

use std::ops::Range;
use std::time::Duration;

use memchr::memchr_iter;
use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::Course;
use crate::histogram::Histogram;
use crate::message::Message;
use crate::protocol::Kind;
use crate::schedule::Schedule;
use crate::senders::Senders;
use crate::sockets::{Listener, Sockets};
use crate::stamp::{self, Stamp};
use crate::tally::{Complaints, Traffic};
use crate::wire::Frame;

struct States {
    senders: Senders,
    schedule: Schedule,
    views: Views,
    traffic: Traffic,
    complaints: Complaints,
}

/// What each receiver sees of each sender.
struct Views {
    senders: usize,
    /// Number and due time of the state that is shown.
    shown: Vec<(u32, u64)>,
    arrived: u64,
    /// Arrivals of the state that is shown already …
    doubled: u64,
    /// … and of an older one.
    reordered: u64,
    window: Range<u64>,
    /// The age of each state when it arrived.
    age: Histogram,
    /// The age of what was shown when it was replaced.
    oldest: Histogram,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    if sockets.protocol.kind != Kind::Roomful {
        return Err("only rooms have presence states".into());
    }
    let course = Course::of(&mut arguments)?;
    let people = arguments.count("people", 10)?;
    let senders = arguments.count("senders", people)?.min(people);
    let rate = arguments.take("rate", 20.0 * senders as f64)?;
    arguments.finish()?;

    let mut states = States {
        senders: Senders::new(senders, Message::State),
        schedule: Schedule::new(0.0, 0, 0, 0),
        views: Views::new(people, senders),
        traffic: Traffic::default(),
        complaints: Complaints::default(),
    };
    let measured = course.run(&mut sockets, people, &mut states, |states, times| {
        let window = times.window;
        states.schedule = Schedule::new(rate, times.start, window.start, window.end);
        states.views.window = window.clone();
        states.traffic.window = window;
    })?;
    let States {
        senders,
        schedule,
        views,
        traffic,
        complaints,
    } = &states;
    let stale = states.stale();
    let own = json!({
        "people": people,
        "rate": rate,
        "expected": senders.due() * people as u64,
        "delivered": views.arrived,
        // States that others replaced on their way are not.
        "lost": stale,
        "stale": stale,
        "doubled": views.doubled,
        "reordered": views.reordered,
        "latency_ms": views.age.to_json(),
        "age_ms": views.age.to_json(),
        "oldest_ms": views.oldest.to_json(),
        "sent_late_ms": schedule.late.to_json(),
    });
    let figures = [senders.figures(), own];
    Ok(measured.report(&sockets, traffic, complaints, figures))
}

impl States {
    /// How many pairs do not have what is last.
    fn stale(&self) -> u64 {
        let lasts = (0..self.senders.count()).map(|sender| self.senders.last(sender));
        self.views.stale(&lasts.collect::<Vec<_>>())
    }
}

impl Views {
    fn new(receivers: usize, senders: usize) -> Views {
        Views {
            senders,
            shown: vec![(0, 0); receivers * senders],
            arrived: 0,
            doubled: 0,
            reordered: 0,
            window: 0..0,
            age: Histogram::new(),
            oldest: Histogram::new(),
        }
    }

    /// Returns how many states are new.
    fn frame(&mut self, receiver: usize, payload: &[u8], now: u64) -> u64 {
        let before = self.arrived;
        for place in memchr_iter(stamp::MESSAGE, payload) {
            if let Some(stamp) = Stamp::read(&payload[place..]) {
                self.show(receiver, stamp, now);
            }
        }
        self.arrived - before
    }

    fn show(&mut self, receiver: usize, stamp: Stamp, now: u64) {
        let sender = stamp.sender as usize;
        if sender >= self.senders {
            return;
        }
        let (number, due) = &mut self.shown[receiver * self.senders + sender];
        if stamp.number <= *number {
            if stamp.number == *number {
                self.doubled += 1;
            } else {
                self.reordered += 1;
            }
            return;
        }
        self.arrived += 1;
        if self.window.contains(&now) && *number > 0 {
            self.oldest.add(now.saturating_sub(*due));
        }
        if self.window.contains(&stamp.due) {
            self.age.add(now.saturating_sub(stamp.due));
        }
        (*number, *due) = (stamp.number, stamp.due);
    }

    fn stale(&self, lasts: &[u32]) -> u64 {
        let views = self.shown.chunks_exact(self.senders);
        let behind = |view: &[(u32, u64)]| {
            let pairs = view.iter().zip(lasts);
            pairs.filter(|((number, _), last)| number != *last).count() as u64
        };
        views.map(behind).sum()
    }
}

impl Listener for States {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        let new = self.views.frame(connection.index, frame.payload, now);
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
        self.stale() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stamps: &[(u32, u64)]) -> Vec<u8> {
        let mut text = Vec::new();
        for &(number, due) in stamps {
            let stamp = Stamp {
                sender: 0,
                number,
                due,
            };
            stamp.write(stamp::MESSAGE, &mut text);
        }
        text
    }

    #[test]
    fn what_was_replaced_on_its_way_is_not_missing() {
        let mut views = Views::new(2, 1);
        views.window = 0..1_000;
        assert_eq!(views.frame(0, &frame(&[(1, 100)]), 150), 1);
        assert_eq!(
            views.frame(0, &frame(&[(4, 400), (4, 400), (3, 300)]), 450),
            1
        );
        assert_eq!((views.doubled, views.reordered), (1, 1));
        assert_eq!((views.age.count(), views.oldest.count()), (2, 1));
        // The second receiver has none.
        assert_eq!(views.stale(&[4]), 1);
        assert_eq!(views.stale(&[5]), 2);
    }
}
