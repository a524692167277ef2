//! Data points for an operator who collects numbers from all rooms: what has happened since the last.

use super::counters::{Count, FAMILIES, SUMS};
use super::{Room, Store};
use crate::metrics::codes;

/// What has happened in a room since its last report.
#[derive(Debug, PartialEq)]
pub struct Report {
    /// The room's name.
    pub room: String,
    /// Errors and closes by code, such as `errors_total:rate_limited=3 closes_total:4101=1`; for people to read.
    pub codes: String,
    /// Numbers in the order of [`Report::NUMBERS`].
    pub numbers: Vec<f64>,
}

impl Report {
    /// What the numbers are.
    pub const NUMBERS: [&'static str; 20] = [
        "milliseconds since the room's last point, or since the object came into memory",
        "connections at this moment",
        "users at this moment",
        "rows written, alarms among them",
        "frames received",
        "publishes taken, repeated ones too",
        "presence states received",
        "frames sent",
        "messages sent",
        "bytes sent",
        "flushes",
        "commits",
        "connections let in, new",
        "connections let in, recovered",
        "connections let in, lost",
        "errors told",
        "connections ended by the room",
        "connections ended by the other side",
        "failed reads and writes of storage",
        "milliseconds by which timers came late",
    ];
}

impl Room {
    /// What has happened since the last report, if it is time for another. To be asked at the end of
    /// an event.
    pub fn report(&mut self, now: u64, store: &mut dyn Store) -> Option<Report> {
        let busy = self.is_waiting();
        let (elapsed, news) = self.counters.news(now, busy)?;
        let rows = self.rows_written(store);
        let new_rows = rows.saturating_sub(std::mem::replace(&mut self.rows_told, rows));
        let (connections, users) = (self.connections.len() as u64, self.members.users() as u64);
        let mut numbers = Vec::new();
        for number in [elapsed, connections, users, new_rows] {
            numbers.push(number as f64);
        }
        for (from, to) in SUMS {
            let mut sum = 0_u64;
            for number in news.get(from..to).unwrap_or_default() {
                sum = sum.saturating_add(*number);
            }
            numbers.push(sum as f64);
        }
        Some(Report {
            room: self.name.clone(),
            codes: codes(FAMILIES, &news),
            numbers,
        })
    }

    /// Rows written in this life of the object, as they are billed: an alarm counts as one.
    pub(super) fn rows_written(&self, store: &mut dyn Store) -> u64 {
        store
            .rows_written()
            .saturating_add(self.counters.get(Count::Alarms))
    }
}
