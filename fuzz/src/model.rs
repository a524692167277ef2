//! What clients may say, told a second time: by `serde_json`, without a thought for speed, and
//! without a line of `src/protocol`. Where the two differ, one of them is wrong.

use std::collections::BTreeSet;

use crate::text::{self, Facts};

const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a message is refused, as its error's code.
pub type Refusal = &'static str;
const BAD: Refusal = "bad_message";

/// What a message of a connection says.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Publish(Publish),
    Set { id: Option<String>, state: String },
    Patch { id: Option<String>, patch: String },
    Auth { id: Option<String>, token: String },
    History(History),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Publish {
    pub id: Option<String>,
    pub event: String,
    pub data: String,
    pub ephemeral: bool,
    pub to: Option<Vec<String>>,
    pub echo: bool,
    pub except: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct History {
    pub id: Option<String>,
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub limit: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Disconnect {
    pub user: Option<String>,
    /// An id that cannot be one is nobody's.
    pub connection: Option<String>,
    pub ban_seconds: Option<u64>,
    pub reason: Option<String>,
}

/// The messages of a frame as they stand in it; `None` if it is refused as a whole.
pub fn frame(text: &str) -> Option<Vec<&str>> {
    let whole = text::value(text)?;
    match whole.as_bytes().first() {
        Some(b'{') => Some(vec![whole]),
        Some(b'[') => text::elements(whole).filter(|elements| elements.len() <= 100),
        _ => None,
    }
}

/// What a message of a connection says.
pub fn message(text: &str) -> Result<Message, Refusal> {
    let object = Object::checked(text)?;
    match object.required("type")?.as_str() {
        "publish" => publish_of(&object, true).map(Message::Publish),
        "state" => state(&object),
        "auth" => Ok(Message::Auth {
            id: object.id()?,
            token: object.required("token")?,
        }),
        "history" => Ok(Message::History(History {
            id: object.id()?,
            before: object.integer("before")?,
            after: object.integer("after")?,
            limit: match object.integer("limit")? {
                Some(0) => return Err(BAD),
                limit => limit.unwrap_or(100).min(500),
            },
        })),
        _ => Err("unknown_type"),
    }
}

fn state(object: &Object<'_>) -> Result<Message, Refusal> {
    let id = object.id()?;
    let compact = |text| Facts::of(text).compact;
    match (object.raw("state"), object.present("patch")) {
        (Some(state), None) => Ok(Message::Set {
            id,
            state: compact(state),
        }),
        (None, Some(patch)) => {
            let fields = text::fields(patch).ok_or(BAD)?;
            all_different(&fields)?;
            Ok(Message::Patch {
                id,
                patch: compact(patch),
            })
        }
        _ => Err(BAD),
    }
}

/// What a body of `POST /room/{room}/publish` says, or a message of a batch.
pub fn publish(text: &str) -> Result<Publish, Refusal> {
    publish_of(&Object::checked(text)?, false)
}

fn publish_of(object: &Object<'_>, connected: bool) -> Result<Publish, Refusal> {
    let id = object.id()?;
    let event = object.required("event")?;
    if !is_name(&event, 128) || event.starts_with("roomful:") {
        return Err(BAD);
    }
    let to = object.strings("to")?.map(|list| {
        let possible = |text: &String| match text.strip_prefix("user:") {
            Some(user) => is_name(user, 128),
            None => is_connection(text),
        };
        list.into_iter().filter(possible).collect()
    });
    let ephemeral = object.flag("ephemeral")?.unwrap_or(false) || to.is_some();
    let (mut echo, mut except) = (true, Vec::new());
    if connected {
        echo = object.flag("echo")?.unwrap_or(true);
    } else {
        except = object.strings("except")?.unwrap_or_default();
        except.retain(|id| is_connection(id));
    }
    let data = object.raw("data").unwrap_or("null");
    Ok(Publish {
        id,
        event,
        data: Facts::of(data).compact,
        ephemeral,
        to,
        echo,
        except,
    })
}

/// A message of a batch as it stands there, and its room or why there is none.
pub type Entry<'a> = (&'a str, Result<String, Refusal>);

/// The messages of a batch.
pub fn batch(text: &str) -> Result<Vec<Entry<'_>>, Refusal> {
    let object = Object::parse(text)?;
    let list = object.present("messages").ok_or(BAD)?;
    let elements = text::elements(list).ok_or(BAD)?;
    if !(1..=100).contains(&elements.len()) {
        return Err(BAD);
    }
    let room = |text| {
        // The room is read before anything else of the message is judged.
        let fields = text::fields(text).ok_or(BAD)?;
        let named = |(key, _): &&(&str, &str)| text::meaning(key).as_deref() == Some("room");
        match fields.iter().find(named).map(|(_, value)| *value) {
            Some(value) if value.starts_with('"') => match text::meaning(value) {
                Some(name) if is_room(&name) => Ok(name),
                _ => Err("invalid_room"),
            },
            _ => Err(BAD),
        }
    };
    Ok(elements
        .into_iter()
        .map(|text| (text, room(text)))
        .collect())
}

/// What a body of `POST /room/{room}/disconnect` says.
pub fn disconnect(text: &str) -> Result<Disconnect, Refusal> {
    let object = Object::checked(text)?;
    let (user, connection) = (object.string("user")?, object.string("connection")?);
    if user.is_some() == connection.is_some() {
        return Err(BAD);
    }
    if user.as_ref().is_some_and(|user| !is_name(user, 128)) {
        return Err(BAD);
    }
    let cut = |reason: String| {
        let fits = |end: &usize| *end <= 123 && reason.is_char_boundary(*end);
        let end = (0..=reason.len()).filter(fits).max().unwrap_or(0);
        reason[..end].to_owned()
    };
    Ok(Disconnect {
        user,
        connection: connection.filter(|id| is_connection(id)),
        ban_seconds: object.integer("ban_seconds")?,
        reason: object.string("reason")?.map(cut),
    })
}

fn is_name(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_room(text: &str) -> bool {
    let known = |char: char| char.is_ascii_alphanumeric() || "_-.:~@".contains(char);
    (1..=128).contains(&text.len()) && text.chars().all(known)
}

fn is_connection(text: &str) -> bool {
    let digit = |char: char| char.is_ascii_digit() || char.is_ascii_lowercase();
    (1..=10).contains(&text.len())
        && text.chars().all(digit)
        && (text == "0" || !text.starts_with('0'))
}

fn all_different(fields: &[(&str, &str)]) -> Result<(), Refusal> {
    let mut keys = BTreeSet::new();
    for (key, _) in fields {
        if !keys.insert(text::meaning(key).ok_or(BAD)?) {
            return Err(BAD);
        }
    }
    Ok(())
}

/// An object whose keys are all different, as Unicode text.
struct Object<'a>(Vec<(String, &'a str)>);

impl<'a> Object<'a> {
    fn parse(text: &'a str) -> Result<Object<'a>, Refusal> {
        let fields = text::fields(text).ok_or(BAD)?;
        all_different(&fields)?;
        let entry = |(key, value)| Some((text::meaning(key)?, value));
        let entries: Option<Vec<_>> = fields.into_iter().map(entry).collect();
        Ok(Object(entries.ok_or(BAD)?))
    }

    /// Refuses what no message may hold, whatever its type (C6).
    fn checked(text: &'a str) -> Result<Object<'a>, Refusal> {
        let object = Object::parse(text)?;
        let facts = Facts::of(text);
        if facts.unicode && facts.depth <= 64 {
            Ok(object)
        } else {
            Err(BAD)
        }
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    fn present(&self, name: &str) -> Option<&'a str> {
        self.raw(name).filter(|value| *value != "null")
    }

    fn string(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.present(name) {
            None => Ok(None),
            Some(value) => text::meaning(value).map(Some).ok_or(BAD),
        }
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.string(name)?.ok_or(BAD)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.present(name) {
            None => Ok(None),
            Some(value) => serde_json::from_str(value).map(Some).map_err(|_| BAD),
        }
    }

    fn integer(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.present(name).map(serde_json::from_str) {
            None => Ok(None),
            Some(Ok(number)) if number <= MAX_INTEGER => Ok(Some(number)),
            Some(_) => Err(BAD),
        }
    }

    fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.present(name) else {
            return Ok(None);
        };
        let list: Vec<String> = serde_json::from_str(value).map_err(|_| BAD)?;
        if list.len() > 100 {
            return Err(BAD);
        }
        Ok(Some(list))
    }

    fn id(&self) -> Result<Option<String>, Refusal> {
        match self.string("id")? {
            Some(id) if !(1..=64).contains(&id.chars().count()) => Err(BAD),
            id => Ok(id),
        }
    }
}
