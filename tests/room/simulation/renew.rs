//! New tokens for connections (T5): the Worker examines them, which takes a moment at times.

use super::universe::{Examined, Universe};
use crate::world::arrival;
use roomful::auth::Rights;
use roomful::protocol::{Error, ErrorCode};
use roomful::room::{Input, Link};

impl Universe {
    /// Takes the tokens that rooms want examined.
    pub fn examine(&mut self, room: usize) {
        let world = &mut self.rooms[room].world;
        for (link, id, token) in std::mem::take(&mut world.verifying) {
            let Some(end) = world.clients.iter().position(|end| end.link == Some(link)) else {
                continue;
            };
            let wires = self.wires.iter();
            let mut wires = wires.filter(|wire| wire.room == room);
            let user = wires
                .find(|wire| wire.client.is_some_and(|client| client.0 == end))
                .map_or_else(String::new, |wire| wire.arrival.grant.user.to_string());
            let mut grant = arrival(&user).grant;
            let grant = match &*token {
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
            let examined = Examined {
                at,
                room,
                link,
                id,
                grant,
            };
            let place = self.examined.partition_point(|other| other.at <= at);
            self.examined.insert(place, examined);
        }
    }

    /// A token has been examined.
    pub fn renewed(
        &mut self,
        room: usize,
        link: Link,
        id: Option<Box<str>>,
        grant: Result<roomful::auth::Grant, Error>,
    ) {
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
                    place.watch.leaves_now(&connection.to_string(), now);
                }
                wire.arrival.grant.expires_at = grant.expires_at;
            }
        }
        if place.world.room.is_some() {
            place.world.handle(Input::Renewed { link, id, grant });
        }
    }
}
