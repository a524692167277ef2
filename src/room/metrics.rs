//! The room in numbers, for whoever runs it (H9).

use super::counters;
use super::{Room, Turn, storage_bound};
use crate::metrics::Exposition;
#[cfg(not(target_arch = "wasm32"))]
use crate::metrics::Family;

/// What the names of a room's metrics begin with.
const PREFIX: &str = "roomful_room_";

/// How the room is at this moment, and what storage counts, in the order of the numbers.
const GAUGES: &str = "\
connections|gauge|kind|websocket stream absent|Connections; absent: within the grace.
closed_sockets|gauge|||Sockets and streams that the room has closed and that have not ended.
users|gauge|||Different users among the members.
members|gauge|||Members.
history_messages|gauge|||Messages in the history.
history_bytes|gauge|||Bytes in the history.
storage_bytes|gauge|||Size of the database.
storage_limit_bytes|gauge|||Size at which nothing more is stored.
rows_written_total|counter|||Rows written, alarms among them.
stored_messages_total|counter|||Messages stored in this epoch.
stored_bytes_total|counter|||Bytes stored in this epoch.
start_time_seconds|gauge|||When the object came into memory.
tick_stretch_seconds|gauge|||What is added to the tick.";

impl Room {
    /// All metrics of a room as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn metrics_table() -> String {
        Family::markdown_table(PREFIX, &[GAUGES, counters::FAMILIES])
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
                self.stuck.count() as u64,
                self.members.users() as u64,
                self.members.count() as u64,
                history.messages,
                history.bytes,
                size,
                storage_bound(&self.limits),
                self.rows_written(&mut *turn.store),
                self.log.offset(),
                self.log.total(),
                self.awake_since,
                self.tick.strain(),
            ],
        );
        text.families(counters::FAMILIES, self.counters.numbers());
        text.into_text()
    }
}
