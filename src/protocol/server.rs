//! What a room says. Each function appends one message object to `out`, its fields in the order in
//! which the protocol lists them; texts that are JSON already are copied as they are.

mod presence;

use std::fmt::Write;

pub use presence::{MemberView, Occupancy, join, leave, list_member, members, occupancy, states};
pub(super) use presence::{push_members, push_occupancy};

use super::{ConnectionId, Json, PROTOCOL_VERSION, write_string};

/// The first message of a connection or stream (C2, H7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome<'a> {
    /// The room's name.
    pub room: &'a str,
    /// The id of the connection.
    pub connection: ConnectionId,
    /// What lets the connection come back; streams have none.
    pub session: Option<&'a str>,
    /// The user's id.
    pub user: &'a str,
    /// The user's info, JSON text.
    pub info: &'a str,
    /// Names of the rights that the connection has.
    pub can: &'a [&'a str],
    /// Milliseconds until the token ends; `None` without token.
    pub expires_in: Option<u64>,
    /// The room's epoch.
    pub epoch: &'a str,
    /// Offset of the last committed message.
    pub offset: u64,
    /// Whether missed messages follow; `None` at a first connection.
    pub recovered: Option<bool>,
    /// All members, as [`list_member`] wrote them; absent without the right and in crowded rooms (P4).
    pub members: Option<&'a str>,
    /// How many there are.
    pub occupancy: Option<Occupancy>,
    /// How often the client should ping, in milliseconds.
    pub ping: u64,
    /// Largest message, in bytes.
    pub message_bytes: usize,
    /// Largest presence state, in bytes.
    pub state_bytes: usize,
    /// Messages a second that a connection may send in the long run.
    pub rate_per_second: u32,
}

/// `welcome` (C2).
pub fn welcome(out: &mut String, welcome: &Welcome<'_>) {
    out.push_str(r#"{"type":"welcome","protocol":"#);
    push_number(out, PROTOCOL_VERSION.into());
    out.push_str(r#","room":"#);
    write_string(out, welcome.room);
    push_connection(out, r#","connection":"#, welcome.connection);
    if let Some(session) = welcome.session {
        out.push_str(r#","session":"#);
        write_string(out, session);
    }
    push_user(out, welcome.user, welcome.info);
    push_rights(out, welcome.can);
    out.push_str(r#","expires_in":"#);
    push_number_or_null(out, welcome.expires_in);
    out.push_str(r#","epoch":"#);
    write_string(out, welcome.epoch);
    out.push_str(r#","offset":"#);
    push_number(out, welcome.offset);
    out.push_str(match welcome.recovered {
        None => r#","recovered":null"#,
        Some(true) => r#","recovered":true"#,
        Some(false) => r#","recovered":false"#,
    });
    if let Some(list) = welcome.members {
        out.push_str(r#","members":["#);
        out.push_str(list);
        out.push(']');
    }
    if let Some(occupancy) = welcome.occupancy {
        out.push_str(r#","occupancy":"#);
        push_occupancy(out, occupancy);
    }
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        out,
        r#","ping":{},"limits":{{"message_bytes":{},"state_bytes":{},"rate_per_second":{}}}}}"#,
        welcome.ping, welcome.message_bytes, welcome.state_bytes, welcome.rate_per_second,
    );
}

/// What is delivered of a publish (M1 to M3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The event's name.
    pub event: &'a str,
    /// What it carries.
    pub data: &'a Json<'a>,
    /// The sender's connection; none if it came over HTTP.
    pub from: Option<ConnectionId>,
    /// The sender's user id.
    pub user: &'a str,
    /// Its place in the room's order; none if ephemeral.
    pub offset: Option<u64>,
    /// When the room took it, in milliseconds since the Unix epoch; none if ephemeral.
    pub at: Option<u64>,
    /// Whether it goes to some connections only.
    pub private: bool,
}

/// `message` (M1 to M3).
pub fn message(out: &mut String, message: &Message<'_>) {
    out.push_str(r#"{"type":"message","event":"#);
    write_string(out, message.event);
    out.push_str(r#","data":"#);
    out.push_str(message.data.as_str());
    if let Some(from) = message.from {
        push_connection(out, r#","from":"#, from);
    }
    out.push_str(r#","user":"#);
    write_string(out, message.user);
    if let Some(offset) = message.offset {
        out.push_str(r#","offset":"#);
        push_number(out, offset);
    }
    if let Some(at) = message.at {
        out.push_str(r#","at":"#);
        push_number(out, at);
    }
    if message.private {
        out.push_str(r#","private":true"#);
    }
    out.push('}');
}

/// `skip`: in place of a stored message that this connection does not get (M3).
pub fn skip(out: &mut String, offset: u64) {
    out.push_str(r#"{"type":"skip","offset":"#);
    push_number(out, offset);
    out.push('}');
}

/// `ack`: the message is durable, or delivered if it is ephemeral and has no offset (M4).
pub fn ack(out: &mut String, id: &str, offset: Option<u64>) {
    out.push_str(r#"{"type":"ack","id":"#);
    write_string(out, id);
    if let Some(offset) = offset {
        out.push_str(r#","offset":"#);
        push_number(out, offset);
    }
    out.push('}');
}

/// `auth`: the new token counts from here on (T5). `expires_in` is in milliseconds.
pub fn auth(out: &mut String, expires_in: Option<u64>, can: &[&str]) {
    out.push_str(r#"{"type":"auth""#);
    out.push_str(r#","expires_in":"#);
    push_number_or_null(out, expires_in);
    push_rights(out, can);
    out.push('}');
}

/// `history` (R6). `messages` are encoded already and joined by commas.
pub fn history(out: &mut String, id: Option<&str>, messages: &str, epoch: &str, more: bool) {
    out.push_str(r#"{"type":"history""#);
    if let Some(id) = id {
        out.push_str(r#","id":"#);
        write_string(out, id);
    }
    out.push_str(r#","messages":["#);
    out.push_str(messages);
    out.push_str(r#"],"epoch":"#);
    write_string(out, epoch);
    let _ = write!(out, r#","more":{more}}}"#);
}

pub(super) fn push_number(out: &mut String, number: u64) {
    let _ = write!(out, "{number}");
}

pub(super) fn push_number_or_null(out: &mut String, number: Option<u64>) {
    match number {
        Some(number) => push_number(out, number),
        None => out.push_str("null"),
    }
}

fn push_connection(out: &mut String, key: &str, connection: ConnectionId) {
    out.push_str(key);
    out.push('"');
    connection.push_to(out);
    out.push('"');
}

fn push_user(out: &mut String, id: &str, info: &str) {
    out.push_str(r#","user":{"id":"#);
    write_string(out, id);
    out.push_str(r#","info":"#);
    out.push_str(info);
    out.push('}');
}

fn push_rights(out: &mut String, can: &[&str]) {
    out.push_str(r#","can":["#);
    for (place, right) in can.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_string(out, right);
    }
    out.push(']');
}
