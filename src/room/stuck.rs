//! E3: what is left of readers that have not read everything.
//!
//! A socket that was closed keeps what its reader has not read until it ends (workerd, 2026-11), and it ends when the
//! other side wants. Coming again and again without reading must not add up.

use super::{Link, Room, Turn};
use crate::map::Map;
use crate::protocol::{Error, ErrorCode};

/// A user of whom so many are left is refused.
const MOST: usize = 4;

/// The sockets that the room has closed and that have not ended.
#[derive(Debug, Default)]
pub struct Stuck(Map<Link, Left>);

#[derive(Debug)]
struct Left {
    user: Box<str>,
    /// Its reader was too slow, or has left much unread.
    much: bool,
}

impl Stuck {
    /// The room closes a socket.
    pub fn closed(&mut self, link: Link, user: Box<str>) {
        self.0.insert(link, Left { user, much: false });
    }

    fn much_is_left(&mut self, link: Link) {
        if let Some(left) = self.0.get_mut(&link) {
            left.much = true;
        }
    }

    /// A socket has ended.
    pub fn forget(&mut self, link: Link) {
        self.0.remove(&link);
    }

    /// Whether a user may come in.
    pub fn check(&self, user: &str) -> Result<(), Error> {
        let much = self.0.values().filter(|left| left.much);
        if much.filter(|left| *left.user == *user).count() < MOST {
            return Ok(());
        }
        let error = Error::new(ErrorCode::UserFull);
        Err(error.with_message(
            "Connections of this user have not ended, with much that they have not read.",
        ))
    }
}

impl Room {
    /// A reader is too slow, or much waits for one that was closed for whatever else. What waits for a stream is
    /// dropped.
    pub(super) fn slow(&mut self, link: Link, turn: &mut Turn<'_>) {
        // Something may have been withheld from it. What waits for the tick would hide the gap (R2).
        self.cut(link, &Error::new(ErrorCode::TooSlow), turn);
        self.stuck.much_is_left(link);
    }
}
