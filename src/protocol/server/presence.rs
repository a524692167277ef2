//! Who is here: what the members of a room are told of each other (section 6).

use std::fmt::Write;

use super::{push_connection, push_number, push_user};
use crate::protocol::{ConnectionId, write_string};

/// How many connections and users there are (P3).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Open sockets and streams, and members in their grace.
    pub connections: usize,
    /// Different users among the members.
    pub users: usize,
}

/// A member as the others see it (C2).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MemberView<'a> {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its user's id.
    pub user: &'a str,
    /// Its user's info, JSON text.
    pub info: &'a str,
    /// Its presence state, JSON text.
    pub state: &'a str,
    /// When it joined, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// `join` (P2).
pub fn join(out: &mut String, member: &MemberView<'_>) {
    out.push_str(r#"{"type":"join","member":"#);
    push_member(out, member);
    out.push('}');
}

/// `leave` (P2).
pub fn leave(out: &mut String, connection: ConnectionId, user: &str) {
    push_connection(out, r#"{"type":"leave","connection":"#, connection);
    out.push_str(r#","user":"#);
    write_string(out, user);
    out.push('}');
}

/// `states`: whole states, then patches, as JSON texts by connection. A part without entries is
/// left out (P2).
pub fn states<'a>(
    out: &mut String,
    whole: impl IntoIterator<Item = (ConnectionId, &'a str)>,
    patches: impl IntoIterator<Item = (ConnectionId, &'a str)>,
) {
    out.push_str(r#"{"type":"states""#);
    push_map(out, r#","states":{"#, whole);
    push_map(out, r#","patches":{"#, patches);
    out.push('}');
}

/// `members`: the whole list, once a crowded room is small enough again (P4).
pub fn members(out: &mut String, list: &[MemberView<'_>]) {
    out.push_str(r#"{"type":"members","#);
    push_members(out, list);
    out.push('}');
}

/// One more entry of a list of members, behind a comma if it is not the first.
pub fn list_member(list: &mut String, member: &MemberView<'_>) {
    if !list.is_empty() {
        list.push(',');
    }
    push_member(list, member);
}

/// `occupancy` (P4).
pub fn occupancy(out: &mut String, occupancy: Occupancy) {
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        out,
        r#"{{"type":"occupancy","connections":{},"users":{}}}"#,
        occupancy.connections, occupancy.users,
    );
}

fn push_member(out: &mut String, member: &MemberView<'_>) {
    push_connection(out, r#"{"connection":"#, member.connection);
    push_user(out, member.user, member.info);
    out.push_str(r#","state":"#);
    out.push_str(member.state);
    out.push_str(r#","at":"#);
    push_number(out, member.at);
    out.push('}');
}

pub(in crate::protocol) fn push_members(out: &mut String, list: &[MemberView<'_>]) {
    out.push_str(r#""members":["#);
    for (place, member) in list.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_member(out, member);
    }
    out.push(']');
}

pub(in crate::protocol) fn push_occupancy(out: &mut String, occupancy: Occupancy) {
    let _ = write!(
        out,
        r#"{{"connections":{},"users":{}}}"#,
        occupancy.connections, occupancy.users,
    );
}

fn push_map<'a>(
    out: &mut String,
    open: &str,
    entries: impl IntoIterator<Item = (ConnectionId, &'a str)>,
) {
    let mut lead = open;
    for (connection, json) in entries {
        push_connection(out, lead, connection);
        out.push(':');
        out.push_str(json);
        lead = ",";
    }
    if lead != open {
        out.push('}');
    }
}
