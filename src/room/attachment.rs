//! What hibernation must not lose of a connection: the bytes of a socket's attachment.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::connection::{Connection, Kind, User};
use super::rate::{Faults, Rate};
use crate::auth::Rights;
use crate::protocol::{ConnectionId, Json, Raw, Scanner};

/// The form that is written here. A connection whose attachment has a higher one, written by a newer
/// release before it was rolled back, is not read: the shell asks it to reconnect, and it resumes.
const VERSION: u64 = 1;

/// JSON with one-letter keys; unknown keys are ignored and every key but the identity has a
/// default, so that versions with other keys can read it. A form that this one could not live with
/// has a key `v` above [`VERSION`]; without it, it is 1. (Whether it is carried as a string or as
/// bytes is the host's matter: `host.js` reads both.) At most 16,384 bytes:
/// 12,000 of state, 2,048 of info and 512 of user id leave room for the numbers.
#[derive(Serialize)]
struct Attachment<'a> {
    /// Epoch: an attachment of an earlier life of the room is nobody's (H5).
    e: &'a str,
    c: ConnectionId,
    /// User and info.
    u: &'a str,
    i: &'a RawValue,
    /// Presence state and time of joining, of a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'a RawValue>,
    j: u64,
    /// Rights, and the end of the token.
    r: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<u64>,
    /// First offset.
    o: u64,
    /// Whether it is a plain client.
    p: bool,
    /// Rate and faults.
    b: (u64, u64, u64),
    #[serde(skip_serializing_if = "Vec::is_empty")]
    f: Vec<u64>,
    /// When it was heard, and when there was traffic.
    h: u64,
    t: u64,
}

/// The same as it is read: a large room reads so many at once, before its first answer, that the text
/// is gone through once and by hand. What is not a key of ours is `None` or 0.
#[derive(Default)]
struct Read<'a> {
    epoch: Option<Cow<'a, str>>,
    connection: Option<ConnectionId>,
    user: Option<Cow<'a, str>>,
    info: Option<&'a str>,
    state: Option<&'a str>,
    joined_at: u64,
    rights: Option<u8>,
    expires_at: Option<u64>,
    first_offset: u64,
    plain: bool,
    rate: (u64, u64, u64),
    faults: Vec<u64>,
    heard_at: u64,
    traffic_at: u64,
}

impl<'a> Read<'a> {
    /// `None` for what is no attachment.
    fn of(text: &'a str) -> Option<Read<'a>> {
        let mut read = Read::default();
        let mut scanner = Scanner::new(text);
        let mut opening = b'{';
        while scanner.take(opening) {
            let key = scanner.string().ok()?;
            scanner.expect(b':', "").ok()?;
            let value = scanner.value().ok()?;
            read.note(key.text.as_bytes(), &value)?;
            opening = b',';
        }
        (scanner.take(b'}') && scanner.expect_end().is_ok()).then_some(read)
    }

    fn note(&mut self, key: &[u8], value: &Raw<'a>) -> Option<()> {
        let [_, key, _] = key else { return Some(()) };
        match key {
            b'e' => self.epoch = Some(string(value)?),
            b'c' => self.connection = Some(ConnectionId::parse(&string(value)?)?),
            b'u' => self.user = Some(string(value)?),
            b'i' => self.info = Some(value.text),
            b's' => self.state = Some(value.text),
            b'j' => self.joined_at = number(value.text)?,
            b'r' => self.rights = Some(value.text.parse().ok()?),
            b'x' => self.expires_at = Some(number(value.text)?),
            b'o' => self.first_offset = number(value.text)?,
            b'p' => self.plain = value.text == "true",
            b'b' => match numbers(value)?.as_slice() {
                &[full_at, over_since, refused_at] => {
                    self.rate = (full_at, over_since, refused_at);
                }
                _ => return None,
            },
            b'f' => self.faults = numbers(value)?,
            b'h' => self.heard_at = number(value.text)?,
            b't' => self.traffic_at = number(value.text)?,
            b'v' if number(value.text)? > VERSION => return None,
            _ => {}
        }
        Some(())
    }
}

fn string<'a>(value: &Raw<'a>) -> Option<Cow<'a, str>> {
    value.text.starts_with('"').then(|| value.meaning())
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn numbers(value: &Raw<'_>) -> Option<Vec<u64>> {
    let list = value.text.strip_prefix('[')?.strip_suffix(']')?;
    list.split_terminator(',').map(number).collect()
}

/// What an attachment tells of a member.
#[derive(Debug)]
pub struct Restored {
    pub connection: Connection,
    pub state: Json<'static>,
    pub joined_at: u64,
}

impl Connection {
    /// The bytes to attach to its socket. `member` is its presence state and time of joining.
    pub fn attachment(
        &self,
        epoch: &str,
        member: Option<(&Json<'_>, u64)>,
    ) -> Result<String, serde_json::Error> {
        let state = match member {
            Some((state, _)) if !state.is_null() => {
                Some(serde_json::from_str::<&RawValue>(state.as_str())?)
            }
            _ => None,
        };
        serde_json::to_string(&Attachment {
            e: epoch,
            c: self.id,
            u: &self.user.id,
            i: serde_json::from_str(self.user.info.as_str())?,
            s: state,
            j: member.map_or(0, |(_, at)| at),
            r: self.can.bits(),
            x: self.expires_at,
            o: self.first_offset,
            p: self.kind == Kind::PlainSocket,
            b: self.rate.to_parts(),
            f: self.faults.to_parts(),
            h: self.heard_at,
            t: self.traffic_at,
        })
    }

    /// Reads an attachment; `None` for one of another epoch, and for what is no attachment.
    pub fn restore(attachment: &str, epoch: &str, now: u64) -> Option<Restored> {
        let read = Read::of(attachment)?;
        if read.epoch? != epoch {
            return None;
        }
        let user = Rc::new(User {
            id: read.user?.into(),
            info: Json::trusted(read.info?.to_owned()),
        });
        let kind = Kind::socket(!read.plain);
        let can = Rights::from_bits(read.rights?);
        // The clock may have been set back meanwhile, by so much at least.
        let mut rate = Rate::from_parts(read.rate);
        rate.set_back(read.heard_at.saturating_sub(now));
        Some(Restored {
            connection: Connection {
                expires_at: read.expires_at,
                first_offset: read.first_offset,
                rate,
                faults: Faults::from_parts(read.faults),
                heard_at: read.heard_at.min(now),
                traffic_at: read.traffic_at.min(now),
                ..Connection::new(read.connection?, kind, user, can, now)
            },
            state: read
                .state
                .map_or(Json::NULL, |state| Json::trusted(state.to_owned())),
            joined_at: read.joined_at,
        })
    }
}
