//! What the room has to say until the next flush, in the order in which it came about.
//!
//! Nearly everything goes to nearly everybody, so an item's text is kept once, and a flush joins the
//! items into one body for each audience. A connection that has something of its own (an ack, a
//! targeted message, a `skip`) gets that body with its own part spliced in at its place: what somebody
//! receives is in the room's order, whoever else receives it (M6).

use std::collections::BTreeMap;
use std::ops::Range;

use super::connection::{Connection, Link};
use crate::protocol::{ConnectionId, Error, server};

/// Who sees an item that is meant for everybody.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who may `subscribe`.
    Subscribers,
    /// Everyone who sees presence.
    Presence,
}

#[derive(Debug)]
enum Kind {
    Shared {
        audience: Audience,
        without: Box<[ConnectionId]>,
    },
    Private {
        to: Box<[ConnectionId]>,
    },
}

#[derive(Debug)]
struct Item {
    kind: Kind,
    text: Range<usize>,
    /// Of a message that the flush must store before it may be sent.
    offset: Option<u64>,
    /// Of an ack: it turns into this message's error if the flush cannot store.
    ack: Option<(Box<str>, u64)>,
}

/// The items of one tick.
#[derive(Debug, Default)]
pub struct Outbox {
    items: Vec<Item>,
    text: String,
    stores: bool,
}

/// One text and the links it goes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    pub to: Vec<Link>,
    pub text: String,
}

/// What a flush sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Texts for WebSockets: one message object, or a JSON array of several.
    pub frames: Vec<Delivery>,
    /// Texts for event streams: one or more complete server-sent events.
    pub events: Vec<Delivery>,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many items there are: the place in order of the next one.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of text.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether the flush has to store something first.
    pub fn stores(&self) -> bool {
        self.stores
    }

    /// Whether something in it is for this connection alone.
    pub fn concerns(&self, connection: ConnectionId) -> bool {
        self.items
            .iter()
            .any(|item| matches!(&item.kind, Kind::Private { to } if to.contains(&connection)))
    }

    /// Adds an item for everybody but `without`; `write` appends its text.
    ///
    /// With an `offset` it is a stored message, and those in `without` get a `skip`.
    pub fn share(
        &mut self,
        audience: Audience,
        offset: Option<u64>,
        without: Box<[ConnectionId]>,
        write: impl FnOnce(&mut String),
    ) {
        let text = self.write(write);
        self.stores |= offset.is_some();
        self.items.push(Item {
            kind: Kind::Shared { audience, without },
            text,
            offset,
            ack: None,
        });
    }

    /// Adds an item for some connections only.
    pub fn tell(&mut self, to: impl Into<Box<[ConnectionId]>>, write: impl FnOnce(&mut String)) {
        let text = self.write(write);
        self.items.push(Item {
            kind: Kind::Private { to: to.into() },
            text,
            offset: None,
            ack: None,
        });
    }

    /// Adds the ack of a message that this flush stores.
    pub fn ack(&mut self, to: ConnectionId, id: &str, offset: u64) {
        let text = self.write(|out| server::ack(out, id, Some(offset)));
        let kind = Kind::Private { to: Box::new([to]) };
        self.items.push(Item {
            kind,
            text,
            offset: None,
            ack: Some((id.into(), offset)),
        });
    }

    fn write(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.text.len();
        write(&mut self.text);
        start..self.text.len()
    }

    /// The texts of the messages to store, oldest first, and who is to skip each.
    pub fn stored(&self) -> impl Iterator<Item = (u64, &str, &[ConnectionId])> {
        self.items.iter().filter_map(|item| match &item.kind {
            Kind::Shared { without, .. } => {
                Some((item.offset?, self.text_of(item), without.as_ref()))
            }
            Kind::Private { .. } => None,
        })
    }

    /// Takes back what could not be stored: the messages vanish, their acks become `error`.
    pub fn revoke(&mut self, error: &Error) {
        let Outbox {
            items,
            text,
            stores,
        } = self;
        *stores = false;
        items.retain(|item| item.offset.is_none());
        for item in items {
            if let Some((id, _)) = item.ack.take() {
                let start = text.len();
                text.push_str(&error.clone().with_id(id).to_frame());
                item.text = start..text.len();
            }
        }
    }

    fn text_of(&self, item: &Item) -> &str {
        self.text.get(item.text.clone()).unwrap_or_default()
    }

    /// Joins the items into frames and events for the connections that are there, and empties the outbox.
    pub fn deliver<'a>(
        &mut self,
        connections: impl Iterator<Item = (Link, &'a Connection)>,
        epoch: &str,
    ) -> Deliveries {
        let mut deliveries = Deliveries::default();
        let own = self.own_parts();
        let mut bodies: BTreeMap<Audiences, (Body, Vec<Link>)> = BTreeMap::new();
        for (link, connection) in connections {
            let audiences = Audiences::of(connection);
            let parts = own.get(&connection.id);
            if connection.since > 0 || (parts.is_some() && !audiences.frames) {
                if let Some(text) = self.body_for(connection, audiences, epoch) {
                    deliveries.push(
                        audiences,
                        Delivery {
                            to: vec![link],
                            text,
                        },
                    );
                }
                continue;
            }
            let (body, links) = bodies
                .entry(audiences)
                .or_insert_with(|| (self.shared_body(audiences, epoch), Vec::new()));
            match parts {
                None => links.push(link),
                Some(parts) => {
                    if let Some(text) = self.spliced(body, parts) {
                        deliveries.push(
                            audiences,
                            Delivery {
                                to: vec![link],
                                text,
                            },
                        );
                    }
                }
            }
        }
        for (audiences, (body, to)) in bodies {
            if let (false, Some(text)) = (to.is_empty(), body.finish(audiences.frames)) {
                deliveries.push(audiences, Delivery { to, text });
            }
        }
        self.items.clear();
        self.text.clear();
        self.stores = false;
        deliveries
    }

    /// For each connection that differs from its audience: the items that make the difference.
    fn own_parts(&self) -> BTreeMap<ConnectionId, Vec<usize>> {
        let mut own: BTreeMap<ConnectionId, Vec<usize>> = BTreeMap::new();
        for (place, item) in self.items.iter().enumerate() {
            let (Kind::Private { to: ids } | Kind::Shared { without: ids, .. }) = &item.kind;
            for id in ids {
                let places = own.entry(*id).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        own
    }

    /// What an audience sees: the shared items.
    fn shared_body(&self, audiences: Audiences, epoch: &str) -> Body {
        let mut body = Body::default();
        for item in &self.items {
            body.starts.push(body.text.len());
            if let Kind::Shared { audience, .. } = &item.kind
                && audiences.include(*audience)
            {
                body.push(self.text_of(item), item.offset, audiences.frames, epoch);
            }
        }
        body.starts.push(body.text.len());
        body
    }

    /// A frame for a connection with parts of its own: copies the shared body up to each, and puts the part in.
    fn spliced(&self, body: &Body, parts: &[usize]) -> Option<String> {
        let mut own = Body {
            text: String::with_capacity(body.text.len().saturating_add(256)),
            ..Body::default()
        };
        own.count = body.count;
        let mut copied = 0_usize;
        for &place in parts {
            let (start, end) = (
                body.starts.get(place).copied()?,
                body.starts.get(place.checked_add(1)?).copied()?,
            );
            own.text.push_str(body.text.get(copied..start)?);
            copied = end;
            let item = self.items.get(place)?;
            match (&item.kind, item.offset) {
                (Kind::Private { .. }, _) => own.push(self.text_of(item), None, true, ""),
                // It was not in this audience's body at all, so there is nothing to skip.
                (Kind::Shared { .. }, _) if start == end => {}
                (Kind::Shared { .. }, Some(offset)) => {
                    own.push_replacing(|out| server::skip(out, offset))
                }
                (Kind::Shared { .. }, None) => own.count = own.count.saturating_sub(1),
            }
        }
        own.text.push_str(body.text.get(copied..)?);
        own.finish(true)
    }

    /// The general case, item by item: for a connection that arrived during the tick, and for streams of their own.
    ///
    /// One that arrived gets every message to be stored, even an older one, since its `welcome` told the offset
    /// before them; of the rest only what came after it, since its `welcome` already told the outcome.
    fn body_for(
        &self,
        connection: &Connection,
        audiences: Audiences,
        epoch: &str,
    ) -> Option<String> {
        let mut body = Body::default();
        for (place, item) in self.items.iter().enumerate() {
            match &item.kind {
                Kind::Private { to } if to.contains(&connection.id) => {
                    body.push(self.text_of(item), None, audiences.frames, epoch);
                }
                Kind::Shared { audience, without } if audiences.include(*audience) => {
                    if place < connection.since && item.offset.is_none() {
                        continue;
                    }
                    if !without.contains(&connection.id) {
                        body.push(self.text_of(item), item.offset, audiences.frames, epoch);
                    } else if let Some(offset) = item.offset {
                        let mut skip = String::new();
                        server::skip(&mut skip, offset);
                        body.push(&skip, Some(offset), audiences.frames, epoch);
                    }
                }
                Kind::Private { .. } | Kind::Shared { .. } => {}
            }
        }
        body.finish(audiences.frames)
    }
}

impl Deliveries {
    fn push(&mut self, audiences: Audiences, delivery: Delivery) {
        if audiences.frames {
            self.frames.push(delivery)
        } else {
            self.events.push(delivery)
        }
    }

    /// How many sends it takes.
    pub fn count(&self) -> usize {
        self.frames
            .iter()
            .chain(&self.events)
            .map(|delivery| delivery.to.len())
            .sum()
    }
}

/// What a connection sees, and in which form: connections that agree in it share a body.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Audiences {
    /// JSON frames for a WebSocket; otherwise server-sent events.
    frames: bool,
    subscribers: bool,
    presence: bool,
}

impl Audiences {
    fn of(connection: &Connection) -> Audiences {
        Audiences {
            frames: !connection.kind.is_stream(),
            subscribers: connection.subscribes(),
            presence: connection.sees_presence(),
        }
    }

    fn include(self, audience: Audience) -> bool {
        match audience {
            Audience::Subscribers => self.subscribers,
            Audience::Presence => self.presence,
        }
    }
}

/// Text under construction. In frames every item ends in a comma until the end, so that items can be cut and
/// spliced without looking at their neighbours.
#[derive(Debug, Default)]
struct Body {
    text: String,
    /// Where each item begins, whether it is in the body or not, and the end.
    starts: Vec<usize>,
    count: usize,
}

impl Body {
    fn push(&mut self, text: &str, offset: Option<u64>, frames: bool, epoch: &str) {
        self.count = self.count.saturating_add(1);
        if frames {
            self.text.push_str(text);
            self.text.push(',');
        } else {
            event(&mut self.text, text, offset, epoch);
        }
    }

    /// Writes in place of an item that was counted already.
    fn push_replacing(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.text.push(',');
    }

    /// The text to send; `None` if there is nothing in it.
    fn finish(mut self, frames: bool) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        if frames {
            self.text.pop();
            if self.count > 1 {
                self.text.insert(0, '[');
                self.text.push(']');
            }
        }
        Some(self.text)
    }
}

/// Writes one server-sent event (H7): only stored messages move a client's `Last-Event-ID`.
pub fn event(out: &mut String, text: &str, offset: Option<u64>, epoch: &str) {
    use std::fmt::Write as _;
    if let Some(offset) = offset {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "id: {epoch}/{offset}");
    }
    out.push_str("data: ");
    out.push_str(text);
    out.push_str("\n\n");
}
