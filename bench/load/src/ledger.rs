//! Who has seen which message, each of them for itself: what can be lost over a restart is not
//! only at the end.

use crate::stamp::Stamp;

pub struct Ledger {
    senders: usize,
    receivers: usize,
    entries: Vec<Entry>,
    /// Messages that somebody saw again.
    pub doubled: u64,
}

#[derive(Default)]
struct Entry {
    seen_by: Vec<u64>,
    count: usize,
    acked: bool,
}

impl Ledger {
    pub fn new(receivers: usize, senders: usize) -> Ledger {
        Ledger {
            senders,
            receivers,
            entries: Vec::new(),
            doubled: 0,
        }
    }

    pub fn seen(&mut self, receiver: usize, stamp: Stamp) {
        let words = self.receivers.div_ceil(64);
        let Some(entry) = self.entry(stamp) else {
            return;
        };
        entry.seen_by.resize(words, 0);
        let (word, bit) = (receiver / 64, 1 << (receiver % 64));
        if entry.seen_by[word] & bit == 0 {
            entry.seen_by[word] |= bit;
            entry.count += 1;
        } else {
            self.doubled += 1;
        }
    }

    pub fn acked(&mut self, stamp: Stamp) {
        if let Some(entry) = self.entry(stamp) {
            entry.acked = true;
        }
    }

    fn entry(&mut self, stamp: Stamp) -> Option<&mut Entry> {
        let (sender, number) = (stamp.sender as usize, stamp.number as usize);
        if sender >= self.senders || number == 0 {
            return None;
        }
        let place = (number - 1) * self.senders + sender;
        if place >= self.entries.len() {
            self.entries.resize_with(place + 1, Entry::default);
        }
        self.entries.get_mut(place)
    }

    /// Arrivals that are missing of messages that were acknowledged, or that somebody saw, if so many
    /// should see each.
    pub fn lost(&self, readers: usize) -> u64 {
        let known = self
            .entries
            .iter()
            .filter(|entry| entry.acked || entry.count > 0);
        known
            .map(|entry| readers.saturating_sub(entry.count) as u64)
            .sum()
    }

    /// How many messages somebody knows of.
    pub fn known(&self) -> u64 {
        let known = self
            .entries
            .iter()
            .filter(|entry| entry.acked || entry.count > 0);
        known.count() as u64
    }

    pub fn acks(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.acked).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_of_is_not_lost() {
        let stamp = |sender, number| Stamp {
            sender,
            number,
            due: 0,
        };
        let mut ledger = Ledger::new(3, 2);
        ledger.seen(0, stamp(1, 2));
        ledger.seen(2, stamp(1, 2));
        ledger.seen(2, stamp(1, 2));
        assert_eq!((ledger.lost(3), ledger.doubled, ledger.known()), (1, 1, 1));
        ledger.acked(stamp(0, 1));
        assert_eq!((ledger.lost(3), ledger.acks(), ledger.known()), (4, 1, 2));
        ledger.seen(0, stamp(9, 1));
        assert_eq!(ledger.known(), 2);
    }
}
