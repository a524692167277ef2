//! What a client may say.

use std::borrow::Cow;

use super::error::excerpt;
use super::names::{is_event_name, is_reserved_event};
use super::object::{Object, wrong};
use super::{ConnectionId, Error, ErrorCode, HistoryQuery, Json, MAX_RECIPIENTS, Patch, names};

/// A message of a client, checked as far as that goes without knowing the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// Something for the others (M1 to M4).
    Publish(Publish<'a>),
    /// A new presence state of the connection (P1).
    State {
        /// For the error, should there be one.
        id: Option<Box<str>>,
        /// What becomes of the state.
        change: StateChange<'a>,
    },
    /// A new token for this connection (T5).
    Auth {
        /// For the error, should there be one.
        id: Option<Box<str>>,
        /// The token, unverified.
        token: Box<str>,
    },
    /// A question for older messages (R6).
    History(HistoryQuery),
}

impl ClientMessage<'_> {
    /// The id that the client gave the message.
    pub fn id(&self) -> Option<&str> {
        match self {
            ClientMessage::Publish(publish) => publish.id.as_deref(),
            ClientMessage::State { id, .. } | ClientMessage::Auth { id, .. } => id.as_deref(),
            ClientMessage::History(query) => query.id.as_deref(),
        }
    }
}

/// Something to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Asks for an ack, and makes the message count once (M4).
    pub id: Option<Box<str>>,
    /// A valid event name that is not reserved (N2).
    pub event: Cow<'a, str>,
    /// What is passed on; `null` if there was none.
    pub data: Json<'a>,
    /// Not stored (M2). A message with `to` always is ephemeral (M3).
    pub ephemeral: bool,
    /// Delivered to these only (M3). Recipients that cannot exist are left out, so the list can be
    /// empty: then it is for nobody.
    pub to: Option<Vec<Recipient>>,
    /// Whether the sender's own connection gets it too. Always `true` over HTTP, which has none.
    pub echo: bool,
    /// Connections that do not get it. Over HTTP only; otherwise empty.
    pub except: Vec<ConnectionId>,
}

/// Whom a private message is for (M3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// One connection.
    Connection(ConnectionId),
    /// Every connection of a user.
    User(Box<str>),
}

impl Recipient {
    /// A connection id or `user:` and a user id; `None` for what can be neither.
    pub fn parse(text: &str) -> Option<Recipient> {
        match text.strip_prefix("user:") {
            Some(user) => names::is_user_id(user).then(|| Recipient::User(user.into())),
            None => ConnectionId::parse(text).map(Recipient::Connection),
        }
    }
}

/// What becomes of a presence state (P1). The room checks the size of the outcome (N4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange<'a> {
    /// It is replaced; `null` clears it.
    Set(Json<'a>),
    /// Its top-level keys are merged.
    Patch(Patch<'a>),
}

/// How a message arrived, which decides what it may say.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Connection,
    Http,
}

pub(crate) fn decode<'a>(object: &Object<'a>) -> Result<ClientMessage<'a>, Error> {
    object.check()?;
    match &*object.required_string("type")? {
        "publish" => Publish::decode(object, Source::Connection).map(ClientMessage::Publish),
        "state" => Ok(ClientMessage::State {
            id: object.id()?,
            change: StateChange::decode(object)?,
        }),
        "auth" => Ok(ClientMessage::Auth {
            id: object.id()?,
            token: object.required_string("token")?.into(),
        }),
        "history" => HistoryQuery::decode(object).map(ClientMessage::History),
        unknown => Err(Error::new(ErrorCode::UnknownType)
            .with_message(format!("unknown type {}", excerpt(unknown)))),
    }
}

impl<'a> Publish<'a> {
    pub(crate) fn decode(object: &Object<'a>, source: Source) -> Result<Self, Error> {
        let id = object.id()?;
        let event = object.required_string("event")?;
        if !is_event_name(&event) {
            return Err(wrong(
                "event",
                "must have 1 to 128 characters, none a control character",
            ));
        }
        if is_reserved_event(&event) {
            return Err(wrong("event", "is reserved: it starts with \"roomful:\""));
        }
        let recipients = object.strings("to", MAX_RECIPIENTS)?;
        let to: Option<Vec<_>> = recipients.map(|texts| {
            texts
                .iter()
                .filter_map(|text| Recipient::parse(text))
                .collect()
        });
        let ephemeral = object.flag("ephemeral", false)?;
        let (echo, except) = match source {
            Source::Connection => (object.flag("echo", true)?, Vec::new()),
            Source::Http => (true, except(object)?),
        };
        Ok(Publish {
            id,
            event,
            data: object.json("data")?.unwrap_or(Json::NULL),
            ephemeral: ephemeral || to.is_some(),
            to,
            echo,
            except,
        })
    }
}

fn except(object: &Object<'_>) -> Result<Vec<ConnectionId>, Error> {
    let texts = object
        .strings("except", MAX_RECIPIENTS)?
        .unwrap_or_default();
    let known = texts.iter().filter_map(|text| ConnectionId::parse(text));
    Ok(known.collect())
}

impl<'a> StateChange<'a> {
    fn decode(object: &Object<'a>) -> Result<Self, Error> {
        // A `null` state is a value, which clears; a `null` patch is none.
        match (object.json("state")?, object.present("patch")) {
            (Some(_), Some(_)) => Err(Error::bad_message(
                "either \"state\" or \"patch\", not both",
            )),
            (None, None) => Err(Error::bad_message("\"state\" or \"patch\" is missing")),
            (Some(state), None) => Ok(StateChange::Set(state)),
            (None, Some(patch)) => Patch::parse(Json::from_raw(patch)?).map(StateChange::Patch),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
