//! Many people come at once, and each shall know who is there.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::{joined, usage_json};
use crate::cpu::rounded;
use crate::protocol::{Door, Kind};
use crate::roomful::{Said, said};
use crate::schedule::Schedule;
use crate::sockets::{Listener, Sockets};
use crate::tally::Complaints;
use crate::wire::Frame;

const GIVE_UP: u64 = 60_000_000;
/// What is still said once all is known is part of what it takes.
const AFTERMATH: u64 = 1_000_000;

struct Arrivals {
    schedule: Schedule,
    expected: usize,
    people: Vec<Person>,
    /// Every connection id that was heard of has a number.
    numbers: HashMap<String, usize>,
    /// How many know of everybody.
    complete: usize,
    bytes: u64,
    complaints: Complaints,
    failed: Option<String>,
}

#[derive(Default)]
struct Person {
    /// Its own connection.
    own: Option<usize>,
    list: List,
    /// In a crowd, which has no lists: how many are there.
    counted: Option<u64>,
    complete_at: Option<u64>,
}

/// Members, by their numbers.
#[derive(Clone, Default)]
struct List {
    bits: Vec<u64>,
    count: usize,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    if sockets.protocol.kind != Kind::Roomful {
        return Err("only rooms tell who is there".into());
    }
    let people = arguments.count("people", 100)?;
    let within = arguments.seconds("within", 2.0)?.max(1);
    arguments.finish()?;

    let start = sockets.now();
    let rate = people as f64 * 1e6 / within as f64;
    let mut arrivals = Arrivals {
        schedule: Schedule::new(rate, start, start, start + within),
        expected: people,
        people: Vec::new(),
        numbers: HashMap::new(),
        complete: 0,
        bytes: 0,
        complaints: Complaints::default(),
        failed: None,
    };
    arrivals.people.resize_with(people, Person::default);
    let meter = sockets.meter();
    sockets.serve_rest(&mut arrivals, start + within + GIVE_UP)?;
    let usage = meter.stop();
    sockets.serve_for(&mut arrivals, AFTERMATH)?;
    if let Some(reason) = arrivals.failed {
        return Err(reason.into());
    }

    let incomplete = arrivals.incomplete();
    let last = arrivals
        .people
        .iter()
        .filter_map(|person| person.complete_at)
        .max();
    let crowded = arrivals
        .people
        .iter()
        .any(|person| person.counted.is_some());
    let figures = json!({
        "people": people,
        "within_s": within as f64 / 1e6,
        "mode": if crowded { "occupancy" } else { "members" },
        "complete_ms": last.filter(|_| incomplete == 0).map(|at| (at - start) as f64 / 1e3),
        "connected": sockets.open,
        "incomplete": incomplete,
        "connect_ms": sockets.connect.to_json(),
        "bytes": arrivals.bytes,
        "bytes_per_person": rounded(arrivals.bytes as f64 / people as f64),
        "sent_late_ms": arrivals.schedule.late.to_json(),
        "complaint": sockets.complaint.as_ref().or(arrivals.complaints.first.as_ref()),
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Arrivals {
    fn hear(&mut self, index: usize, said: Said<'_>) {
        match said.kind() {
            "welcome" => {
                let own = said.text("connection").map(|id| self.number(id));
                self.people[index].own = own;
                if said.has("members") {
                    self.replace(index, said);
                } else {
                    self.people[index].counted = said.number("connections");
                }
            }
            "members" => self.replace(index, said),
            "occupancy" => self.people[index].counted = said.number("connections"),
            "join" => {
                for id in said.members() {
                    let number = self.number(id);
                    self.people[index].list.insert(number);
                }
            }
            "leave" => {
                if let Some(number) = said.text("connection").map(|id| self.number(id)) {
                    self.people[index].list.remove(number);
                }
            }
            _ => {}
        }
    }

    fn replace(&mut self, index: usize, said: Said<'_>) {
        let mut list = List::default();
        for id in said.members() {
            list.insert(self.number(id));
        }
        self.people[index].list = list;
        self.people[index].counted = None;
    }

    fn number(&mut self, id: &str) -> usize {
        if let Some(&number) = self.numbers.get(id) {
            return number;
        }
        let number = self.numbers.len();
        self.numbers.insert(id.to_owned(), number);
        number
    }

    /// How many do not know exactly who is there.
    fn incomplete(&self) -> usize {
        let mut all = List::default();
        self.people
            .iter()
            .filter_map(|person| person.own)
            .for_each(|number| all.insert(number));
        let knows = |person: &&Person| match person.counted {
            Some(count) => count == self.expected as u64,
            None => all.count == self.expected && person.list.is(&all),
        };
        self.expected - self.people.iter().filter(knows).count()
    }
}

impl List {
    fn insert(&mut self, number: usize) {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.count += usize::from(self.bits[word] & bit == 0);
        self.bits[word] |= bit;
    }

    fn remove(&mut self, number: usize) {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if let Some(bits) = self.bits.get_mut(word) {
            self.count -= usize::from(*bits & bit != 0);
            *bits &= !bit;
        }
    }

    fn is(&self, other: &List) -> bool {
        let words = self.bits.len().min(other.bits.len());
        self.count == other.count && self.bits[..words] == other.bits[..words]
    }
}

impl Listener for Arrivals {
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64) {
        let index = connection.index;
        self.bytes += frame.length as u64;
        for said in said(frame.payload) {
            self.hear(index, said);
        }
        self.complaints.look(frame.payload);
        let expected = self.expected;
        let person = &mut self.people[index];
        let complete = match person.counted {
            Some(count) => count == expected as u64,
            None => person.list.count == expected,
        };
        match (complete, person.complete_at) {
            (true, None) => {
                person.complete_at = Some(now);
                self.complete += 1;
            }
            (false, Some(_)) => {
                person.complete_at = None;
                self.complete -= 1;
            }
            _ => {}
        }
    }

    fn between(&mut self, sockets: &mut Sockets) {
        while let Some((number, _)) = self.schedule.take(sockets.now()) {
            if let Err(error) = sockets.begin(Door::of_user(number as usize)) {
                self.failed.get_or_insert_with(|| error.to_string());
                return;
            }
        }
    }

    fn wait(&self, now: u64) -> Option<Duration> {
        self.schedule.wait(now)
    }

    fn is_complete(&self) -> bool {
        self.complete == self.expected || self.failed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_equal_if_they_hold_the_same() {
        let mut some = List::default();
        [1, 70, 200, 70]
            .into_iter()
            .for_each(|number| some.insert(number));
        let mut others = List::default();
        [70, 1].into_iter().for_each(|number| others.insert(number));
        assert_eq!(some.count, 3);
        assert!(!some.is(&others));
        some.remove(200);
        some.remove(5_000);
        assert!(some.is(&others) && others.is(&some));
    }
}
