//! Pages back through what a room has kept, from its end to its beginning and again.

use memchr::memmem;
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
use crate::wire::Frame;

/// (µs)
const GIVE_UP: u64 = 10_000_000;

#[derive(Default)]
struct Page {
    asked: bool,
    came: Option<u64>,
    messages: u64,
    bytes: u64,
    first: Option<u64>,
    /// Whether offsets follow one another.
    dense: bool,
    more: bool,
    complaints: Complaints,
}

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    if sockets.protocol.kind != Kind::Roomful {
        return Err("only rooms have a history".into());
    }
    let times = arguments.count("times", 100)?;
    let limit = arguments.count("limit", 500)?;
    arguments.finish()?;

    sockets.gather(1, &mut Page::default(), Door::of_user)?;
    let mut pages = Histogram::new();
    let (mut messages, mut bytes, mut ends, mut wrong) = (0, 0, 0, 0);
    let mut before = None;
    let meter = sockets.meter();
    for _ in 0..times {
        let mut page = Page {
            asked: true,
            ..Page::default()
        };
        let from = before.map(|offset| format!(r#","before":{offset}"#));
        let from = from.unwrap_or_default();
        let text = format!(r#"{{"type":"history","id":"page","limit":{limit}{from}}}"#);
        let began = sockets.now();
        sockets.connections[0].send(text.as_bytes());
        sockets.serve_rest(&mut page, began + GIVE_UP)?;
        let Some(came) = page.came else {
            let why = sockets.complaint.or(page.complaints.first);
            return Err(why
                .unwrap_or_else(|| "a page did not come".to_owned())
                .into());
        };
        pages.add(came - began);
        messages += page.messages;
        bytes += page.bytes;
        wrong += u64::from(!page.dense);
        before = page.first.filter(|_| page.more);
        ends += u64::from(before.is_none());
    }
    let usage = meter.stop();
    let figures = json!({
        "pages": times,
        "messages": messages,
        "bytes": bytes,
        // How often it came to the beginning.
        "beginnings": ends,
        "pages_wrong": wrong,
        "page_ms": pages.to_json(),
    });
    Ok(joined([figures, usage_json(&usage)]))
}

impl Listener for Page {
    fn text(&mut self, _: &mut Connection, frame: &Frame<'_>, now: u64) {
        if !self.asked {
            return;
        }
        let reply = said(frame.payload).any(|said| said.kind() == "history");
        if !reply {
            self.complaints.look(frame.payload);
            return;
        }
        self.came = Some(now);
        self.bytes = frame.length as u64;
        self.more = memmem::find(frame.payload, br#""more":true"#).is_some();
        self.dense = true;
        let mut last = None;
        for said in said(frame.payload).filter(|said| said.kind() == "message") {
            let offset = said.number("offset");
            self.messages += 1;
            self.first = self.first.or(offset);
            self.dense &= last.is_none() || last.map(|last| last + 1) == offset;
            last = offset;
        }
    }

    fn is_complete(&self) -> bool {
        self.came.is_some() || self.complaints.first.is_some()
    }
}
