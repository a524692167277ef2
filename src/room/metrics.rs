//! The room in numbers, for whoever runs it (H9).

use super::counters::{self, LATE};
use super::{Room, Turn, storage_bound};
use crate::metrics::{Exposition, Family};

/// What the names of a room's metrics begin with.
const PREFIX: &str = "roomful_room_";

/// How the room is at this moment, and what storage counts, in the order of the numbers.
const GAUGES: &str = "\
connections|gauge|kind|websocket stream absent|Connections; absent: within the grace.
users|gauge|||Different users among the members.
members|gauge|||Members.
history_messages|gauge|||Messages in the history.
history_bytes|gauge|||Bytes in the history.
storage_bytes|gauge|||Size of the database.
storage_limit_bytes|gauge|||Size at which nothing more is stored.
rows_written_total|counter|||Rows written, alarms among them.
stored_messages_total|counter|||Messages stored in this epoch.
stored_bytes_total|counter|||Bytes stored in this epoch.";
const TIMES: &str = "\
start_time_seconds|gauge|||When the object came into memory.
tick_stretch_seconds|gauge|||What is added to the tick.";
const LATENESS: &str = "timer_lateness_seconds|histogram|le||How late timers came.";

impl Room {
    /// All metrics of a room as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn metrics_table() -> String {
        let families = [GAUGES, TIMES, LATENESS, counters::FAMILIES];
        Family::markdown_table(PREFIX, &families)
    }

    /// The numbers as Prometheus reads them. Counts nothing itself.
    pub(super) fn metrics(&self, turn: &mut Turn<'_>) -> String {
        let mut text = Exposition::new(PREFIX, "room", &self.name);
        // Of a storage that fails, the rest is all the more worth knowing.
        let history = self.log.summary(turn.now, &self.limits, &mut *turn.store);
        let history = history.unwrap_or_default();
        let size = turn.store.size().unwrap_or_default();
        let streams = self.connections.values();
        let streams = streams
            .filter(|connection| connection.kind.is_stream())
            .count();
        text.families(
            GAUGES,
            &[
                self.connections.len().saturating_sub(streams) as u64,
                streams as u64,
                self.absent.len() as u64,
                self.members.users() as u64,
                self.members.count() as u64,
                history.messages,
                history.bytes,
                size,
                storage_bound(&self.limits),
                self.rows_written(&mut *turn.store),
                self.log.offset(),
                self.log.total(),
            ],
        );
        let times = [self.awake_since, self.tick.strain()];
        for (family, time) in Family::all(TIMES).zip(times) {
            text.begin(&family);
            text.seconds(family.name, time);
        }
        self.write_lateness(&mut text);
        text.families(counters::FAMILIES, self.counters.numbers());
        text.into_text()
    }

    fn write_lateness(&self, text: &mut Exposition) {
        Family::all(LATENESS).for_each(|family| text.begin(&family));
        let mut numbers = self.counters.timers().iter();
        let mut timers = 0_u64;
        for ((_, bound), number) in LATE.iter().zip(&mut numbers) {
            timers = timers.saturating_add(*number);
            text.sample("timer_lateness_seconds_bucket", "le", bound, timers);
        }
        let late = numbers.next().copied().unwrap_or(0);
        text.seconds("timer_lateness_seconds_sum", late);
        text.sample("timer_lateness_seconds_count", "", "", timers);
    }
}
