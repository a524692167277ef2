//! What arrived, of what was sent: each message at each receiver, exactly.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memchr_iter;
use serde_json::{Value, json};

use crate::histogram::Histogram;
use crate::stamp::{self, Stamp};

/// Who got which message of whom.
pub struct Tally {
    mark: u8,
    senders: usize,
    /// Whether each receiver is asked only for what it sent itself.
    own: bool,
    /// The highest number from each sender, for each receiver.
    last: Vec<u32>,
    /// Which numbers below it did not come, for the few pairs where that is so.
    gaps: HashMap<usize, Vec<Range<u32>>>,
    /// First arrivals.
    pub delivered: u64,
    /// First arrivals after a later message of the same sender.
    pub reordered: u64,
    /// Messages that came again.
    pub doubled: u64,
    /// Messages that were measured are those due in here (µs).
    pub window: Range<u64>,
    pub latency: Histogram,
}

enum Arrival {
    First,
    Late,
    Again,
}

impl Tally {
    /// Of messages, which everybody may get of each sender.
    pub fn of_messages(receivers: usize, senders: usize) -> Tally {
        Tally::new(stamp::MESSAGE, senders, receivers * senders)
    }

    /// Of what tells a sender that its own message was taken: an ack or, by another mark, an echo.
    pub fn of_own(mark: u8, senders: usize) -> Tally {
        Tally {
            own: true,
            ..Tally::new(mark, senders, senders)
        }
    }

    fn new(mark: u8, senders: usize, pairs: usize) -> Tally {
        Tally {
            mark,
            senders,
            own: false,
            last: vec![0; pairs],
            gaps: HashMap::new(),
            delivered: 0,
            reordered: 0,
            doubled: 0,
            window: 0..0,
            latency: Histogram::new(),
        }
    }

    /// Counts the messages in a frame that `receiver` got at `now` (µs); returns how many are new.
    pub fn frame(&mut self, receiver: usize, payload: &[u8], now: u64) -> u64 {
        let before = self.delivered;
        for place in memchr_iter(self.mark, payload) {
            if let Some(stamp) = Stamp::read(&payload[place..]) {
                self.message(receiver, stamp, now);
            }
        }
        self.delivered - before
    }

    fn message(&mut self, receiver: usize, stamp: Stamp, now: u64) {
        let sender = stamp.sender as usize;
        if sender >= self.senders || (self.own && sender != receiver) {
            return;
        }
        let pair = if self.own {
            sender
        } else {
            receiver * self.senders + sender
        };
        match self.arrive(pair, stamp.number) {
            Arrival::First => {}
            Arrival::Late => self.reordered += 1,
            Arrival::Again => {
                self.doubled += 1;
                return;
            }
        }
        self.delivered += 1;
        if self.window.contains(&stamp.due) {
            self.latency.add(now.saturating_sub(stamp.due));
        }
    }

    /// What became of so many deliveries that were expected.
    pub fn figures(&self, expected: u64) -> Value {
        json!({
            "expected": expected,
            "delivered": self.delivered,
            "lost": expected.saturating_sub(self.delivered),
            "doubled": self.doubled,
            "reordered": self.reordered,
            "latency_ms": self.latency.to_json(),
        })
    }

    #[inline]
    fn arrive(&mut self, pair: usize, number: u32) -> Arrival {
        let last = &mut self.last[pair];
        if number > *last {
            let next = *last + 1;
            *last = number;
            if number > next {
                self.gaps.entry(pair).or_default().push(next..number);
            }
            return Arrival::First;
        }
        if let Some(gaps) = self.gaps.get_mut(&pair) {
            let holds = |gap: &Range<u32>| gap.contains(&number);
            if let Some(place) = gaps.iter().position(holds) {
                let gap = gaps.swap_remove(place);
                let parts = [gap.start..number, number + 1..gap.end];
                gaps.extend(parts.into_iter().filter(|part| !part.is_empty()));
                return Arrival::Late;
            }
        }
        Arrival::Again
    }
}

/// What came in while measuring, whenever it was due.
#[derive(Default)]
pub struct Traffic {
    pub window: Range<u64>,
    pub deliveries: u64,
    pub frames: u64,
    pub bytes: u64,
    /// Frames with messages in them that one reader got: while messages are stored, one for each
    /// commit.
    pub commits: u64,
}

impl Traffic {
    /// Counts a frame of so many bytes with so many new messages.
    pub fn frame(&mut self, new: u64, bytes: usize, now: u64, to_one_reader: bool) {
        if self.window.contains(&now) {
            self.deliveries += new;
            self.frames += 1;
            self.bytes += bytes as u64;
            self.commits += u64::from(to_one_reader && new > 0);
        }
    }
}

/// The errors that a server sends.
#[derive(Default)]
pub struct Complaints {
    pub first: Option<String>,
    frames: u64,
}

/// Up to this size a frame is looked through whole; of the larger ones only some, for what it costs.
const SMALL: usize = 2048;
const SOME: u64 = 64;

impl Complaints {
    pub fn look(&mut self, payload: &[u8]) {
        self.frames += 1;
        if self.first.is_some() || (payload.len() > SMALL && !self.frames.is_multiple_of(SOME)) {
            return;
        }
        if let Some(place) = memchr::memmem::find(payload, br#"error""#) {
            let text = &payload[place.saturating_sub(20)..payload.len().min(place + 200)];
            self.first = Some(String::from_utf8_lossy(text).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stamps: &[(u32, u32)]) -> Vec<u8> {
        let mut text = Vec::new();
        for &(sender, number) in stamps {
            text.extend(b"{\"t\":\"");
            Stamp {
                sender,
                number,
                due: 5,
            }
            .write(stamp::MESSAGE, &mut text);
            text.extend(b"\"},");
        }
        text
    }

    #[test]
    fn each_message_counts_once_however_it_comes() {
        let mut tally = Tally::of_messages(2, 2);
        tally.window = 0..100;
        let first = text(&[(0, 1), (1, 1), (0, 1), (0, 6)]);
        assert_eq!(tally.frame(1, &first, 50), 3);
        assert_eq!((tally.delivered, tally.doubled), (3, 1));
        let second = text(&[(0, 4), (0, 4), (0, 2), (0, 6), (1, 2), (0, 3)]);
        assert_eq!(tally.frame(1, &second, 50), 4);
        assert_eq!((tally.reordered, tally.doubled), (3, 3));
        assert_eq!(tally.frame(1, &text(&[(0, 5), (0, 5)]), 50), 1);
        assert_eq!(tally.latency.count(), 8);
        assert_eq!(tally.frame(0, &text(&[(0, 1), (7, 1)]), 50), 1);
    }

    #[test]
    fn only_what_is_ones_own_tells_that_it_was_taken() {
        let mut echoes = Tally::of_own(stamp::MESSAGE, 2);
        let all = text(&[(0, 1), (1, 1), (0, 2)]);
        assert_eq!(echoes.frame(1, &all, 50), 1);
        assert_eq!(echoes.frame(0, &all, 50), 2);
        assert_eq!(echoes.frame(7, &all, 50), 0);
        assert_eq!(echoes.doubled, 0);
    }

    #[test]
    fn errors_are_heard() {
        let mut complaints = Complaints::default();
        complaints.look(br#"{"type":"message"}"#);
        assert_eq!(complaints.first, None);
        complaints.look(br#"[{"type":"error","code":"rate_limited"}]"#);
        assert!(
            complaints
                .first
                .is_some_and(|text| text.contains("rate_limited"))
        );
    }
}
