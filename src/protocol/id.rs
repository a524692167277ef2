//! Short names of connections.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const RADIX: u32 = 36;
const BASE: u64 = 36;

/// 36 to the power of 10: the first number that takes an eleventh character.
const END: u64 = 3_656_158_440_062_976;

/// The id of a connection: a number, written in base 36 with at most 10 of `a-z0-9` (C2). It is in
/// every message of a room, hence short. A number has one spelling only, so an id that a client
/// sends either names that connection or nobody.
///
/// ```
/// use roomful::protocol::ConnectionId;
///
/// let id = ConnectionId::parse("2n9c").ok_or("not an id")?;
/// assert_eq!(id.to_string(), "2n9c");
/// assert_eq!(ConnectionId::parse("2N9C"), None);
/// assert_eq!(ConnectionId::parse("02n9c"), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The id of this number; `None` if it takes more than 10 characters.
    pub fn new(number: u64) -> Option<Self> {
        (number < END).then_some(ConnectionId(number))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Reads an id in the one spelling that it has.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = matches!(text.len(), 1..=10)
            && (text == "0" || !text.starts_with('0'))
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'));
        if !canonical {
            return None;
        }
        u64::from_str_radix(text, RADIX).ok().and_then(Self::new)
    }

    /// Appends the id to `out`, without quotes.
    pub fn push_to(self, out: &mut String) {
        let mut digits = ['0'; 10];
        let mut rest = self.0;
        let mut used = 0_usize;
        for digit in digits.iter_mut().rev() {
            let value =
                u32::try_from(rest.checked_rem(BASE).unwrap_or_default()).unwrap_or_default();
            *digit = char::from_digit(value, RADIX).unwrap_or('0');
            rest = rest.checked_div(BASE).unwrap_or_default();
            used = used.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        out.extend(digits.iter().skip(digits.len().saturating_sub(used)));
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(10);
        self.push_to(&mut text);
        f.pad(&text)
    }
}

impl Serialize for ConnectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ConnectionId::parse(&text).ok_or_else(|| de::Error::custom("not a connection id"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn c2_an_id_is_at_most_ten_characters() {
        let text = |number| ConnectionId::new(number).map(|id| id.to_string());
        assert_eq!(text(0).as_deref(), Some("0"));
        assert_eq!(text(35).as_deref(), Some("z"));
        assert_eq!(text(36).as_deref(), Some("10"));
        assert_eq!(text(END - 1).as_deref(), Some("zzzzzzzzzz"));
        assert_eq!(text(END), None);
        assert_eq!(text(u64::MAX), None);
    }

    #[test]
    fn c2_an_id_has_one_spelling() {
        for text in [
            "",
            "A",
            "00",
            "01",
            "-1",
            "+1",
            " 1",
            "1 ",
            "é",
            "10000000000",
            "a_b",
        ] {
            assert_eq!(ConnectionId::parse(text), None, "{text:?}");
        }
        let id: ConnectionId = serde_json::from_str("\"2n9c\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"2n9c\"");
        assert!(serde_json::from_str::<ConnectionId>("\"02\"").is_err());
    }

    proptest! {
        #[test]
        fn c2_every_id_can_be_read_back(number in 0..END) {
            let id = ConnectionId::new(number).unwrap();
            let text = id.to_string();
            prop_assert_eq!(ConnectionId::parse(&text), Some(id));
            prop_assert_eq!(id.get(), number);
        }

        #[test]
        fn c2_what_is_read_is_written_the_same(text in "[a-z0-9]{1,11}") {
            if let Some(id) = ConnectionId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
