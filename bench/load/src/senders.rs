//! Those who publish: mostly the first so many connections.

use serde_json::{Value, json};

use crate::message::Message;
use crate::protocol::Protocol;
use crate::schedule::Schedule;
use crate::sockets::Sockets;
use crate::stamp::Stamp;

/// Messages sent before the sockets are looked at again, when it is behind.
const AT_ONCE: usize = 64;

pub struct Senders {
    message: Message,
    /// How many messages each has published.
    published: Vec<u32>,
    /// What was due while its sender was not there: it counts as lost.
    pub unsent: u64,
    text: Vec<u8>,
}

impl Senders {
    pub fn new(count: usize, message: Message) -> Senders {
        Senders {
            message,
            published: vec![0; count],
            unsent: 0,
            text: Vec::new(),
        }
    }

    pub fn count(&self) -> usize {
        self.published.len()
    }

    /// Publishes what is due, the senders taking turns.
    pub fn keep(&mut self, schedule: &mut Schedule, sockets: &mut Sockets) {
        for _ in 0..AT_ONCE {
            let Some((number, due)) = schedule.take(sockets.now()) else {
                return;
            };
            self.publish(sockets, number as usize % self.count(), due);
        }
    }

    pub fn publish(&mut self, sockets: &mut Sockets, sender: usize, due: u64) {
        self.publish_over(sockets, sender, sender, due);
    }

    /// For senders that are not the first connections.
    pub fn publish_over(&mut self, sockets: &mut Sockets, index: usize, sender: usize, due: u64) {
        if !sockets.connections[index].is_open() {
            self.unsent += 1;
            return;
        }
        let text = self.write(&sockets.protocol, sender, due);
        sockets.connections[index].send(text);
    }

    /// The text of a sender's next message.
    pub fn write(&mut self, protocol: &Protocol, sender: usize, due: u64) -> &[u8] {
        self.published[sender] += 1;
        let stamp = Stamp {
            sender: sender as u32,
            number: self.published[sender],
            due,
        };
        self.text.clear();
        self.message.write(protocol, stamp, &mut self.text);
        &self.text
    }

    /// The number of a sender's last message.
    pub fn last(&self, sender: usize) -> u32 {
        self.published[sender]
    }

    pub fn published(&self) -> u64 {
        self.published.iter().map(|&count| u64::from(count)).sum()
    }

    /// How many there should be, whether they could be sent or not.
    pub fn due(&self) -> u64 {
        self.published() + self.unsent
    }

    /// What was sent.
    pub fn figures(&self) -> Value {
        json!({
            "senders": self.count(),
            "published": self.published(),
            "unsent": self.unsent,
        })
    }
}
