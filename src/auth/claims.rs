//! What a verified token says about its bearer (T2).

use crate::protocol::names::is_user_id;
use crate::protocol::{Error, ErrorCode, Json, MAX_INFO_BYTES, MAX_INTEGER};

use super::config::TokenRules;
use super::grant::Grant;
use super::object::Object;
use super::rights::Rights;
use super::rooms::{MAX_ROOMS, Rooms};
use super::token::invalid;

/// How far, in milliseconds, the clock of whoever signs may be off: a token holds
/// this much longer than its `exp` says and this much earlier than its `nbf`.
pub const LEEWAY_MS: u64 = 5_000;

/// Who a request comes from and what they may do, in all rooms of the token.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// The token's `sub` (N3).
    pub user: Box<str>,
    /// A JSON object, `{}` if the token has none.
    pub info: Json<'static>,
    /// The rights, in every room that the token reaches.
    pub can: Rights,
    /// The token's `exp` in milliseconds since the epoch, without leeway; `None`
    /// for an anonymous bearer, whose claims do not end.
    pub expires_at: Option<u64>,
    /// The rooms that the token reaches.
    pub rooms: Rooms,
}

impl Claims {
    /// The claims of somebody without a token, where none is needed (T6): all
    /// rights in all rooms.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidToken`] if `user` is no user id (N3).
    pub fn anonymous(user: &str) -> Result<Claims, Error> {
        if !is_user_id(user) {
            return Err(invalid(
                "`user` must have 1 to 128 characters, no control characters.",
            ));
        }
        Ok(Claims {
            user: user.into(),
            info: Json::EMPTY_OBJECT,
            can: Rights::ALL,
            expires_at: None,
            rooms: Rooms::every(),
        })
    }

    /// Whether the token reaches this room, given by its decoded name.
    pub fn allows_room(&self, room: &str) -> bool {
        self.rooms.contains(room)
    }

    /// What the bearer may do in this room, given by its decoded name.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`] if the token does not reach the room.
    pub fn grant(&self, room: &str) -> Result<Grant, Error> {
        if !self.allows_room(room) {
            return Err(Error::new(ErrorCode::Forbidden)
                .with_message("The token does not reach this room."));
        }
        Ok(Grant {
            user: self.user.clone(),
            info: self.info.clone(),
            can: self.can,
            expires_at: self.expires_at,
        })
    }

    /// The claims of a token's payload, whose signature has been verified.
    ///
    /// A claim that is there must be right: `null` or another type is refused
    /// rather than read as absent, which would widen what the token allows.
    pub(super) fn read(payload: &[u8], rules: &TokenRules, now_ms: u64) -> Result<Claims, Error> {
        let object = str::from_utf8(payload)
            .ok()
            .and_then(Object::parse)
            .ok_or_else(|| invalid("The token's payload is no JSON object with each key once."))?;

        let expires_at = time(&object, "exp", "The token's `exp` is no time.")?
            .ok_or_else(|| invalid("The token has no `exp`."))?;
        if now_ms >= expires_at.saturating_add(LEEWAY_MS) {
            return Err(Error::new(ErrorCode::TokenExpired));
        }
        let not_before = time(&object, "nbf", "The token's `nbf` is no time.")?;
        if not_before.is_some_and(|at| now_ms.saturating_add(LEEWAY_MS) < at) {
            return Err(invalid("The token is not valid yet."));
        }
        check_parties(&object, rules)?;

        Ok(Claims {
            user: user(&object)?,
            info: info(&object)?,
            can: rights(&object)?,
            expires_at: Some(expires_at),
            rooms: rooms(&object)?,
        })
    }
}

/// A NumericDate of RFC 7519, seconds since the epoch, as milliseconds: a
/// fraction of a second is cut off, and what is beyond all calendars is the last
/// moment that JavaScript can name.
fn time(object: &Object<'_>, claim: &str, wrong: &'static str) -> Result<Option<u64>, Error> {
    match object.get::<f64>(claim) {
        Ok(None) => Ok(None),
        // `as` saturates.
        Ok(Some(seconds)) if seconds.is_finite() && seconds >= 0.0 => Ok(Some(
            (seconds as u64).saturating_mul(1_000).min(MAX_INTEGER),
        )),
        _ => Err(invalid(wrong)),
    }
}

/// `iss` and `aud`, as far as the operator asked for them.
fn check_parties(object: &Object<'_>, rules: &TokenRules) -> Result<(), Error> {
    if let Some(issuer) = rules.issuer() {
        match object.string("iss") {
            Ok(Some(iss)) if iss == issuer => {}
            _ => {
                return Err(invalid(
                    "The token is not from the issuer that this server trusts.",
                ));
            }
        }
    }
    if let Some(audience) = rules.audience() {
        match object.strings("aud") {
            Ok(Some(aud)) if aud.iter().any(|entry| entry == audience) => {}
            _ => {
                return Err(invalid(
                    "The token is not meant for this server: its `aud` is another.",
                ));
            }
        }
    }
    Ok(())
}

fn user(object: &Object<'_>) -> Result<Box<str>, Error> {
    match object.string("sub") {
        Ok(None) => Err(invalid("The token has no `sub`.")),
        Ok(Some(sub)) if is_user_id(&sub) => Ok(sub.into()),
        _ => Err(invalid(
            "The token's `sub` must be a string of 1 to 128 characters, no control characters.",
        )),
    }
}

fn info(object: &Object<'_>) -> Result<Json<'static>, Error> {
    let Some(text) = object.text("info") else {
        return Ok(Json::EMPTY_OBJECT);
    };
    let info = Json::parse(text)
        .ok()
        .filter(Json::is_object)
        .ok_or_else(|| invalid("The token's `info` is no JSON object."))?;
    if info.len() > MAX_INFO_BYTES {
        return Err(invalid("The token's `info` is longer than 2,048 bytes."));
    }
    Ok(info.into_owned())
}

fn rights(object: &Object<'_>) -> Result<Rights, Error> {
    match object.get::<Vec<String>>("can") {
        Ok(None) => Ok(Rights::DEFAULT),
        Ok(Some(names)) => Ok(Rights::from_names(names)),
        Err(_) => Err(invalid("The token's `can` is no list of strings.")),
    }
}

fn rooms(object: &Object<'_>) -> Result<Rooms, Error> {
    match object.strings("room") {
        Ok(None) => Ok(Rooms::default()),
        Ok(Some(entries)) if entries.len() <= MAX_ROOMS => Ok(Rooms::new(entries)),
        Ok(Some(_)) => Err(invalid("The token's `room` has more than 100 entries.")),
        Err(_) => Err(invalid(
            "The token's `room` is no string and no list of strings.",
        )),
    }
}

#[cfg(test)]
mod tests;
