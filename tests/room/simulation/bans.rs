//! Who is banned from a room, as far as that can be told from what servers were answered (H4).

use std::collections::{BTreeMap, BTreeSet};

use crate::memory::Memory;

#[derive(Default)]
pub struct Bans {
    until: BTreeMap<String, u64>,
    /// Of whom it is not known whether they are banned: what was asked for has not been answered.
    perhaps: BTreeSet<String>,
    /// How often storage was erased.
    erased: u64,
}

impl Bans {
    /// The outcome of a ban is not known until it is answered.
    pub fn asked(&mut self, user: &str) {
        self.until.remove(user);
        self.perhaps.insert(user.to_owned());
    }

    /// A ban until then is known to hold; 0 if it was lifted.
    pub fn answered(&mut self, user: &str, until: u64) {
        self.perhaps.remove(user);
        self.until.insert(user.to_owned(), until);
    }

    /// Those that have ended go with everything else, unless a crash takes that back: nobody knows.
    pub fn look(&mut self, store: &Memory, now: u64) {
        if std::mem::replace(&mut self.erased, store.erased) != store.erased {
            let gone = self.until.extract_if(.., |_, until| *until <= now);
            self.perhaps.extend(gone.map(|(user, _)| user));
        }
    }

    /// Whether somebody surely is banned.
    pub fn hold(&self, user: &str, now: u64) -> bool {
        self.until.get(user).is_some_and(|until| *until > now)
    }

    /// The end of somebody's last ban, 0 if there was none; `None` if that cannot be told from here.
    pub fn last(&self, user: &str) -> Option<u64> {
        let known = !self.perhaps.contains(user);
        known.then(|| self.until.get(user).copied().unwrap_or(0))
    }
}
