//! Bodies of HTTP answers (section 7 of the protocol). Like the functions of [`super::server`],
//! each appends one JSON object to `out`.

use std::fmt::Write;

use super::server::{
    MemberView, Occupancy, push_members, push_number, push_number_or_null, push_occupancy,
};
use super::write_string;

/// The answer to a publish (H1). An ephemeral message has no offset.
pub fn published(out: &mut String, offset: Option<u64>, epoch: &str) {
    out.push('{');
    if let Some(offset) = offset {
        out.push_str(r#""offset":"#);
        push_number(out, offset);
        out.push(',');
    }
    out.push_str(r#""epoch":"#);
    write_string(out, epoch);
    out.push('}');
}

/// The answer to a batch (H2): what [`published`] or [`super::Error::to_http_body`] wrote for each
/// of its messages, in order.
pub fn results<'a>(out: &mut String, results: impl IntoIterator<Item = &'a str>) {
    out.push_str(r#"{"results":["#);
    let mut lead = "";
    for result in results {
        out.push_str(lead);
        out.push_str(result);
        lead = ",";
    }
    out.push_str("]}");
}

/// The answer to a question for the presence (H3); no members in a crowded room (P4).
pub fn presence(out: &mut String, members: Option<&[MemberView<'_>]>, occupancy: Occupancy) {
    out.push('{');
    if let Some(list) = members {
        push_members(out, list);
        out.push(',');
    }
    out.push_str(r#""occupancy":"#);
    push_occupancy(out, occupancy);
    out.push('}');
}

/// What `GET /room/{room}` tells (H3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary<'a> {
    /// The room's name.
    pub room: &'a str,
    /// Its epoch.
    pub epoch: &'a str,
    /// Offset of its last committed message.
    pub offset: u64,
    /// How many connections and users there are.
    pub occupancy: Occupancy,
    /// Messages in the history.
    pub messages: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Offset of the oldest of them; none if the history is empty.
    pub first_offset: Option<u64>,
    /// When the epoch began, in milliseconds since the Unix epoch; none in a room that never held
    /// anything.
    pub created_at: Option<u64>,
    /// When the object was last constructed, likewise.
    pub awake_since: u64,
}

/// The answer to `GET /room/{room}` (H3). What there is none of is `null`.
pub fn room(out: &mut String, room: &RoomSummary<'_>) {
    out.push_str(r#"{"room":"#);
    write_string(out, room.room);
    out.push_str(r#","epoch":"#);
    write_string(out, room.epoch);
    out.push_str(r#","offset":"#);
    push_number(out, room.offset);
    out.push_str(r#","occupancy":"#);
    push_occupancy(out, room.occupancy);
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        out,
        r#","history":{{"messages":{},"bytes":{},"first_offset":"#,
        room.messages, room.bytes,
    );
    push_number_or_null(out, room.first_offset);
    out.push_str(r#"},"created_at":"#);
    push_number_or_null(out, room.created_at);
    let _ = write!(out, r#","awake_since":{}}}"#, room.awake_since);
}

/// The answer to a disconnect: how many connections were closed (H4).
pub fn closed(out: &mut String, count: usize) {
    let _ = write!(out, r#"{{"closed":{count}}}"#);
}
