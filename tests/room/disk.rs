//! When writes are safe: at once, or later while the room goes on; and what is left of them when
//! the process dies.
//!
//! The runtime takes the writes of one event as one transaction, and holds what the room says after
//! it until the transaction is on the disk.

use std::collections::VecDeque;
use std::rc::Rc;

use roomful::protocol::Error;
use roomful::room::RequestId;

use crate::frame::Frame;
use crate::memory::Memory;
use crate::world::Client;

/// What is left after a crash.
#[derive(Clone)]
pub struct Saved {
    pub store: Memory,
    pub alarm: Option<u64>,
}

/// When the process dies, at the next event that writes something.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Nothing of that event is left.
    BeforeCommit,
    /// Its writes are safe, but nothing of what it says has left the room.
    BeforeSend,
}

/// What leaves the room.
pub enum Outward {
    Refused(Client, Error),
    Frame(Client, Rc<Frame>),
    Closed(Client, u16, String),
    Reply(RequestId, Result<String, Error>),
}

#[derive(Default)]
pub struct Disk {
    /// How long a write takes, in milliseconds.
    pub delay: u64,
    pub kill: Option<Kill>,
    /// What is on the disk, while writes are on their way there.
    base: Option<Saved>,
    /// The writes on their way, and when each arrives.
    writes: VecDeque<(u64, Saved)>,
    /// What waits, and for how many writes in all.
    held: VecDeque<(u64, Outward)>,
    begun: u64,
    done: u64,
}

impl Disk {
    /// Whether something is on its way to the disk.
    pub fn is_busy(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether the next event may have to be taken back.
    pub fn needs_copy(&self) -> bool {
        self.kill.is_some() || self.delay > 0 && self.writes.is_empty()
    }

    /// An event has written something: whether the process dies of it, and if so, what storage is
    /// then, unless it is as the event left it.
    pub fn dies(&mut self, before: Option<&Saved>) -> Option<Option<Saved>> {
        let kill = self.kill.take()?;
        let on_disk = self.crash();
        Some(match kill {
            Kill::BeforeCommit => on_disk.or_else(|| before.cloned()),
            Kill::BeforeSend => None,
        })
    }

    /// Takes the writes of an event. `before` is how it was, in case of need.
    pub fn write(&mut self, now: u64, before: Option<Saved>, after: impl FnOnce() -> Saved) {
        if self.delay == 0 && self.writes.is_empty() {
            return;
        }
        self.begun += 1;
        self.base = self.base.take().or(before);
        // Never before an earlier one.
        let at = now + self.delay;
        let at = self.writes.back().map_or(at, |(last, _)| at.max(*last));
        self.writes.push_back((at, after()));
    }

    /// When the next write is safe.
    pub fn due(&self) -> Option<u64> {
        self.writes.front().map(|(at, _)| *at)
    }

    /// A write is safe: what waited for it.
    pub fn written(&mut self) -> Vec<Outward> {
        let Some((_, saved)) = self.writes.pop_front() else {
            return Vec::new();
        };
        self.done += 1;
        self.base = self.is_busy().then_some(saved);
        let free = self
            .held
            .partition_point(|(number, _)| *number <= self.done);
        let held = self.held.drain(..free);
        held.map(|(_, outward)| outward).collect()
    }

    /// Lets something out, if nothing is on its way to the disk.
    pub fn hold(&mut self, outward: Outward) -> Option<Outward> {
        if !self.is_busy() {
            return Some(outward);
        }
        self.held.push_back((self.begun, outward));
        None
    }

    /// The process dies: what is on the disk, if that is not what the room believes.
    pub fn crash(&mut self) -> Option<Saved> {
        self.done = self.begun;
        self.writes.clear();
        self.held.clear();
        self.base.take()
    }

    /// Somebody sets the clock; what is under way takes as long as it would have.
    pub fn clock_jumps(&mut self, to: impl Fn(u64) -> u64) {
        for (at, _) in &mut self.writes {
            *at = to(*at);
        }
    }
}
