//! What arrived, of what was sent.

use memchr::{memchr_iter, memchr2_iter};

use crate::histogram::Histogram;
use crate::stamp::{self, Stamp};

/// Everything that was received by anybody.
pub struct Tally {
    people: usize,
    /// The number of the last message from each sender, for each receiver.
    last: Vec<u32>,
    acked: Vec<u32>,
    /// First arrivals.
    pub delivered: u64,
    pub acks: u64,
    /// Messages that came again, or after a later one of the same sender.
    pub doubled: u64,
    pub doubled_acks: u64,
    /// Messages that were measured are those due from here (µs) …
    pub from: u64,
    /// … to here.
    pub to: u64,
    pub latency: Histogram,
    pub ack_latency: Histogram,
    /// What came in while measuring, whenever it was due.
    pub window: Traffic,
    /// The first error that the server sent.
    pub complaint: Option<String>,
}

#[derive(Default)]
pub struct Traffic {
    pub deliveries: u64,
    pub frames: u64,
    pub bytes: u64,
    /// Frames with messages in them that the last connection got: while messages are stored, one for
    /// each commit.
    pub commits: u64,
}

impl Tally {
    pub fn new(people: usize) -> Tally {
        Tally {
            people,
            last: vec![0; people * people],
            acked: vec![0; people],
            delivered: 0,
            acks: 0,
            doubled: 0,
            doubled_acks: 0,
            from: 0,
            to: 0,
            latency: Histogram::new(),
            ack_latency: Histogram::new(),
            window: Traffic::default(),
            complaint: None,
        }
    }

    /// Counts a frame of so many bytes that `receiver` got at `now` (µs).
    pub fn frame(
        &mut self,
        receiver: usize,
        payload: &[u8],
        bytes: usize,
        now: u64,
        durable: bool,
    ) {
        let before = self.delivered;
        if durable {
            for place in memchr2_iter(stamp::MESSAGE, stamp::ACK, payload) {
                match Stamp::read(&payload[place..]) {
                    Some(stamp) if payload[place] == stamp::ACK => self.ack(stamp, now),
                    Some(stamp) => self.message(receiver, stamp, now),
                    None => {}
                }
            }
        } else {
            for place in memchr_iter(stamp::MESSAGE, payload) {
                if let Some(stamp) = Stamp::read(&payload[place..]) {
                    self.message(receiver, stamp, now);
                }
            }
        }
        let new = self.delivered - before;
        if new == 0 {
            self.listen(payload);
        }
        if (self.from..self.to).contains(&now) {
            self.window.deliveries += new;
            self.window.frames += 1;
            self.window.bytes += bytes as u64;
            if new > 0 && receiver + 1 == self.people {
                self.window.commits += 1;
            }
        }
    }

    fn message(&mut self, receiver: usize, stamp: Stamp, now: u64) {
        let sender = stamp.sender as usize;
        let Some(last) = self.last.get_mut(receiver * self.people + sender) else {
            return;
        };
        if stamp.number <= *last {
            self.doubled += 1;
            return;
        }
        // A gap shows at the end, as fewer arrivals than were sent.
        *last = stamp.number;
        self.delivered += 1;
        if (self.from..self.to).contains(&stamp.due) {
            self.latency.add(now.saturating_sub(stamp.due));
        }
    }

    fn ack(&mut self, stamp: Stamp, now: u64) {
        let Some(acked) = self.acked.get_mut(stamp.sender as usize) else {
            return;
        };
        if stamp.number <= *acked {
            self.doubled_acks += 1;
            return;
        }
        *acked = stamp.number;
        self.acks += 1;
        if (self.from..self.to).contains(&stamp.due) {
            self.ack_latency.add(now.saturating_sub(stamp.due));
        }
    }

    fn listen(&mut self, payload: &[u8]) {
        let start = &payload[..payload.len().min(200)];
        if self.complaint.is_none() && memchr::memmem::find(start, br#""type":"error""#).is_some() {
            self.complaint = Some(String::from_utf8_lossy(start).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stamps: &[(u8, u32, u32)]) -> Vec<u8> {
        let mut text = Vec::new();
        for &(mark, sender, number) in stamps {
            text.extend(b"{\"t\":\"");
            Stamp {
                sender,
                number,
                due: 5,
            }
            .write(mark, &mut text);
            text.extend(b"\"},");
        }
        text
    }

    #[test]
    fn doubles_and_gaps_do_not_count_as_deliveries() {
        let mut tally = Tally::new(2);
        tally.to = 100;
        let first = text(&[(b'@', 0, 1), (b'@', 1, 1), (b'@', 0, 1), (b'@', 0, 3)]);
        tally.frame(1, &first, first.len(), 50, true);
        assert_eq!((tally.delivered, tally.doubled), (3, 1));
        let second = text(&[(b'#', 1, 1), (b'#', 1, 1)]);
        tally.frame(1, &second, second.len(), 50, true);
        assert_eq!((tally.acks, tally.doubled_acks), (1, 1));
        assert_eq!((tally.window.frames, tally.window.commits), (2, 1));
    }
}
