//! What rooms, events, messages and users may be called.

use super::{Error, ErrorCode};

/// Longest room name, in characters (N1).
pub const MAX_ROOM_NAME: usize = 128;
/// Longest event name, in characters (N2).
pub const MAX_EVENT_NAME: usize = 128;
/// Longest id of a message, in characters (N2).
pub const MAX_MESSAGE_ID: usize = 64;
/// Longest user id, in characters (N3).
pub const MAX_USER_ID: usize = 128;
/// Event names that start like this belong to Roomful (N2).
pub const RESERVED_PREFIX: &str = "roomful:";

/// The room that a path segment names: percent-decoded once, then checked (N1).
///
/// ```
/// use roomful::protocol::names::room_name;
///
/// assert_eq!(room_name("team%3A7").as_deref(), Ok("team:7"));
/// assert!(room_name("a%2Fb").is_err());
/// ```
///
/// # Errors
/// [`ErrorCode::InvalidRoom`] for a broken escape and for a name against the rule.
pub fn room_name(percent_encoded: &str) -> Result<String, Error> {
    percent_decode(percent_encoded)
        .filter(|name| is_room_name(name))
        .ok_or_else(|| Error::new(ErrorCode::InvalidRoom))
}

/// Whether this, already decoded, may name a room: 1 to 128 of `A-Z a-z 0-9 _ - . : ~ @` (N1).
pub fn is_room_name(name: &str) -> bool {
    matches!(name.len(), 1..=MAX_ROOM_NAME)
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'~' | b'@')
        })
}

/// Whether this may name an event: 1 to 128 characters, none a control character (N2). A reserved
/// name passes here; see [`is_reserved_event`].
pub fn is_event_name(name: &str) -> bool {
    has_characters(name, MAX_EVENT_NAME) && !name.contains(char::is_control)
}

/// Whether clients may not publish this event, because its name starts with `roomful:` (N2).
pub fn is_reserved_event(name: &str) -> bool {
    name.starts_with(RESERVED_PREFIX)
}

/// Whether this may be the id of a message: 1 to 64 characters (N2).
pub fn is_message_id(id: &str) -> bool {
    has_characters(id, MAX_MESSAGE_ID)
}

/// Whether this may be the id of a user: 1 to 128 characters, none a control character (N3).
pub fn is_user_id(id: &str) -> bool {
    has_characters(id, MAX_USER_ID) && !id.contains(char::is_control)
}

/// From 1 to `most` characters. The length in bytes settles most cases without counting.
fn has_characters(text: &str, most: usize) -> bool {
    match text.len() {
        0 => false,
        bytes if bytes <= most => true,
        bytes if bytes > most.saturating_mul(4) => false,
        _ => text.chars().count() <= most,
    }
}

/// `None` if an escape is broken or the bytes are no UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from((high << 4) | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_room_names_have_their_characters_and_length() {
        for name in [
            "a",
            "0",
            "lobby",
            "A-Z_a.z:0~9@x",
            ".",
            "~",
            &"r".repeat(128),
        ] {
            assert_eq!(room_name(name).as_deref(), Ok(name));
        }
        for name in [
            "",
            "a b",
            "a/b",
            "a+b",
            "é",
            "a\0",
            "a?",
            "a*",
            &"r".repeat(129),
        ] {
            assert!(!is_room_name(name), "{name:?}");
            let error = room_name(name).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRoom);
        }
    }

    #[test]
    fn n1_a_room_name_is_percent_decoded_once() {
        assert_eq!(room_name("team%3A7%40x%7e").as_deref(), Ok("team:7@x~"));
        assert_eq!(room_name("%61%62").as_deref(), Ok("ab"));
        assert_eq!(
            room_name(&"%61".repeat(128)).map(|name| name.len()),
            Ok(128)
        );
        for name in [
            "a%2Fb", "a%252Fb", "%2541", "%20", "%00", "%", "a%", "%4", "%4g", "%+1", "%c3%a9",
            "%ff",
        ] {
            assert!(room_name(name).is_err(), "{name}");
        }
        assert!(room_name(&"%61".repeat(129)).is_err());
    }

    #[test]
    fn n2_lengths_are_in_characters() {
        assert!(is_event_name(&"😀".repeat(128)));
        assert!(!is_event_name(&"😀".repeat(129)));
        assert!(is_message_id(&"😀".repeat(64)));
        assert!(!is_message_id(&"😀".repeat(65)));
        assert!(!is_event_name("") && !is_message_id(""));
        assert!(!is_event_name(&"a".repeat(100_000)));
    }

    #[test]
    fn n2_reserved_names_start_with_the_prefix() {
        assert!(is_reserved_event("roomful:") && is_reserved_event("roomful:state"));
        assert!(!is_reserved_event("roomful") && !is_reserved_event("ROOMFUL:x"));
    }

    #[test]
    fn n3_user_ids_have_no_control_characters() {
        for id in [
            "a",
            "auth0|5f7c",
            "ana@example.org",
            "Ana María",
            &"😀".repeat(128),
        ] {
            assert!(is_user_id(id), "{id}");
        }
        for id in ["", "a\n", "\0", "a\u{9f}", &"a".repeat(129)] {
            assert!(!is_user_id(id), "{id:?}");
        }
    }
}
