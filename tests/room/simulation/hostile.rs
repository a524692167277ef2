//! What comes from clients that do not follow the protocol.

use serde_json::Value;

use super::player::Player;
use super::said::UNSTORED;
use super::wire::{Up, Wire};
use crate::world::json;

const NONSENSE: &[&str] = &[
    "",
    "{",
    "[]",
    "null",
    "\"ping\"",
    "pong",
    "{\"type\":\"dance\"}",
    "[1,{\"type\":\"state\"}]",
    "{\"type\":\"publish\"}",
    "{\"type\":\"publish\",\"event\":7}",
    "{\"type\":\"publish\",\"event\":\"roomful:x\"}",
    "{\"type\":\"publish\",\"type\":\"publish\",\"event\":\"m\"}",
    "{\"type\":\"publish\",\"event\":\"m\",\"to\":\"everybody\"}",
    "{\"type\":\"publish\",\"event\":\"m\",\"data\":\"\\ud800\"}",
    "{\"type\":\"state\",\"state\":1,\"patch\":{}}",
    "{\"type\":\"state\",\"patch\":[]}",
    "{\"type\":\"history\",\"limit\":0}",
    "{\"type\":\"history\",\"after\":-1}",
    "{\"type\":\"history\",\"id\":\"h\",\"after\":18446744073709551615,\"before\":0}",
    "{\"type\":\"history\",\"id\":\"h\",\"before\":99999999999999999999}",
    "{\"type\":\"auth\"}",
    "{\"type\":\"auth\",\"token\":\"bad\"}",
    "{\"type\":\"auth\",\"token\":\"other\"}",
    "{\"type\":\"ack\",\"id\":\"m\",\"offset\":9007199254740991}",
    "{\"type\":\"welcome\",\"connection\":\"0\"}",
    "{\"type\":\"leave\",\"connection\":\"0\",\"user\":\"u0\"}",
];

/// Sends something that is no proper message, the hostile again and again; some of it only they do.
pub fn nonsense(time: u64, wire: &mut Wire, which: u64, hostile: bool) {
    let times = if hostile { which / 40 % 12 } else { 0 };
    for again in 0..=times {
        one(time, wire, which + again, hostile);
    }
}

fn one(time: u64, wire: &mut Wire, which: u64, hostile: bool) {
    let long = which / 64;
    let text = match which % 40 {
        30 if hostile => return wire.up.push(time, Up::Binary),
        31 if hostile => "x".repeat(3_000),
        // Deeper than is read.
        32 => format!("{}{}", "[".repeat(70), "]".repeat(70)),
        33 => format!("[{}]", vec!["1"; 101].join(",")),
        34 => json!({"type": "publish", "event": "m", "id": "i".repeat(65)}).to_string(),
        35 => json!({"type": "publish", "event": "m", "to": vec!["user:u0"; 101]}).to_string(),
        36 => json!({"type": "history", "id": "h", "after": long}).to_string(),
        other => NONSENSE[other as usize % NONSENSE.len()].to_owned(),
    };
    wire.up.push(time, Up::Frame(text));
}

/// More messages than the rate allows, in one frame and in many; at times for longer than is borne.
pub fn flood(time: u64, player: &mut Player, room: &str, wire: &mut Wire, count: u64) {
    let again = if count % 8 == 7 { 13 } else { 0 };
    for pause in 1..=again {
        let frame = json!(messages(player, room, count)).to_string();
        wire.up.push(time + pause * 900, Up::Frame(frame));
    }
    let messages = messages(player, room, count);
    let (frame, alone) = messages.split_at(messages.len() / 2);
    if frame.len() > 1 {
        wire.up.push(time, Up::Frame(json!(frame).to_string()));
    }
    for message in alone {
        wire.up.push(time, Up::Frame(message.to_string()));
    }
}

fn messages(player: &mut Player, room: &str, count: u64) -> Vec<Value> {
    let messages = (0..count).map(|place| {
        let number = player.next_number;
        let mut data = json!({"room": room, "n": number});
        player.next_number += 1;
        match place % 7 {
            6 => json!({"type": "state", "state": {"x": place}}),
            5 => {
                data["ephemeral"] = json!(true);
                let id = format!("{UNSTORED}{number}");
                json!({"type": "publish", "event": "f", "data": data, "ephemeral": true, "id": id})
            }
            _ => json!({"type": "publish", "event": "f", "data": data}),
        }
    });
    messages.collect()
}

impl Player {
    /// All that somebody hostile keeps in mind.
    pub fn note(&mut self, message: &Value) {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        if message["type"] == "welcome" {
            self.session = message["session"].as_str().map(str::to_owned);
            (self.connection, self.epoch) = (text("connection"), text("epoch"));
            self.offset = message["offset"].as_u64().unwrap();
        }
    }
}
