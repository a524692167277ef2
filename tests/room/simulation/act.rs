//! Carrying out a step. One that makes no sense at the moment does nothing, so that steps can be
//! left out.

use serde_json::Value;

use super::hostile;
use super::place::Place;
use super::random::Random;
use super::said::UNSTORED;
use super::step::{Step, Way, What};
use super::universe::Universe;
use super::view::merge;
use super::wire::{Asked, Up, Wire};
use crate::world::json;
use roomful::auth::Rights;

impl Universe {
    pub fn act(&mut self, step: &Step) {
        self.trace(|| format!("{step:?}"));
        match step.clone() {
            Step::Connect {
                who,
                way,
                can,
                token_ms,
                delays,
                twin,
            } => {
                self.connect(who, way, can, token_ms, delays, twin);
            }
            Step::Publish {
                who,
                what,
                count,
                echo,
            } => self.publish(who, what, count, echo),
            Step::State { who, form, value } => self.set_state(who, form, value),
            Step::Close { who, code } => {
                if let Some(wire) = self.players[who].wire {
                    self.wires[wire].close(self.time, Some(code));
                    self.lost(wire);
                }
            }
            Step::Cut {
                who,
                client_after,
                room_after,
            } => self.cut(who, client_after, room_after),
            Step::Half { who, upwards } => {
                let Some(wire) = self.players[who].wire else {
                    return;
                };
                let wire = &mut self.wires[wire];
                match upwards {
                    true => wire.up.cut(None),
                    false => wire.down.cut(None),
                }
                // A pong is missing for so long.
                wire.gives_up_at = Some(self.time + 10_000);
            }
            Step::Renew { who, token } => {
                if let Some(wire) = self.socket(who) {
                    self.send(wire, &json!({"type": "auth", "token": token}));
                }
            }
            Step::AskHistory { who, after } => {
                if let Some(wire) = self.socket(who) {
                    self.send(wire, &json!({"type": "history", "id": "h", "after": after}));
                }
            }
            Step::Nonsense { who, which } => {
                let hostile = self.players[who].hostile;
                if let Some(wire) = self.socket(who) {
                    hostile::nonsense(self.time, &mut self.wires[wire], which, hostile);
                }
            }
            Step::Flood { who, count } => {
                if let Some(wire) = self.socket(who).filter(|_| self.players[who].hostile) {
                    let player = &mut self.players[who];
                    let room = &self.rooms[player.room].world.name;
                    hostile::flood(self.time, player, room, &mut self.wires[wire], count);
                }
            }
            Step::Read { who, reads } => {
                if let Some(wire) = self.players[who].wire {
                    self.wires[wire].reads = reads;
                }
            }
            Step::Pass { ms } => self.pass(ms),
            step => self.act_on_room(step),
        }
        self.look();
    }

    fn act_on_room(&mut self, step: Step) {
        match step {
            Step::Post { room, form, lost } => {
                let here = self.players.iter().find(|player| player.room == room);
                let except = here.map_or(String::new(), |player| player.connection.clone());
                let listeners = self.listeners(room);
                let Place {
                    world,
                    said,
                    poster,
                    ..
                } = &mut self.rooms[room];
                let message = poster.next(&world.name, form, &except);
                said.says(&message, "srv", None);
                // It may be refused: storage fails, or the rate is low.
                said.asked(&message, None, None, &listeners);
                poster.post(world, message, lost);
            }
            Step::Look { room } => {
                let place = &mut self.rooms[room];
                place.poster.look(&mut place.world);
            }
            Step::Kick {
                room,
                user,
                ban_seconds,
            } => {
                let place = &mut self.rooms[room];
                let user = format!("u{user}");
                place
                    .poster
                    .kick(&mut place.world, &mut place.watch, &user, ban_seconds);
            }
            Step::Delete { room } => {
                let place = &mut self.rooms[room];
                place.poster.delete(&mut place.world);
            }
            Step::Restart { room } => self.rooms[room].world.restart(),
            Step::Kill { room, kill } => self.rooms[room].world.disk.kill = Some(kill),
            Step::Fail { room, one_in, seed } => {
                let Place { world, watch, .. } = &mut self.rooms[room];
                world.store.faults.random = (one_in > 0).then_some((Random(seed), one_in));
                watch.failures |= one_in > 0;
            }
            Step::Slow { room, delay } => self.rooms[room].world.disk.delay = delay,
            Step::Jump { room, by } => {
                let Place { world, watch, .. } = &mut self.rooms[room];
                if world.open() > 0 {
                    let way = if by < 0 { "back" } else { "forward" };
                    self.tally.one(&format!("clock set {way}"));
                }
                world.set_clock(by);
                watch.clock_set(by, world.now);
            }
            _ => panic!("{step:?} is about a client"),
        }
    }

    /// The wire of a client that can say something.
    pub fn socket(&self, who: usize) -> Option<usize> {
        let player = &self.players[who];
        let speaks = player.welcomed || player.hostile;
        player.wire.filter(|_| speaks && !player.sort.is_stream())
    }

    pub fn connect(
        &mut self,
        who: usize,
        way: Way,
        can: &str,
        token_ms: Option<u64>,
        delays: (u64, u64),
        twin: Option<u64>,
    ) {
        if let Some(wire) = self.players[who].wire {
            // It reconnects though the old connection may live: the room may learn of its end or not.
            if twin.is_none() {
                return;
            }
            self.wires[wire].gives_up_at = Some(self.time + 5_000);
            self.lost(wire);
        }
        let stolen = match way {
            Way::Steal(whose) => self.players[whose].session.clone(),
            _ => None,
        };
        let player = &mut self.players[who];
        let newest = self.rooms[player.room].ledger.newest(&player.epoch);
        let (mut arrival, mut asked) = player.arrival(way != Way::New);
        let mut ask = |offset: u64, asked: &mut Asked| {
            if asked.offset.is_some() {
                asked.offset = Some(offset);
                arrival.offset = Some(offset.to_string());
            }
        };
        match way {
            Way::Rewind => ask(player.offset / 2, &mut asked),
            Way::Ahead => ask(newest + 3, &mut asked),
            Way::Steal(_) if player.hostile => arrival.session = stolen,
            Way::Forge if player.hostile => arrival.session = Some("0.0.AAAA".to_owned()),
            _ => {}
        }
        let room = player.room;
        arrival.grant.can = Rights::from_names(can.split(' '));
        let now = self.rooms[room].world.now;
        arrival.grant.expires_at = token_ms.map(|ms| now + ms);
        if let Some(delay) = twin {
            let twin = Wire::new(who, room, arrival.clone(), asked.clone(), (delay, delays.1));
            let twin = self.open_wire(twin);
            self.wires[twin].gives_up_at = Some(self.time + 5_000);
        }
        let wire = self.open_wire(Wire::new(who, room, arrival, asked, delays));
        self.players[who].wire = Some(wire);
    }

    fn publish(&mut self, who: usize, what: What, count: u64, echo: bool) {
        let wire = self.socket(who);
        let player = &mut self.players[who];
        if player.sort.is_stream() {
            return;
        }
        let room = &self.rooms[player.room].world.name;
        let mut frame = Vec::new();
        for _ in 0..count {
            let number = player.next_number;
            player.next_number += 1;
            let mut data = json!({"room": room, "n": number});
            let mut message = json!({"type": "publish", "event": "m"});
            if !echo {
                (data["echo"], message["echo"]) = (json!(false), json!(false));
            }
            match what {
                What::Sure => {
                    let id = format!("{}-{who}-{number}", player.connection);
                    (data["id"], message["id"]) = (json!(id), json!(id));
                }
                What::Stored => {}
                What::Ephemeral => {
                    (data["ephemeral"], message["ephemeral"]) = (json!(true), json!(true));
                }
                What::Private(user) => {
                    let to = json!([format!("user:u{user}"), player.connection]);
                    (data["to"], message["to"]) = (to.clone(), to);
                }
            }
            if self.kind.hostile && matches!(what, What::Ephemeral | What::Private(_)) {
                message["id"] = json!(format!("{UNSTORED}{number}"));
            }
            message["data"] = data;
            if what == What::Sure && !player.hostile {
                player.outbox.put(message.clone(), wire.is_some());
            }
            frame.push(message);
        }
        let Some(wire) = wire else { return };
        let frame = match frame.len() {
            1 => frame.remove(0),
            _ => Value::Array(frame),
        };
        self.send(wire, &frame);
    }

    fn set_state(&mut self, who: usize, form: u64, value: u64) {
        let Some(wire) = self.socket(who) else { return };
        let player = &mut self.players[who];
        if !player.hostile && !player.can("presence") {
            return;
        }
        let patch = match form {
            0 => json!({"a": value}),
            1 => json!({"b": value, "a": null}),
            _ => json!({"c": {"deep": value}}),
        };
        let message = match form {
            0..3 => {
                merge(&mut player.state, &patch);
                json!({"type": "state", "patch": patch})
            }
            3 => {
                player.state = Value::Null;
                json!({"type": "state", "state": null})
            }
            _ => {
                player.state = json!({"a": value, "b": 1});
                json!({"type": "state", "state": player.state})
            }
        };
        self.send(wire, &message);
    }

    fn cut(&mut self, who: usize, client_after: u64, room_after: Option<u64>) {
        let Some(wire) = self.players[who].wire else {
            return;
        };
        let (time, wire) = (self.time, &mut self.wires[wire]);
        wire.up
            .cut(room_after.map(|after| (time + after, Up::Close(1006))));
        wire.down.cut(None);
        wire.ping_at = None;
        wire.gives_up_at = Some(time + client_after);
    }
}
