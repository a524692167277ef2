//! A room in memory, from the first event after a wake until it is let go of.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::{Env, State};

use super::config::config;
use super::database::Database;
use super::host::{Host, describe, random};
use super::tokens;
use crate::protocol::ErrorCode;
use crate::room::{Fresh, Link, Room};

/// The room and its storage.
pub struct Life {
    pub name: String,
    pub room: Room,
    pub database: Database,
}

impl Life {
    /// Restores the room from its storage and from the attachments of its sockets, to which the host gives new links.
    ///
    /// # Errors
    ///
    /// What the runtime said, for the operator's log. It can be tried again.
    pub fn begin(name: String, state: &State, env: &Env, host: &Rc<Host>) -> Result<Life, String> {
        // With limits that nobody has set a room might erase what it is to keep.
        let config = config(env).map_err(|error| error.to_string())?;
        let mut database =
            Database::open(&state.storage(), host.clone()).map_err(|error| error.to_string())?;
        let fresh = fresh().map_err(|error| describe(&error))?;
        let attachments = host.restore().map_err(|error| describe(&error))?;
        let attachments = String::from_utf8(attachments).unwrap_or_default();
        let lines = if attachments.is_empty() {
            None
        } else {
            Some(attachments.split('\n'))
        };
        let sockets = lines
            .into_iter()
            .flatten()
            .zip(1_u32..)
            .map(|(line, link)| (Link(link), line));
        let room = Room::restore(
            name.clone(),
            config.limits.clone(),
            fresh,
            tokens::now(),
            sockets,
            &mut database,
        )
        .map_err(|error| error.to_string())?;
        for link in 1..host.next_link() {
            if room.has_closed(Link(link)) {
                host.silence(link);
            } else if !room.knows(Link(link)) {
                // Its attachment cannot be read, by a rollback perhaps: the client would wait for ever.
                let restarting = ErrorCode::Restarting;
                host.close(link, restarting.close(), restarting.as_str(), "")
                    .map_err(|error| describe(&error))?;
            }
        }
        Ok(Life {
            name,
            room,
            database,
        })
    }
}

/// Random values for a new epoch of the room.
pub fn fresh() -> Result<Fresh, JsValue> {
    let random = random(40)?;
    let (name, key) = random.split_at_checked(8).ok_or(JsValue::UNDEFINED)?;
    let name = name.iter().fold(0_u64, |number, byte| {
        number.wrapping_shl(8) | u64::from(*byte)
    });
    let key = <[u8; 32]>::try_from(key).map_err(|_| JsValue::UNDEFINED)?;
    Ok(Fresh {
        epoch: base36(name),
        key,
    })
}

/// At most 13 characters of `a-z0-9`.
fn base36(mut number: u64) -> String {
    let mut text = String::new();
    while number > 0 {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        text.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    text
}
