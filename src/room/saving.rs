//! Being ready to be put away: what memory knows of a connection goes into its attachment.
//!
//! Nobody reads an attachment before the room has hibernated, and it cannot while a timer runs. So what
//! comes alone is written at once, and the room is ready to hibernate with the event's end: a timer would
//! keep it awake, which is billed. While one thing comes on the heels of another the room is awake
//! anyway; then attachments wait until it pauses, and a room in which everybody talks writes none.
//! (Written as they changed, once a second for each connection, they were some 400 timers a second among
//! 400 people, and a tenth of the time that a message took among ten.)
//!
//! To look for the pause is a timer, too, and for 20 messages a second it came about as often as they did
//! (strace of workerd, 2026-11: once a second now, which saves some 5 % of the time that a message takes
//! among ten). So looks become rarer the longer nothing pauses.

use super::{Action, Link, Room, StoreError, Turn};

/// What comes within so many milliseconds of something else does not come alone.
const PAUSE: u64 = 100;
/// After so many milliseconds on end without a pause, looks for one are a millisecond further apart,
const PER_LOOK: u64 = 8;
/// and never further than this: the room stays awake for as long after the last of it, which is billed.
const LOOK_AGAIN: u64 = 1_000;
/// So many are written at a time: a large room that falls silent still answers between them.
const AT_ONCE: usize = 250;

/// When to write the attachments that are out of date.
#[derive(Debug, Default)]
pub struct Saves {
    /// Since when they have gone out of date without a pause.
    busy_since: u64,
    /// When one last went out of date.
    changed_at: u64,
    /// When to write, or to look whether there is a pause; `None` if none is out of date.
    due_at: Option<u64>,
    /// Then write without looking.
    unasked: bool,
}

impl Saves {
    /// When there may be something to write.
    pub fn next(&self) -> Option<u64> {
        self.due_at
    }

    /// The clock was set back to `now`.
    pub fn set_back(&mut self, now: u64) {
        self.busy_since = self.busy_since.min(now);
        self.changed_at = self.changed_at.min(now);
        self.due_at = self.due_at.map(|_| now.saturating_add(PAUSE));
    }

    /// Something changed. A timer that runs already is left as it is: to look once more when it ends
    /// costs less than to set it anew each time.
    fn changed(&mut self, now: u64) {
        let pause_at = self.changed_at.saturating_add(PAUSE);
        self.changed_at = now;
        if now >= pause_at {
            self.busy_since = now;
        }
        if self.due_at.is_some() {
            return;
        }
        if now >= pause_at {
            self.at_once(now);
        } else {
            self.due_at = Some(now.saturating_add(PAUSE));
        }
    }

    fn at_once(&mut self, now: u64) {
        self.due_at = Some(now);
        self.unasked = true;
    }

    /// Whether to write now.
    fn due(&mut self, now: u64) -> bool {
        if self.due_at.is_none_or(|at| now < at) {
            return false;
        }
        let pause_at = self.changed_at.saturating_add(PAUSE);
        let write = std::mem::take(&mut self.unasked) || now >= pause_at;
        let busy = self.changed_at.saturating_sub(self.busy_since);
        let look = busy.checked_div(PER_LOOK).unwrap_or(0);
        let look = look.clamp(PAUSE, LOOK_AGAIN);
        self.due_at = (!write).then_some(self.changed_at.saturating_add(look));
        write
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
            self.saves.at_once(turn.now);
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
