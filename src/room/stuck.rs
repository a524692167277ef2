//! N11, E3: sockets and streams that the room has closed and that have not ended, and what their readers have not read.
//!
//! One that was closed ends when the other side wants: when it closes as well, has read everything, or its network is gone.
//! Until then the runtime keeps it with what its reader has not read, wakes the room for what it sends, and counts it among
//! the 32,768 sockets of an object (workerd, 2026-11). So coming again and again without ever going must not add up.
//!
//! Nor does it free what is unread that a client closes its socket, or ends its half of the TCP connection: it may read no
//! further and stay (the same). That counts as well.

use super::rate::Pace;
use super::{Link, Room, Turn};
use crate::map::Map;
use crate::protocol::{Error, ErrorCode, Limits, Scanner, write_string};

/// A user who has left so many bytes unread is refused: a quarter of what all rooms of an isolate share.
const MOST_UNREAD: u32 = 32 * 1024 * 1024;

/// One that has ended counts as so much at least: a socket takes some 77 kB itself (workerd, 2026-11), and of those that
/// have ended nothing else is counted.
const LEAST_UNREAD: u32 = 64 * 1024;

/// The sockets and streams that were closed and are still in memory.
#[derive(Debug, Default)]
pub struct Stuck(Map<Link, Left>);

#[derive(Debug)]
struct Left {
    user: Box<str>,
    /// How many bytes its reader had not read when it was closed, if they were many. (Not attached: the runtime puts no
    /// object away while something is unread.)
    unread: u32,
    /// The other side has closed: all that is left of it is what is unread.
    ended: bool,
}

impl Stuck {
    /// The room closes a socket or a stream. Gives what is attached to a socket from now on: its user's id as JSON text,
    /// which is no connection to any release.
    pub fn closed(&mut self, link: Link, user: Box<str>) -> String {
        let mut left = String::new();
        write_string(&mut left, &user);
        self.enter(link, user, 0, false);
        left
    }

    fn enter(&mut self, link: Link, user: Box<str>, unread: u32, ended: bool) {
        let left = Left {
            user,
            unread,
            ended,
        };
        self.0.insert(link, left);
    }

    /// Reads what is attached to a socket.
    pub fn restore(&mut self, link: Link, left: &str) {
        if let Ok(user) = Scanner::new(left).string() {
            self.closed(link, user.meaning().into());
        }
    }

    /// Notes how much is unread.
    fn note(&mut self, link: Link, unread: u32) {
        if let Some(left) = self.0.get_mut(&link) {
            left.unread = left.unread.max(unread);
        }
    }

    /// The other side has closed one, which was `user`'s if the room has not closed it before.
    pub fn ended(&mut self, link: Link, unread: u32, user: Option<&str>) {
        let before = self.0.remove(&link).map(|left| left.user);
        if let Some(user) = before.or_else(|| user.map(Box::from))
            && unread > 0
        {
            self.enter(link, user, unread.max(LEAST_UNREAD), true);
        }
    }

    /// How many there are that have not ended.
    pub fn count(&self) -> usize {
        self.0.values().filter(|left| !left.ended).count()
    }

    /// Whether a user may come in: also one whose network fails again and again, and whose sockets end late. It is as many
    /// as may connect at once.
    pub fn check(&self, user: &str, limits: &Limits) -> Result<(), Error> {
        let (mut all, mut unread) = (0_usize, 0_u32);
        for left in self.0.values().filter(|left| *left.user == *user) {
            all = all.saturating_add((!left.ended).into());
            unread = unread.saturating_add(left.unread);
        }
        if unread < MOST_UNREAD && all < Pace::connects_at_once(limits) {
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

    /// A reader is too slow, or much waits for one that was closed for whatever else.
    pub(super) fn slow(&mut self, link: Link, unread: u32, turn: &mut Turn<'_>) {
        // Something may have been withheld from it. What waits for the tick would hide the gap (R2).
        self.cut(link, &Error::new(ErrorCode::TooSlow), turn);
        self.stuck.note(link, unread);
    }
}
