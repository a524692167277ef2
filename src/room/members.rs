//! Who is here: the members, their presence states, and what the others are told of them (section 6).
//!
//! Membership is durable: a row from join to leave. So a restarted room knows who was there, and a
//! deploy makes nobody flicker (R5).

use std::collections::BTreeMap;
use std::rc::Rc;

use super::connection::User;
use crate::map::Map;
use crate::protocol::server::{self, MemberView};
use crate::protocol::{ConnectionId, Json, Limits, Patch};

#[derive(Debug)]
pub struct Member {
    pub user: Rc<User>,
    pub state: Json<'static>,
    /// When it joined, in milliseconds.
    pub at: u64,
    /// Its row holds a state.
    pub kept: bool,
}

impl Member {
    fn bytes(&self) -> usize {
        self.state.len().saturating_add(self.user.info.len())
    }

    pub fn view(&self, connection: ConnectionId) -> MemberView<'_> {
        MemberView {
            connection,
            user: &self.user.id,
            info: self.user.info.as_str(),
            state: self.state.as_str(),
            at: self.at,
        }
    }
}

/// What one user has of the list.
#[derive(Debug, Default)]
struct Share {
    members: u32,
    /// Bytes of states and infos.
    bytes: usize,
}

/// A change of state that waits for the next flush (P2).
#[derive(Debug)]
enum Change {
    /// The whole state, whatever it is by then.
    Whole,
    /// Only these keys have changed since the last frame.
    Patch(Patch<'static>),
}

/// The members of a room, oldest first.
#[derive(Debug, Default)]
pub struct Members {
    members: BTreeMap<ConnectionId, Member>,
    users: Map<Box<str>, Share>,
    /// Bytes of all states and infos.
    bytes: usize,
    changes: BTreeMap<ConnectionId, Change>,
    /// The list as it was last told, as long as nothing has changed but that newer ones came: of many
    /// who arrive at once each is told nearly the same.
    told: Option<String>,
}

impl Members {
    /// How many different users the members are.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    pub fn get(&self, connection: ConnectionId) -> Option<&Member> {
        self.members.get(&connection)
    }

    pub fn contains(&self, connection: ConnectionId) -> bool {
        self.members.contains_key(&connection)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (ConnectionId, &Member)> {
        self.members.iter().map(|(id, member)| (*id, member))
    }

    pub fn views(&self) -> Vec<MemberView<'_>> {
        self.iter().map(|(id, member)| member.view(id)).collect()
    }

    /// Makes room for so many more.
    pub fn expect(&mut self, more: usize) {
        self.users.reserve(more);
    }

    /// The list as the `welcome` has it: the entries, joined by commas.
    pub fn list(&mut self) -> &str {
        let members = &self.members;
        self.told.get_or_insert_with(|| {
            let mut list = String::new();
            for (id, member) in members {
                server::list_member(&mut list, &member.view(*id));
            }
            list
        })
    }

    /// Nobody asks for the list at present.
    pub fn forget_list(&mut self) {
        self.told = None;
    }

    pub fn insert(&mut self, connection: ConnectionId, member: Member) {
        self.remove(connection);
        match &mut self.told {
            Some(told) if self.members.keys().next_back() < Some(&connection) => {
                server::list_member(told, &member.view(connection));
            }
            told => *told = None,
        }
        let bytes = member.bytes();
        self.bytes = self.bytes.saturating_add(bytes);
        let share = self.users.entry(member.user.id.clone()).or_default();
        share.members = share.members.saturating_add(1);
        share.bytes = share.bytes.saturating_add(bytes);
        self.members.insert(connection, member);
    }

    pub fn remove(&mut self, connection: ConnectionId) -> Option<Member> {
        let member = self.members.remove(&connection)?;
        self.told = None;
        self.changes.remove(&connection);
        let bytes = member.bytes();
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(share) = self.users.get_mut(&member.user.id) {
            share.members = share.members.saturating_sub(1);
            share.bytes = share.bytes.saturating_sub(bytes);
            if share.members == 0 {
                self.users.remove(&member.user.id);
            }
        }
        Some(member)
    }

    /// Notes whether a member's row holds a state.
    pub fn keep(&mut self, connection: ConnectionId, kept: bool) {
        if let Some(member) = self.members.get_mut(&connection) {
            member.kept = kept;
        }
    }

    /// Notes a member's state, as it is, for the next flush.
    pub fn note_state(&mut self, connection: ConnectionId) {
        self.changes.insert(connection, Change::Whole);
    }

    /// Sets a member's state and notes the change for the next flush.
    pub fn set(&mut self, connection: ConnectionId, state: Json<'static>) {
        if self.replace(connection, state) {
            self.changes.insert(connection, Change::Whole);
        }
    }

    /// Sets a member's state to the outcome of a patch and notes the patch for the next flush; the state
    /// itself, if all patches until then take more than the `most` that a state may have: keys that a
    /// patch removes have no bound, and everybody is told of them.
    pub fn patch(
        &mut self,
        connection: ConnectionId,
        patch: Patch<'static>,
        state: Json<'static>,
        most: usize,
    ) {
        if !self.replace(connection, state) {
            return;
        }
        match self.changes.get_mut(&connection) {
            None => {
                self.changes.insert(connection, Change::Patch(patch));
            }
            Some(Change::Patch(earlier)) => earlier.merge(&patch),
            Some(Change::Whole) => {}
        }
        if let Some(Change::Patch(all)) = self.changes.get(&connection)
            && all.as_json().len() > most
        {
            self.changes.insert(connection, Change::Whole);
        }
    }

    fn replace(&mut self, connection: ConnectionId, state: Json<'static>) -> bool {
        let Some(member) = self.members.get_mut(&connection) else {
            return false;
        };
        let (before, after) = (member.state.len(), state.len());
        member.state = state;
        self.told = None;
        // The next state is mostly as long as the last: then there is nothing to look up.
        if before != after {
            let resized = |bytes: usize| bytes.saturating_sub(before).saturating_add(after);
            self.bytes = resized(self.bytes);
            if let Some(share) = self.users.get_mut(&member.user.id) {
                share.bytes = resized(share.bytes);
            }
        }
        true
    }

    /// Whether a state of this size would give the member's user more of the list than one may have (N7). One that is
    /// no larger than what is there always fits.
    pub fn exceeds_share(&self, connection: ConnectionId, state: usize, limits: &Limits) -> bool {
        let Some(member) = self.members.get(&connection) else {
            return false;
        };
        let grown = state.saturating_sub(member.state.len());
        if grown == 0 {
            return false;
        }
        let held = self
            .users
            .get(&member.user.id)
            .map_or(0, |share| share.bytes);
        held.saturating_add(grown) > limits.presence_bytes_per_user
    }

    /// Bytes of all states and infos.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there are changes that wait for a flush.
    pub fn changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Drops the changes that wait: nobody is to be told of them.
    pub fn forget_changes(&mut self) {
        self.changes.clear();
    }

    /// Writes the `states` message for all changes, and drops them.
    pub fn write_changes(&mut self, out: &mut String) {
        let changes = std::mem::take(&mut self.changes);
        let whole = changes
            .iter()
            .filter(|(_, change)| matches!(change, Change::Whole))
            .filter_map(|(id, _)| Some((*id, self.members.get(id)?.state.as_str())));
        let patches = changes.iter().filter_map(|(id, change)| match change {
            Change::Patch(patch) => Some((*id, patch.as_json().as_str())),
            Change::Whole => None,
        });
        server::states(out, whole, patches);
    }

    /// Whether the list is too long to be told to everybody (N7, P4). Once it is, it has to fall below 90 % of the
    /// limits before it is told again, so that one person at the threshold does not make it change back and forth.
    pub fn crowded(&self, already: bool, limits: &Limits) -> bool {
        let over = |value: usize, limit: usize| {
            if already {
                value.saturating_mul(10) >= limit.saturating_mul(9)
            } else {
                value > limit
            }
        };
        over(self.members.len(), limits.members) || over(self.bytes, limits.presence_bytes)
    }
}
