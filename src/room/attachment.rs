//! What hibernation must not lose of a connection: the bytes of a socket's attachment.

use std::borrow::Cow;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::connection::{Connection, Kind, User};
use super::rate::{Faults, Rate};
use crate::auth::Rights;
use crate::protocol::{ConnectionId, Json};

/// JSON with one-letter keys; unknown keys are ignored and every key but the identity has a
/// default, so that the version before and the one after this can read it. At most 16,384 bytes:
/// 12,000 of state, 2,048 of info and 512 of user id leave room for the numbers.
#[derive(Serialize, Deserialize)]
struct Attachment<'a> {
    /// Epoch: an attachment of an earlier life of the room is nobody's (H5).
    #[serde(borrow)]
    e: Cow<'a, str>,
    c: ConnectionId,
    /// User and info.
    #[serde(borrow)]
    u: Cow<'a, str>,
    #[serde(borrow)]
    i: &'a RawValue,
    /// Presence state and time of joining, of a member.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    s: Option<&'a RawValue>,
    #[serde(default)]
    j: u64,
    /// Rights, and the end of the token.
    r: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<u64>,
    /// First offset.
    #[serde(default)]
    o: u64,
    /// Whether it is a plain client.
    #[serde(default)]
    p: bool,
    /// Rate and faults.
    #[serde(default)]
    b: (u64, u64, u64),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    f: Vec<u64>,
    /// When it was heard, and when there was traffic.
    #[serde(default)]
    h: u64,
    #[serde(default)]
    t: u64,
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
            e: epoch.into(),
            c: self.id,
            u: self.user.id.as_ref().into(),
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

    /// Reads an attachment; `None` for one of another epoch, and for bytes that are no attachment.
    pub fn restore(attachment: &str, epoch: &str, now: u64) -> Option<Restored> {
        let a: Attachment<'_> = serde_json::from_str(attachment).ok()?;
        if a.e != epoch {
            return None;
        }
        let info = Json::trusted(a.i.get().to_owned());
        let user = Rc::new(User {
            id: a.u.into(),
            info,
        });
        let kind = Kind::socket(!a.p);
        Some(Restored {
            connection: Connection {
                expires_at: a.x,
                first_offset: a.o,
                rate: Rate::from_parts(a.b),
                faults: Faults::from_parts(a.f),
                // The clock may have been set back meanwhile.
                heard_at: a.h.min(now),
                traffic_at: a.t.min(now),
                ..Connection::new(a.c, kind, user, Rights::from_bits(a.r), now)
            },
            state: a
                .s
                .map_or(Json::NULL, |s| Json::trusted(s.get().to_owned())),
            joined_at: a.j,
        })
    }
}
