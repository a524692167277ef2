//! N7, E3: sockets that the room has closed and that have not ended.
//!
//! A socket that was closed ends when the other side wants: when it closes as well, or its network is gone. Until then the
//! runtime keeps it with what its reader has not read, wakes the room for what it sends, and counts it among the 32,768 of
//! an object (workerd, 2026-11). So coming again and again without ever going must not add up.

use super::rate::Pace;
use super::{Link, Room, Turn};
use crate::map::Map;
use crate::protocol::{Error, ErrorCode, Limits, Scanner, write_string};

/// A user of whom so many are left that have much unread is refused.
const MOST: usize = 4;

/// The sockets that the room has closed and that have not ended.
#[derive(Debug, Default)]
pub struct Stuck(Map<Link, Left>);

#[derive(Debug)]
struct Left {
    user: Box<str>,
    /// Its reader was too slow, or has left much unread. (Not attached: the runtime puts no object away while something is
    /// unread.)
    much: bool,
}

impl Stuck {
    /// The room closes a socket. Gives what is attached to it from now on: its user's id as JSON text, which is no
    /// connection to any release.
    pub fn closed(&mut self, link: Link, user: Box<str>) -> String {
        let mut left = String::new();
        write_string(&mut left, &user);
        self.0.insert(link, Left { user, much: false });
        left
    }

    /// Reads what is attached to a socket.
    pub fn restore(&mut self, link: Link, left: &str) {
        if let Ok(user) = Scanner::new(left).string() {
            self.closed(link, user.meaning().into());
        }
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

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether a user may come in: also one whose network fails again and again, and whose sockets end late. It is as many
    /// as may connect at once.
    pub fn check(&self, user: &str, limits: &Limits) -> Result<(), Error> {
        let (mut all, mut much) = (0_usize, 0_usize);
        for left in self.0.values().filter(|left| *left.user == *user) {
            all = all.saturating_add(1);
            much = much.saturating_add(left.much.into());
        }
        if much < MOST && all < Pace::connects_at_once(limits) {
            return Ok(());
        }
        let error = Error::new(ErrorCode::UserFull);
        Err(error.with_message("Connections of this user were closed and have not ended."))
    }
}

impl Room {
    /// Whether a link leads to a socket that the room has closed, in an earlier life perhaps.
    pub fn has_closed(&self, link: Link) -> bool {
        self.stuck.0.contains_key(&link)
    }

    /// A reader is too slow, or much waits for one that was closed for whatever else. What waits for a stream is
    /// dropped.
    pub(super) fn slow(&mut self, link: Link, turn: &mut Turn<'_>) {
        // Something may have been withheld from it. What waits for the tick would hide the gap (R2).
        self.cut(link, &Error::new(ErrorCode::TooSlow), turn);
        self.stuck.much_is_left(link);
    }
}
