//! Who gets what of the outbox, joined into one frame for each.
//!
//! Nearly everything goes to nearly everybody, so a flush joins the items into one body for each
//! kind of audience. A connection that has something of its own (an ack, a targeted message, a
//! `skip`) gets that body with its own part spliced in at its place: what somebody receives is in
//! the room's order, whoever else receives it (M6).

use std::collections::BTreeMap;

use super::body::Body;
use super::connection::{Connection, Link};
use super::outbox::{Audience, Heir, Item, Outbox, To};
use crate::map::Map;
use crate::protocol::{ConnectionId, server};

/// One text and the links it goes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The links, each once.
    pub to: Vec<Link>,
    /// The text.
    pub text: String,
}

impl Delivery {
    /// Bytes of text, for each of the links.
    pub fn bytes(&self) -> usize {
        self.text.len().saturating_mul(self.to.len())
    }
}

/// What a flush sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Texts for WebSockets: one message object, or a JSON array of several.
    pub frames: Vec<Delivery>,
    /// Texts for event streams: one or more complete server-sent events.
    pub events: Vec<Delivery>,
    /// How many message objects are in them, for each link.
    pub messages: usize,
}

impl Deliveries {
    fn push(&mut self, audiences: Audiences, to: Vec<Link>, (text, count): (String, usize)) {
        let messages = count.saturating_mul(to.len());
        self.messages = self.messages.saturating_add(messages);
        let delivery = Delivery { to, text };
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

impl Outbox {
    /// Joins the items into frames and events for the connections that are there, and empties the
    /// outbox.
    ///
    /// What is for single connections costs nothing for the others: to go through 10,000 of them takes as
    /// long as five sends, and somebody who only listens can have a hundred errors a second.
    pub fn deliver(
        &mut self,
        connections: &BTreeMap<Link, Connection>,
        links: &Map<ConnectionId, Link>,
        epoch: &str,
    ) -> Deliveries {
        let mut deliveries = Deliveries::default();
        let own = self.own_places();
        let mut all = connections
            .iter()
            .map(|(link, connection)| (*link, connection));
        let mut concerned = own.keys().filter_map(|id| {
            let link = links.get(id)?;
            Some((*link, connections.get(link)?))
        });
        let connections: &mut dyn Iterator<Item = (Link, &Connection)> = if self.shares() {
            &mut all
        } else {
            &mut concerned
        };
        // A handful at most: looking through them is cheaper than a hash.
        let mut bodies: Vec<(Audiences, Body, Vec<Link>)> = Vec::new();
        for (link, connection) in connections {
            let audiences = Audiences::of(connection);
            let places = own.get(&connection.id);
            let text = if connection.since > 0 || (places.is_some() && !audiences.frames) {
                self.item_by_item(connection, audiences, epoch)
            } else {
                let known = bodies.iter().position(|(other, ..)| *other == audiences);
                let place = known.unwrap_or_else(|| {
                    bodies.push((audiences, self.shared_body(audiences, epoch), Vec::new()));
                    bodies.len().saturating_sub(1)
                });
                let Some((_, body, links)) = bodies.get_mut(place) else {
                    continue;
                };
                match places {
                    Some(places) => self.spliced(body, places),
                    None => {
                        links.push(link);
                        None
                    }
                }
            };
            if let Some(text) = text {
                deliveries.push(audiences, vec![link], text);
            }
        }
        for (audiences, body, to) in bodies {
            if let (false, Some(text)) = (to.is_empty(), body.finish(audiences.frames)) {
                deliveries.push(audiences, to, text);
            }
        }
        self.clear();
        deliveries
    }

    /// For each connection that differs from its audience: the places of the items that make the
    /// difference.
    fn own_places(&self) -> Map<ConnectionId, Vec<usize>> {
        let mut own: Map<ConnectionId, Vec<usize>> = Map::default();
        for (place, item) in self.items().iter().enumerate() {
            let (To::Only(ids) | To::Everyone { without: ids, .. }) = &item.to;
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
        let mut body = Body::begin(audiences.frames, self.capacity());
        body.starts.reserve(self.len().saturating_add(1));
        for item in self.items() {
            body.starts.push(body.text.len());
            if audiences.include(item) {
                body.push(self.text(item), item.needs, audiences.frames, epoch);
            }
        }
        body.starts.push(body.text.len());
        body
    }

    /// Room for all items, commas and brackets.
    fn capacity(&self) -> usize {
        self.bytes().saturating_add(self.len()).saturating_add(2)
    }

    /// A frame for a connection with parts of its own: copies the shared body up to each, and puts
    /// the part in.
    fn spliced(&self, body: &Body, places: &[usize]) -> Option<(String, usize)> {
        let parts = places.iter().filter_map(|place| self.items().get(*place));
        let parts: usize = parts
            .map(|item| self.text(item).len().saturating_add(1))
            .sum();
        let mut own = Body {
            text: String::with_capacity(body.text.len().saturating_add(parts).saturating_add(2)),
            ..Body::default()
        };
        own.count = body.count;
        let mut copied = 0_usize;
        for &place in places {
            let start = body.starts.get(place).copied()?;
            let end = body.starts.get(place.checked_add(1)?).copied()?;
            own.text.push_str(body.text.get(copied..start)?);
            copied = end;
            let item = self.items().get(place)?;
            match (&item.to, item.needs) {
                (To::Only(_), _) => own.push(self.text(item), None, true, ""),
                // It was not in this audience's body at all, so there is nothing to skip.
                (To::Everyone { .. }, _) if start == end => {}
                (To::Everyone { .. }, Some(offset)) => {
                    server::skip(&mut own.text, offset);
                    own.text.push(',');
                }
                (To::Everyone { .. }, None) => own.count = own.count.saturating_sub(1),
            }
        }
        own.text.push_str(body.text.get(copied..)?);
        own.finish(true)
    }

    /// The general case: for a connection that arrived during the tick, and for streams with parts
    /// of their own.
    ///
    /// One that arrived gets every message to be stored, even an older one, since its `welcome`
    /// told the offset before them; of the rest only what came after it, since its `welcome`
    /// already told the outcome. What is for it alone (acks, private messages) it gets in any case,
    /// since its session's earlier socket did not.
    fn item_by_item(
        &self,
        connection: &Connection,
        audiences: Audiences,
        epoch: &str,
    ) -> Option<(String, usize)> {
        let mut body = Body::begin(audiences.frames, 0);
        for (place, item) in self.items().iter().enumerate() {
            match &item.to {
                To::Only(ids) if ids.contains(&connection.id) => {
                    let inherits = match item.heir {
                        Heir::Any => true,
                        Heir::Subscriber => connection.subscribes(),
                        Heir::None => false,
                    };
                    if place < connection.since && !inherits {
                        continue;
                    }
                    body.push(self.text(item), None, audiences.frames, epoch);
                }
                To::Everyone { without, .. } if audiences.include(item) => {
                    if place < connection.since && item.needs.is_none() {
                        continue;
                    }
                    if !without.contains(&connection.id) {
                        body.push(self.text(item), item.needs, audiences.frames, epoch);
                    } else if let Some(offset) = item.needs {
                        let mut skip = String::new();
                        server::skip(&mut skip, offset);
                        body.push(&skip, Some(offset), audiences.frames, epoch);
                    }
                }
                To::Only(_) | To::Everyone { .. } => {}
            }
        }
        body.finish(audiences.frames)
    }
}

/// What a connection sees, and in which form: connections that agree in it share a body.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
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

    fn include(self, item: &Item) -> bool {
        match &item.to {
            To::Everyone {
                audience: Audience::Subscribers,
                ..
            } => self.subscribers,
            To::Everyone {
                audience: Audience::Presence,
                ..
            } => self.presence,
            To::Only(_) => false,
        }
    }
}
