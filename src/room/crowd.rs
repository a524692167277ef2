//! How many are here, and what is told of it when they are too many to be listed (P3, P4).

use super::outbox::Audience;
use super::{Room, Turn};
use crate::protocol::server::{self, Occupancy};

/// Occupancy is told at most this often, in milliseconds (P4).
const OCCUPANCY_EVERY: u64 = 1_000;

/// What a crowded room has told of its occupancy.
#[derive(Debug, Default)]
pub struct Crowd {
    /// What all were told last; `None` if nothing was since the room became crowded, or somebody alone
    /// was told something else since.
    pub told: Option<Occupancy>,
    /// Until when nothing may be told again; `None` once it may.
    pub quiet_until: Option<u64>,
}

impl Room {
    /// Connections (present and within their grace) and users (those of the members).
    pub(super) fn occupancy(&self) -> Occupancy {
        let connections = self.connections.len().saturating_add(self.absent.len());
        Occupancy {
            connections,
            users: self.members.users(),
        }
    }

    /// Switches between the list of members and mere occupancy (P4).
    pub(super) fn judge_crowd(&mut self, turn: &mut Turn<'_>) {
        let crowded = self.members.crowded(self.meta.crowded, &self.limits);
        if crowded != self.meta.crowded {
            self.meta.crowded = crowded;
            self.crowd.told = None;
            self.write_crowd(turn);
            if !crowded {
                self.members.forget_changes();
                // Nothing else would tell of the last ones who left.
                let occupancy = self.occupancy();
                self.outbox
                    .share(Audience::Presence, Box::default(), |out| {
                        server::occupancy(out, occupancy);
                    });
                let members = &self.members;
                self.outbox
                    .share(Audience::Presence, Box::default(), |out| {
                        server::members(out, &members.views());
                    });
            }
        }
        if crowded {
            self.members.forget_changes();
        }
    }

    /// Somebody alone is told the occupancy. What all know is news to it, should that be so again by
    /// the time it may be told.
    pub(super) fn told_one(&mut self, occupancy: Occupancy) {
        if self.crowd.told != Some(occupancy) {
            self.crowd.told = None;
        }
    }

    /// Tells occupancy, if there is something to tell and it may be told (P4); true if it was.
    pub(super) fn tell_occupancy(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.crowd.quiet_until.is_some_and(|at| at <= turn.now) {
            self.crowd.quiet_until = None;
        }
        if !self.meta.crowded || self.crowd.quiet_until.is_some() {
            return false;
        }
        let occupancy = self.occupancy();
        let changed = self.crowd.told != Some(occupancy);
        if changed {
            self.crowd.told = Some(occupancy);
            self.crowd.quiet_until = Some(turn.now.saturating_add(OCCUPANCY_EVERY));
            self.outbox
                .share(Audience::Presence, Box::default(), |out| {
                    server::occupancy(out, occupancy);
                });
        }
        changed
    }
}
