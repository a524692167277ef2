//! Being ready to be put away: what memory knows of a connection goes into its attachment.
//!
//! Nobody reads an attachment before the room has hibernated, and it hibernates only after ten quiet
//! seconds without a timer. So attachments are written when nothing has been heard for a second, from a
//! timer that keeps the room from being put away before; a room in which somebody talks writes none. (At
//! 20 messages a second, writing each as it changed, at most once a second, was a tenth of what a
//! message took.)

use super::{Action, Link, Room, StoreError, Turn};

/// Attachments are written when nothing has changed one for so long, in milliseconds.
const QUIET: u64 = 1_000;
/// So many are written at a time: a large room that falls silent still answers between them.
const AT_ONCE: usize = 250;

/// When to write the attachments that are out of date.
#[derive(Debug, Default)]
pub struct Saves {
    /// When one last went out of date.
    changed_at: u64,
    /// When to look whether it is quiet; `None` if none is out of date.
    look_at: Option<u64>,
}

impl Saves {
    /// When there may be something to write.
    pub fn next(&self) -> Option<u64> {
        self.look_at
    }

    /// The clock was set back to `now`.
    pub fn set_back(&mut self, now: u64) {
        self.changed_at = self.changed_at.min(now);
        self.look_at = self.look_at.map(|_| now.saturating_add(QUIET));
    }

    /// Something changed. A timer that runs already is left as it is: to look once more when it ends
    /// costs less than to set it anew each time.
    fn changed(&mut self, now: u64) {
        self.changed_at = now;
        self.look_at.get_or_insert(now.saturating_add(QUIET));
    }

    /// Whether to write now.
    fn due(&mut self, now: u64) -> bool {
        if self.look_at.is_none_or(|at| now < at) {
            return false;
        }
        let quiet_at = self.changed_at.saturating_add(QUIET);
        self.look_at = (now < quiet_at).then_some(quiet_at);
        self.look_at.is_none()
    }
}

impl Room {
    /// Notes that a connection's attachment is out of date.
    pub(super) fn save_later(&mut self, link: Link, now: u64) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if connection.kind.is_stream() {
            return;
        }
        connection.dirty = true;
        self.saves.changed(now);
    }

    pub(super) fn save_due(&mut self, turn: &mut Turn<'_>) {
        if !self.saves.due(turn.now) {
            return;
        }
        let dirty = self.connections.iter().filter(|(_, c)| c.dirty);
        let mut links: Vec<Link> = dirty.map(|(link, _)| *link).take(AT_ONCE + 1).collect();
        if links.len() > AT_ONCE {
            links.truncate(AT_ONCE);
            self.saves.look_at = Some(turn.now);
        }
        for link in links {
            self.save(link, turn);
        }
    }

    /// Writes a connection's attachment.
    pub(super) fn save(&mut self, link: Link, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let member = self
            .members
            .get(connection.id)
            .map(|member| (&member.state, member.at));
        connection.dirty = false;
        match connection.attachment(&self.meta.epoch, member) {
            Ok(attachment) => turn.out.push(Action::Attach { link, attachment }),
            Err(error) => turn.storage_failed("attachment", &StoreError(error.to_string()), 0),
        }
    }
}
