//! The operator's log: one line of JSON for each thing worth knowing. Never a token, a secret, or what people say.

use worker::console_log;

use crate::protocol::{Error, ErrorCode, InvalidVariable, write_string};
use crate::room::Event;

/// What stands in a field.
enum Value<'a> {
    Text(&'a str),
    Number(u64),
    Null,
}

use Value::{Number, Text};

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Value<'a> {
        text.map_or(Value::Null, Text)
    }
}

/// By hand: a type for each line, with serde, was as much code as all of them need.
fn write(event: &str, fields: &[(&str, Value<'_>)]) {
    let mut line = String::from("{\"event\":");
    write_string(&mut line, event);
    for (name, value) in fields {
        line.push(',');
        write_string(&mut line, name);
        line.push(':');
        match value {
            Text(text) => write_string(&mut line, text),
            Number(number) => line.push_str(&number.to_string()),
            Value::Null => line.push_str("null"),
        }
    }
    line.push('}');
    console_log!("{}", line);
}

/// A request or upgrade was refused, by the Worker or by the room.
pub fn refused(room: Option<&str>, error: &Error) {
    // The text of these two repeats a little of what the client sent.
    let reason = match error.code {
        ErrorCode::BadMessage | ErrorCode::UnknownType => error.code.happened(),
        _ => &error.message,
    };
    let code = error.code.as_str();
    let fields = [
        ("room", room.into()),
        ("error", Text(code)),
        ("reason", Text(reason)),
    ];
    write("refused", &fields);
}

/// A variable cannot be used.
pub fn not_configured(invalid: &InvalidVariable) {
    let fields = [
        ("variable", Text(invalid.name)),
        ("reason", Text(&invalid.reason)),
    ];
    write("not_configured", &fields);
}

/// A variable is set that nothing reads, by its name; the value might be a secret.
pub fn unknown_variable(variable: &str, meant: Option<&'static str>) {
    let fields = [("variable", Text(variable)), ("meant", meant.into())];
    write("unknown_variable", &fields);
}

/// Everybody may do everything, at an address of the internet or of a local network.
pub fn anonymous(address: &str) {
    write("anonymous", &[("address", Text(address))]);
}

/// The key set could not be fetched or read.
pub fn keys_unavailable(reason: &str) {
    write("keys_unavailable", &[("reason", Text(reason))]);
}

/// The runtime failed a room in a way that the room does not know of.
pub fn room_failed(room: &str, reason: &str) {
    write(
        "room_failed",
        &[("room", Text(room)), ("reason", Text(reason))],
    );
}

/// What a room wants known.
pub fn event(room: &str, event: &Event) {
    let room = ("room", Text(room));
    match event {
        Event::Closed {
            connection,
            user,
            error,
        } => {
            let connection = connection.to_string();
            let fields = [
                room,
                ("connection", Text(&connection)),
                ("user", Text(user)),
                ("error", Text(error)),
            ];
            write("closed", &fields);
        }
        Event::Banned { user, until } => write(
            "banned",
            &[room, ("user", Text(user)), ("until", Number(*until))],
        ),
        Event::Deleted { by } => write("deleted", &[room, ("by", Text(by))]),
        Event::StorageHigh { bytes, most } => write(
            "storage_high",
            &[room, ("bytes", Number(*bytes)), ("most", Number(*most))],
        ),
        Event::Vacated => write("vacated", &[room]),
        Event::StorageFailed {
            what,
            reason,
            messages,
        } => {
            let fields = [
                room,
                ("what", Text(what)),
                ("reason", Text(reason)),
                ("messages", Number(*messages)),
            ];
            write("storage_failed", &fields);
        }
    }
}
