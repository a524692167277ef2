//! The operator's log: one line of JSON for each thing worth knowing. Never a token, a secret, or what people say.

use serde::Serialize;
use worker::console_log;

use crate::protocol::{Error, ErrorCode, InvalidVariable};
use crate::room::Event;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Refused {
        room: Option<&'a str>,
        error: &'a str,
        reason: &'a str,
    },
    NotConfigured {
        variable: &'a str,
        reason: &'a str,
    },
    UnknownVariable {
        variable: &'a str,
        meant: Option<&'static str>,
    },
    Anonymous {
        address: &'a str,
    },
    KeysUnavailable {
        reason: &'a str,
    },
    Closed {
        room: &'a str,
        connection: String,
        user: &'a str,
        error: &'a str,
    },
    Banned {
        room: &'a str,
        user: &'a str,
        until: u64,
    },
    Deleted {
        room: &'a str,
        by: &'a str,
    },
    Vacated {
        room: &'a str,
    },
    StorageHigh {
        room: &'a str,
        bytes: u64,
        most: u64,
    },
    StorageFailed {
        room: &'a str,
        what: &'a str,
        reason: &'a str,
        messages: u64,
    },
    RoomFailed {
        room: &'a str,
        reason: &'a str,
    },
}

fn write(line: &Line<'_>) {
    if let Ok(text) = serde_json::to_string(line) {
        console_log!("{}", text);
    }
}

/// A request or upgrade was refused, by the Worker or by the room.
pub fn refused(room: Option<&str>, error: &Error) {
    write(&Line::Refused {
        room,
        error: error.code.as_str(),
        // The text of these two repeats a little of what the client sent.
        reason: match error.code {
            ErrorCode::BadMessage | ErrorCode::UnknownType => error.code.happened(),
            _ => &error.message,
        },
    });
}

/// A variable cannot be used.
pub fn not_configured(invalid: &InvalidVariable) {
    write(&Line::NotConfigured {
        variable: invalid.name,
        reason: &invalid.reason,
    });
}

/// A variable is set that nothing reads, by its name; the value might be a secret.
pub fn unknown_variable(variable: &str, meant: Option<&'static str>) {
    write(&Line::UnknownVariable { variable, meant });
}

/// Everybody may do everything, at an address of the internet or of a local network.
pub fn anonymous(address: &str) {
    write(&Line::Anonymous { address });
}

/// The key set could not be fetched or read.
pub fn keys_unavailable(reason: &str) {
    write(&Line::KeysUnavailable { reason });
}

/// The runtime failed a room in a way that the room does not know of.
pub fn room_failed(room: &str, reason: &str) {
    write(&Line::RoomFailed { room, reason });
}

/// What a room wants known.
pub fn event(room: &str, event: &Event) {
    write(&match event {
        Event::Closed {
            connection,
            user,
            error,
        } => Line::Closed {
            room,
            connection: connection.to_string(),
            user,
            error,
        },
        Event::Banned { user, until } => Line::Banned {
            room,
            user,
            until: *until,
        },
        Event::Deleted { by } => Line::Deleted { room, by },
        Event::StorageHigh { bytes, most } => Line::StorageHigh {
            room,
            bytes: *bytes,
            most: *most,
        },
        Event::Vacated => Line::Vacated { room },
        Event::StorageFailed {
            what,
            reason,
            messages,
        } => Line::StorageFailed {
            room,
            what,
            reason,
            messages: *messages,
        },
    });
}
