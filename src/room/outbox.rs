//! What the room has to say until the next flush, in the order in which it came about.
//!
//! An item's text is kept once, whoever gets it; `delivery` turns the items into frames.

use std::ops::Range;

use crate::protocol::{ConnectionId, Error, server};

/// Who sees an item that is meant for everybody.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who may `subscribe`.
    Subscribers,
    /// Everyone who sees presence.
    Presence,
}

/// For whom an item is.
#[derive(Debug)]
pub enum To {
    /// An audience, but for these.
    Everyone {
        audience: Audience,
        without: Box<[ConnectionId]>,
    },
    /// These alone.
    Only(Box<[ConnectionId]>),
}

/// Which socket inherits an item for one connection from an older one of its session.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Heir {
    /// Any: acks, errors.
    Any,
    /// One that may `subscribe`: private messages.
    Subscriber,
    /// None, since it is about the older one: its rights, the members it saw.
    None,
}

/// One message object.
#[derive(Debug)]
pub struct Item {
    pub to: To,
    text: Range<usize>,
    /// The message that must be stored before this may be sent: itself, or the one that it
    /// acknowledges.
    pub needs: Option<u64>,
    /// What it is to the next socket of its session, should that take over before the flush.
    pub heir: Heir,
    /// Who is told, and under which publish id, if that cannot be stored.
    sender: Option<(ConnectionId, Option<Box<str>>)>,
}

/// The items of one tick.
#[derive(Debug, Default)]
pub struct Outbox {
    items: Vec<Item>,
    text: String,
    stores: bool,
    /// Whether it holds anything for everybody.
    shares: bool,
    /// Whether it holds anything but who came and who left.
    says: bool,
    /// How often something is for one connection or not for it: each may need a copy of everything.
    own: usize,
}

impl Outbox {
    /// Whether there is nothing in it.
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

    /// How many bytes a flush may have to copy, if so many connections have arrived since the last:
    /// who gets something of its own gets a text of its own.
    pub fn copies(&self, arrived: usize) -> usize {
        self.bytes()
            .saturating_mul(self.own.saturating_add(arrived))
    }

    /// Whether the flush has to store something first.
    pub fn stores(&self) -> bool {
        self.stores
    }

    /// Whether it holds anything for everybody.
    pub fn shares(&self) -> bool {
        self.shares
    }

    /// Whether it holds anything but who came and who left.
    pub fn says(&self) -> bool {
        self.says
    }

    /// The items in order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// An item's text.
    pub fn text(&self, item: &Item) -> &str {
        self.text.get(item.text.clone()).unwrap_or_default()
    }

    /// Whether something in it is for this connection alone.
    pub fn concerns(&self, connection: ConnectionId) -> bool {
        let mut own = self.items.iter().filter_map(|item| match &item.to {
            To::Only(ids) => Some(ids),
            To::Everyone { .. } => None,
        });
        own.any(|ids| ids.contains(&connection))
    }

    /// Adds an item for everybody but `without`; `write` appends its text.
    pub fn share(
        &mut self,
        audience: Audience,
        without: Box<[ConnectionId]>,
        write: impl FnOnce(&mut String),
    ) {
        self.push(To::Everyone { audience, without }, write);
    }

    /// Adds that somebody came or left, which the others may learn a little later than what is said.
    pub fn roster(&mut self, about: ConnectionId, write: impl FnOnce(&mut String)) {
        let says = self.says;
        self.share(Audience::Presence, Box::new([about]), write);
        self.says = says;
    }

    /// Adds an item for some connections only, or the next sockets of their sessions.
    pub fn tell(&mut self, to: impl Into<Box<[ConnectionId]>>, write: impl FnOnce(&mut String)) {
        self.push(To::Only(to.into()), write);
    }

    /// Adds an item for one connection and its present socket only.
    pub fn answer(&mut self, to: ConnectionId, write: impl FnOnce(&mut String)) {
        self.tell([to], write);
        if let Some(item) = self.items.last_mut() {
            item.heir = Heir::None;
        }
    }

    /// Adds a private message.
    pub fn whisper(&mut self, to: Box<[ConnectionId]>, write: impl FnOnce(&mut String)) {
        self.tell(to, write);
        if let Some(item) = self.items.last_mut() {
            item.heir = Heir::Subscriber;
        }
    }

    /// Adds a message that the flush stores. Those in `without` get a `skip` in its place. If it
    /// cannot be stored, `sender` gets an error, unless an [ack](Outbox::ack) will turn into one.
    pub fn store(
        &mut self,
        offset: u64,
        without: Box<[ConnectionId]>,
        sender: Option<ConnectionId>,
        write: impl FnOnce(&mut String),
    ) {
        self.push(
            To::Everyone {
                audience: Audience::Subscribers,
                without,
            },
            write,
        );
        self.stores = true;
        if let Some(item) = self.items.last_mut() {
            item.needs = Some(offset);
            item.sender = sender.map(|sender| (sender, None));
        }
    }

    /// Adds the ack of a message that this flush stores.
    pub fn ack(&mut self, to: ConnectionId, id: &str, offset: u64) {
        self.push(To::Only([to].into()), |out| {
            server::ack(out, id, Some(offset))
        });
        if let Some(item) = self.items.last_mut() {
            item.needs = Some(offset);
            item.sender = Some((to, Some(id.into())));
        }
    }

    fn push(&mut self, to: To, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        let text = start..self.text.len();
        let (To::Only(own) | To::Everyone { without: own, .. }) = &to;
        self.own = self.own.saturating_add(own.len());
        self.says = true;
        self.shares |= matches!(to, To::Everyone { .. });
        self.items.push(Item {
            to,
            text,
            needs: None,
            heir: Heir::Any,
            sender: None,
        });
    }

    /// The texts of the messages to store, oldest first, and who is to skip each.
    pub fn stored(&self) -> impl Iterator<Item = (u64, &str, &[ConnectionId])> {
        self.items.iter().filter_map(|item| match &item.to {
            To::Everyone { without, .. } => Some((item.needs?, self.text(item), without.as_ref())),
            To::Only(_) => None,
        })
    }

    /// Takes back what needs messages after `offset`, since they could not be stored; their senders
    /// get `error`. Every item keeps its place. Returns how many messages that were.
    pub fn revoke(&mut self, offset: u64, error: &Error) -> u64 {
        let Outbox { items, text, .. } = self;
        let mut messages = 0_u64;
        for item in items {
            if item.needs.is_none_or(|needs| needs <= offset) {
                continue;
            }
            item.needs = None;
            if matches!(item.to, To::Everyone { .. }) {
                messages = messages.saturating_add(1);
            }
            let start = text.len();
            let to = item.sender.take().map(|(sender, id)| {
                let error = match id {
                    Some(id) => error.clone().with_id(id),
                    None => error.clone(),
                };
                text.push_str(&error.to_frame());
                sender
            });
            item.text = start..text.len();
            item.to = To::Only(to.into_iter().collect());
        }
        messages
    }

    /// Empties the outbox.
    pub fn clear(&mut self) {
        self.items.clear();
        self.text.clear();
        self.stores = false;
        (self.shares, self.says) = (false, false);
        self.own = 0;
    }
}
