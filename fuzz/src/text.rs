//! JSON text looked at in the plainest way. Takes texts that `serde_json` has accepted.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The value in a text, without the whitespace around it; `None` if it is no JSON.
pub fn value(text: &str) -> Option<&str> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    Some(raw.get())
}

/// The elements of an array, as they stand there.
pub fn elements(array: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The fields of an object, keys with their quotes, in the order of the text.
pub fn fields(object: &str) -> Option<Vec<(&str, &str)>> {
    let Fields(fields) = serde_json::from_str(object).ok()?;
    Some(fields)
}

/// What a JSON string means; `None` if it holds half a surrogate pair.
pub fn meaning(string: &str) -> Option<String> {
    serde_json::from_str(string).ok()
}

/// What each key means, and its last value without whitespace.
pub fn map(object: &str) -> Option<BTreeMap<String, String>> {
    let entry = |(key, value)| Some((meaning(key)?, Facts::of(value).compact));
    fields(object)?.into_iter().map(entry).collect()
}

/// What there is to know about a value.
#[derive(Debug)]
pub struct Facts {
    /// How many objects and arrays are nested in each other.
    pub depth: usize,
    /// Whether all strings and keys are Unicode text.
    pub unicode: bool,
    /// The value without whitespace outside strings.
    pub compact: String,
}

impl Facts {
    pub fn of(value: &str) -> Facts {
        let mut facts = Facts {
            depth: 0,
            unicode: true,
            compact: String::new(),
        };
        let mut open = 0_usize;
        let mut rest = value;
        while let Some(char) = rest.chars().next() {
            let (token, after) = match char {
                '"' => rest.split_at(string_len(rest)),
                _ => rest.split_at(char.len_utf8()),
            };
            match char {
                '"' => facts.unicode &= meaning(token).is_some(),
                '[' | '{' => open += 1,
                ']' | '}' => open -= 1,
                _ => {}
            }
            facts.depth = facts.depth.max(open);
            if !matches!(char, ' ' | '\t' | '\n' | '\r') {
                facts.compact.push_str(token);
            }
            rest = after;
        }
        facts
    }
}

/// Length of the string at the beginning of a text, with its quotes.
fn string_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    if !key.get().starts_with('"') {
                        return Err(A::Error::custom("not a key"));
                    }
                    fields.push((key.get(), value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
