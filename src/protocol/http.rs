//! Bodies of HTTP requests (section 7 of the protocol).

use super::client::{Publish, Source};
use super::frame::{Element, scan_array};
use super::json::Scanner;
use super::object::{Object, wrong};
use super::{ConnectionId, Error, ErrorCode, names};

/// The longest reason of a disconnect, in bytes: what a WebSocket close frame can carry.
pub const MAX_REASON: usize = 123;

/// Reads the body of `POST /room/{room}/publish` (H1). Fields of other messages, such as `room` and
/// `type`, are ignored.
///
/// # Errors
/// [`ErrorCode::BadMessage`], with the id of the message if it has one.
pub fn decode_publish(body: &str) -> Result<Publish<'_>, Error> {
    publish(&Object::parse(body)?)
}

fn publish<'a>(object: &Object<'a>) -> Result<Publish<'a>, Error> {
    let checked = object.check();
    checked
        .and_then(|()| Publish::decode(object, Source::Http))
        .map_err(|error| match object.id() {
            Ok(Some(id)) => error.with_id(id),
            _ => error,
        })
}

/// Reads the messages that the Worker passes on to a room: an array of what [`decode_publish`] reads.
///
/// # Errors
/// [`ErrorCode::BadMessage`] if the text as a whole cannot be read. What is wrong with one message
/// stands in its place.
pub fn decode_messages(text: &str) -> Result<Vec<Result<Publish<'_>, Error>>, Error> {
    let elements = scan_array(&mut Scanner::new(text))?;
    let messages = elements.iter().map(|element| publish(element.object()?));
    Ok(messages.collect())
}

/// One message of a batch (H2).
#[derive(Clone, Debug)]
pub struct BatchEntry<'a> {
    /// The message as it stands in the body. [`decode_publish`] reads it, should it be passed on.
    pub text: &'a str,
    /// The room, a valid name, or why there is none.
    pub room: Result<String, Error>,
    /// The message, or what is wrong with it.
    pub publish: Result<Publish<'a>, Error>,
}

/// Reads the body of `POST /publish`: `{"messages":[{"room":…,"event":…},…]}` (H2).
///
/// # Errors
/// [`ErrorCode::BadMessage`] if the body as a whole cannot be read or does not hold 1 to
/// [`super::MAX_ELEMENTS`] messages. What is wrong with one message stands in its entry.
pub fn decode_batch(body: &str) -> Result<Vec<BatchEntry<'_>>, Error> {
    let object = Object::parse(body)?;
    object.check_keys()?;
    let messages = object.present("messages");
    let messages = messages.filter(|raw| raw.text.starts_with('['));
    let messages = messages.ok_or_else(|| wrong("messages", "must be a list of messages"))?;
    let elements = scan_array(&mut Scanner::new(messages.text))?;
    if elements.is_empty() {
        return Err(wrong("messages", "must have at least one message"));
    }
    Ok(elements.iter().map(batch_entry).collect())
}

fn batch_entry<'a>(element: &Element<'a>) -> BatchEntry<'a> {
    let object = element.object();
    let room = object.as_ref().map_err(Clone::clone).and_then(|object| {
        let room = object.required_string("room")?;
        if names::is_room_name(&room) {
            Ok(room.into_owned())
        } else {
            Err(Error::new(ErrorCode::InvalidRoom))
        }
    });
    BatchEntry {
        text: element.text(),
        room,
        publish: object.and_then(publish),
    }
}

/// Whom to disconnect (H4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every connection of a user.
    User(Box<str>),
    /// One connection.
    Connection(ConnectionId),
    /// A connection id that no server gave out: nobody is there to be disconnected.
    Nobody,
}

/// The body of `POST /room/{room}/disconnect` (H4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Whom it is about.
    pub target: Target,
    /// For how long the user stays out, in seconds; 0 lifts a ban. With a connection as target its
    /// user is meant.
    pub ban_seconds: Option<u64>,
    /// What the client is told, cut to [`MAX_REASON`] bytes.
    pub reason: Option<Box<str>>,
}

/// Reads the body of a disconnect request.
///
/// # Errors
/// [`ErrorCode::BadMessage`], also unless exactly one of `user` and `connection` is given.
pub fn decode_disconnect(body: &str) -> Result<Disconnect, Error> {
    let object = Object::parse(body)?;
    object.check()?;
    let target = match (object.string("user")?, object.string("connection")?) {
        (Some(user), None) if names::is_user_id(&user) => Target::User(user.into()),
        (Some(_), None) => {
            return Err(wrong(
                "user",
                "must have 1 to 128 characters, none a control character",
            ));
        }
        (None, Some(id)) => ConnectionId::parse(&id).map_or(Target::Nobody, Target::Connection),
        _ => {
            return Err(Error::bad_message(
                "either \"user\" or \"connection\" is needed, not both",
            ));
        }
    };
    Ok(Disconnect {
        target,
        ban_seconds: object.integer("ban_seconds")?,
        reason: object
            .string("reason")?
            .map(|reason| close_reason(&reason).into()),
    })
}

/// The longest beginning of a reason that fits a close frame and ends with a whole character.
pub fn close_reason(reason: &str) -> &str {
    let end = reason.floor_char_boundary(MAX_REASON);
    reason.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
