//! New tokens for connections (T5): the Worker examines them, which takes a moment at times.

use super::universe::Universe;
use crate::verifying::Verifying;
use crate::world::arrival;
use roomful::auth::{Grant, Rights};
use roomful::protocol::{Error, ErrorCode};

/// A token under examination.
pub struct Examined {
    pub at: u64,
    pub room: usize,
    pub verifying: Verifying,
    pub grant: Result<Grant, Error>,
}

impl Universe {
    /// Takes the tokens that rooms want examined.
    pub fn examine(&mut self, room: usize) {
        let world = &mut self.rooms[room].world;
        for verifying in std::mem::take(&mut world.verifying) {
            let (link, token) = (verifying.link, &verifying.token);
            let Some(end) = world.clients.iter().position(|end| end.link == Some(link)) else {
                continue;
            };
            let wires = self.wires.iter();
            let mut wires = wires.filter(|wire| wire.room == room);
            let user = wires
                .find(|wire| wire.client.is_some_and(|client| client.0 == end))
                .map_or_else(String::new, |wire| wire.arrival.grant.user.to_string());
            let mut grant = arrival(&user).grant;
            let grant = match &**token {
                "bad" => Err(Error::new(ErrorCode::InvalidToken)),
                "busy" => Err(Error::new(ErrorCode::RoomBusy)),
                "other" => Ok(arrival("somebody").grant),
                can => {
                    grant.can = Rights::from_names(can.split(' '));
                    Ok(grant)
                }
            };
            // Verifying takes a moment at times.
            let at = self.time + token.len() as u64 % 3 * 7;
            // Not two of a connection in the other order: which of them counts is a test of its own.
            let before = self
                .examined
                .iter()
                .filter(|other| other.room == room && other.verifying.link == link);
            let at = before.map(|other| other.at).fold(at, u64::max);
            let examined = Examined {
                at,
                room,
                verifying,
                grant,
            };
            let place = self.examined.partition_point(|other| other.at <= at);
            self.examined.insert(place, examined);
        }
    }

    /// What has been found out of tokens by now.
    pub fn verdicts(&mut self) {
        let now = self.time;
        while let Some(examined) = self.examined.pop_front_if(|first| first.at <= now) {
            self.put_away(examined.room, 0);
            self.renewed(examined);
            self.look();
        }
    }

    /// A token has been examined.
    fn renewed(&mut self, examined: Examined) {
        let Examined {
            room,
            verifying,
            grant,
            ..
        } = examined;
        let link = verifying.link;
        let place = &mut self.rooms[room];
        if let Some(end) = place
            .world
            .clients
            .iter()
            .position(|end| end.link == Some(link))
        {
            let mut wires = self.wires.iter_mut().filter(|wire| wire.room == room);
            let wire = wires.find(|wire| wire.client.is_some_and(|client| client.0 == end));
            if let (Some(wire), Ok(grant)) = (wire, &grant)
                && grant.user == wire.arrival.grant.user
            {
                if !grant.can.has(Rights::PRESENCE)
                    && let Some(connection) = place.world.clients[end].connection
                {
                    let now = place.world.now;
                    place
                        .watch
                        .leaves_now(&wire.epoch, &connection.to_string(), now);
                }
                wire.arrival.grant.expires_at = grant.expires_at;
            }
        }
        if place.world.room.is_some() {
            place.world.handle(verifying.outcome(grant));
        }
    }
}
