//! What has happened in this life of the object, in numbers (H9).

use super::action::{Action, Event};
use crate::metrics::{Ledger, Numbers};
use crate::protocol::ErrorCode;

/// What is counted one by one; [`FAMILIES`] has the names, in this order.
#[derive(Copy, Clone, Debug)]
pub enum Count {
    FramesReceived,
    Stored,
    Ephemeral,
    Private,
    Repeated,
    States,
    Histories,
    Renewals,
    FramesSent,
    EventsSent,
    BytesSent,
    MessagesSent,
    Flushes,
    Commits,
    New,
    Recovered,
    Lost,
    Requests,
    Alarms,
    StorageFailures,
    /// The first of the errors by code.
    Errors,
}

const ERRORS: usize = Count::Errors as usize;
/// Where the closes by code begin, then those by the other side, then the timers.
const CLOSES: usize = ERRORS + ErrorCode::ALL.len();
const ENDS: usize = CLOSES + 18;
const TIMERS: usize = ENDS + 6;
/// By how many milliseconds timers came late, all together.
const LATE_MS: usize = TIMERS + LATE.len() + 1;

/// What the room closes with.
macro_rules! close_codes {
    () => {
        "4000 4001 4100 4101 4102 4103 4300 4301 4501 4502 4503 4504 4505 4506 4507 4508 4509 other"
    };
}
/// What clients and networks end with. A client may make up any number above 3000, and each would be
/// a series of its own.
macro_rules! end_codes {
    () => {
        "1000 1001 1005 1006 1009 other"
    };
}

/// Timers count as late by up to so many milliseconds, or by more.
const LATE: [u64; 7] = [5, 10, 25, 50, 100, 250, 1_000];

/// All that is counted, in the order of the numbers.
pub const FAMILIES: &str = concat!(
    "\
frames_received_total|counter|||Frames from clients, pings apart.
messages_received_total|counter|kind|stored ephemeral private repeated state history auth|Messages taken.
frames_sent_total|counter|to|websocket stream|Frames sent, one for each receiver.
sent_bytes_total|counter|||Bytes of these frames.
messages_sent_total|counter|||Messages in these frames.
flushes_total|counter|||Flushes.
commits_total|counter|||Flushes that had something to store.
connects_total|counter|outcome|new recovered lost|Connections let in.
requests_total|counter|||HTTP requests, scrapes apart.
alarms_set_total|counter|||Alarms set.
storage_failures_total|counter|||Failed reads and writes.
errors_total|counter|code|*|Errors told.
closes_total|counter|code|",
    close_codes!(),
    "|Connections ended by the room.
client_closes_total|counter|code|",
    end_codes!(),
    "|Connections ended by the other side.
timer_lateness_seconds|histogram|le|0.005 0.01 0.025 0.05 0.1 0.25 1 +Inf|How late timers came."
);

/// The numbers.
#[derive(Debug)]
pub struct Counters(Ledger);

impl Counters {
    /// Nothing yet.
    pub fn new(now: u64) -> Counters {
        Counters(Ledger::new(now))
    }

    /// Counts so many.
    pub fn add(&mut self, count: Count, number: usize) {
        self.0.add(count as usize, number as u64);
    }

    /// Counts one.
    pub fn one(&mut self, count: Count) {
        self.add(count, 1);
    }

    /// Counts so many errors that somebody is told.
    pub fn errors(&mut self, code: ErrorCode, number: u64) {
        self.0.add(ERRORS.saturating_add(code as usize), number);
    }

    /// Counts the end of a connection by the other side.
    pub fn ended(&mut self, code: u16) {
        self.0
            .add(ENDS.saturating_add(place(end_codes!(), code)), 1);
    }

    /// Counts a timer that came so many milliseconds after its time.
    pub fn timer_late(&mut self, late: u64) {
        let bucket = LATE.iter().take_while(|most| late > **most).count();
        self.0.add(TIMERS.saturating_add(bucket), 1);
        self.0.add(LATE_MS, late);
    }

    /// Counts what the room wants done. What it tells anybody passes here, so nothing is told
    /// uncounted.
    pub fn note(&mut self, action: &Action) {
        match action {
            Action::Send(delivery) => {
                self.add(Count::FramesSent, delivery.to.len());
                self.add(Count::BytesSent, delivery.bytes());
            }
            Action::Stream(delivery) => {
                self.add(Count::EventsSent, delivery.to.len());
                self.add(Count::BytesSent, delivery.bytes());
            }
            Action::Refuse { error, .. }
            | Action::Reply {
                reply: Err(error), ..
            } => self.errors(error.code, 1),
            Action::Close { code, .. } => {
                let place = place(close_codes!(), *code);
                self.0.add(CLOSES.saturating_add(place), 1);
            }
            Action::Alarm { .. } => self.one(Count::Alarms),
            Action::Log(Event::StorageFailed { .. }) => self.one(Count::StorageFailures),
            _ => {}
        }
    }

    /// The numbers of [`FAMILIES`].
    pub fn numbers(&self) -> &Numbers {
        self.0.counts()
    }

    /// One of the numbers.
    pub fn get(&self, count: Count) -> u64 {
        self.0.counts().get(count as usize).copied().unwrap_or(0)
    }

    /// What has come since the last report; see [`Ledger::news`].
    pub fn news(&mut self, now: u64, busy: bool) -> Option<(u64, Numbers)> {
        self.0.news(now, busy)
    }
}

/// What a report sums up: from which of the numbers to which.
pub const SUMS: [(usize, usize); 16] = {
    use Count::*;
    [
        (FramesReceived as usize, Stored as usize),
        (Stored as usize, States as usize),
        (States as usize, Histories as usize),
        (FramesSent as usize, BytesSent as usize),
        (MessagesSent as usize, Flushes as usize),
        (BytesSent as usize, MessagesSent as usize),
        (Flushes as usize, Commits as usize),
        (Commits as usize, New as usize),
        (New as usize, Recovered as usize),
        (Recovered as usize, Lost as usize),
        (Lost as usize, Requests as usize),
        (ERRORS, CLOSES),
        (CLOSES, ENDS),
        (ENDS, TIMERS),
        (StorageFailures as usize, ERRORS),
        (LATE_MS, LATE_MS + 1),
    ]
};

/// The place of a code in a list, or of `other` at its end.
fn place(codes: &str, code: u16) -> usize {
    let code = u64::from(code).to_string();
    codes
        .split(' ')
        .take_while(|known| *known != code && *known != "other")
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Family;

    #[test]
    fn h9_every_number_has_its_place_in_the_families() {
        let before = |name: &str| {
            let families = Family::all(FAMILIES).take_while(|family| family.name != name);
            families
                .map(|family| family.values().count())
                .sum::<usize>()
        };
        assert_eq!(before("errors_total"), ERRORS);
        assert_eq!(before("connects_total"), Count::New as usize);
        assert_eq!(before("client_closes_total"), ENDS);
        assert_eq!(before("closes_total"), CLOSES);
        assert_eq!(before("timer_lateness_seconds"), TIMERS);
        assert_eq!(before("none"), LATE_MS, "the sum is none of its values");
    }

    #[test]
    fn h9_e2_every_close_code_has_a_series() {
        for code in ErrorCode::ALL.iter().map(|code| code.close()) {
            let other = place(close_codes!(), code) == ENDS - CLOSES - 1;
            assert_eq!(other, code == 1011, "{code}");
        }
    }
}
