//! How much a room keeps in memory: what tests hold against its bounds. Not in the Worker.

use super::Room;

/// Counts of what grows with what is asked of a room.
///
/// Each has a bound: places by `MAX_CONNECTIONS`, presence by the members and `MAX_STATE_BYTES`, the
/// outbox by 1 MB and what one frame adds, ids by the history and the outbox, rates by 1,000 of
/// each kind, or twice those that still matter.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Connections, present and within their grace.
    pub places: usize,
    /// Members that are listed.
    pub members: usize,
    /// Bytes of their states and infos.
    pub presence_bytes: usize,
    /// Messages that wait for the flush.
    pub outbox_items: usize,
    /// Their bytes.
    pub outbox_bytes: usize,
    /// HTTP requests that wait for the flush.
    pub waiting: usize,
    /// Publish ids that are remembered.
    pub ids: usize,
    /// Rates of users.
    pub rates: usize,
}

impl Room {
    /// What the room keeps at the moment.
    pub fn size(&self) -> Size {
        Size {
            places: self.connections.len().saturating_add(self.absent.len()),
            members: self.members.iter().count(),
            presence_bytes: self.members.bytes(),
            outbox_items: self.outbox.len(),
            outbox_bytes: self.outbox.bytes(),
            waiting: self.waiting.len(),
            ids: self.log.ids(),
            rates: self.rates.count(),
        }
    }
}
