//! Comes back to a room after having missed some messages, one time after the other.

use serde_json::json;

use super::Figures;
use crate::arguments::Arguments;
use crate::connection::Connection;
use crate::course::{joined, usage_json};
use crate::histogram::Histogram;
use crate::protocol::{Door, Kind};
use crate::roomful::said;
use crate::sockets::{Listener, Sockets};
use crate::tally::Complaints;
use crate::wire::{self, Frame};

/// (µs)
const GIVE_UP: u64 = 10_000_000;
const CLOSE_WITHIN: u64 = 2_000_000;
/// What a client says that leaves: code 1000.
const LEAVES: [u8; 2] = 1000_u16.to_be_bytes();

#[derive(Default)]
struct Resume {
    /// The last offset that was seen.
    offset: u64,
    /// The one that the welcome named.
    last: Option<u64>,
    recovered: bool,
    messages: u64,
    bytes: u64,
    /// Offsets that came again or not at all.
    wrong: u64,
    welcomed: u64,
    done: Option<u64>,
    closed: bool,
    complaints: Complaints,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    if sockets.protocol.kind != Kind::Roomful {
        return Err("only rooms are resumed".into());
    }
    let epoch: String = arguments.required("epoch")?;
    let offset: u64 = arguments.required("offset")?;
    let times = arguments.count("times", 20)?;
    arguments.finish()?;

    let (mut welcome, mut whole) = (Histogram::new(), Histogram::new());
    let (mut recovered, mut messages, mut bytes, mut wrong) = (0, 0, 0, 0);
    let mut complaint = None;
    let meter = sockets.meter();
    for time in 0..times {
        let mut resume = Resume {
            offset,
            ..Resume::default()
        };
        let door = Door {
            after: Some((&epoch, offset)),
            ..Door::default()
        };
        let began = sockets.now();
        match time {
            0 => sockets.begin(door)?,
            _ => sockets.begin_again(0, door)?,
        }
        sockets.serve_rest(&mut resume, began + GIVE_UP)?;
        let Some(done) = resume.done else {
            let why = sockets.complaint.or(resume.complaints.first);
            return Err(why.unwrap_or_else(|| "not all came".to_owned()).into());
        };
        welcome.add(resume.welcomed - began);
        whole.add(done - began);
        recovered += u64::from(resume.recovered);
        messages += resume.messages;
        bytes += resume.bytes;
        wrong += resume.wrong;
        complaint = complaint.or(resume.complaints.first.take());

        sockets.connections[0].send_frame(wire::CLOSE, &LEAVES);
        let left = sockets.now();
        while !resume.closed && sockets.now() < left + CLOSE_WITHIN {
            sockets.serve_for(&mut resume, 1_000)?;
        }
        if !resume.closed {
            return Err("the connection did not close".into());
        }
    }
    let usage = meter.stop();
    let figures = json!({
        "times": times,
        "recovered": recovered,
        "not_recovered": times as u64 - recovered,
        "messages": messages as f64 / times as f64,
        "bytes": (bytes as f64 / times as f64).round(),
        "offsets_wrong": wrong,
        "welcome_ms": welcome.to_json(),
        "resume_ms": whole.to_json(),
        "complaint": complaint,
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Listener for Resume {
    fn text(&mut self, _: &mut Connection, frame: &Frame<'_>, now: u64) {
        self.bytes += frame.length as u64;
        self.complaints.look(frame.payload);
        for said in said(frame.payload) {
            let offset = said.number("offset").unwrap_or_default();
            match said.kind() {
                "welcome" => {
                    self.last = Some(offset);
                    self.recovered = said.is_true("recovered");
                    self.welcomed = now;
                }
                "message" | "skip" => {
                    self.messages += 1;
                    self.wrong += u64::from(offset != self.offset + 1);
                    self.offset = offset;
                }
                _ => {}
            }
        }
        // Without recovery nothing follows.
        let all = !self.recovered || self.last.is_some_and(|last| self.offset >= last);
        if self.last.is_some() && all {
            self.done.get_or_insert(now);
        }
    }

    fn closed(&mut self, _: &mut Connection, _: u64) {
        self.closed = true;
    }

    fn is_complete(&self) -> bool {
        self.done.is_some() || self.closed
    }
}
