//! E3: what is left of readers that were too slow.
//!
//! A socket that was closed keeps what its reader has not read until it ends (workerd, 2026-11), and it ends when the
//! other side wants. Coming again and again without reading must not add up.

use super::{Link, Room, Turn};
use crate::map::Map;
use crate::protocol::{Error, ErrorCode};

/// A user of whom so many are left is refused.
const MOST: usize = 4;

/// The sockets that were closed for being too slow and have not ended, with their users.
#[derive(Debug, Default)]
pub struct Stuck(Map<Link, Box<str>>);

impl Stuck {
    /// A socket has ended.
    pub fn forget(&mut self, link: Link) {
        self.0.remove(&link);
    }

    /// Whether a user may come in.
    pub fn check(&self, user: &str) -> Result<(), Error> {
        let left = self.0.values().filter(|stuck| ***stuck == *user).count();
        if left < MOST {
            return Ok(());
        }
        let error = Error::new(ErrorCode::UserFull);
        Err(error.with_message("Connections of this user that were too slow have not ended."))
    }
}

impl Room {
    /// A reader is too slow.
    pub(super) fn slow(&mut self, link: Link, turn: &mut Turn<'_>) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        // What waits for a stream is dropped.
        if !connection.kind.is_stream() {
            self.stuck.0.insert(link, connection.user.id.clone());
        }
        self.close(link, &Error::new(ErrorCode::TooSlow), turn);
    }
}
