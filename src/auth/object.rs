//! A JSON object whose values are still text, each key at most once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::map::Map;

/// The members of a JSON object by their decoded key.
///
/// A key that stands twice makes the whole object invalid: two readers of one
/// token must never see two different users.
pub(super) struct Object<'a>(Map<String, &'a RawValue>);

/// A member that is there with a value of the wrong type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongType;

impl<'a> Object<'a> {
    /// `None` if the text is not exactly one JSON object.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The value's JSON text.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|raw| raw.get())
    }

    /// The value as a `T`, nothing if the key is absent. `null` is a value.
    pub(super) fn get<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, WrongType> {
        match self.text(key) {
            None => Ok(None),
            Some(text) => serde_json::from_str(text).map(Some).map_err(|_| WrongType),
        }
    }

    /// The value as a string, nothing if the key is absent.
    pub(super) fn string(&self, key: &str) -> Result<Option<String>, WrongType> {
        self.get(key)
    }

    /// The value as a list of strings, where a lone string is a list of one.
    pub(super) fn strings(&self, key: &str) -> Result<Option<Vec<String>>, WrongType> {
        match self.string(key) {
            Ok(one) => Ok(one.map(|one| vec![one])),
            Err(WrongType) => self.get(key),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Map::default();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            if members.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_a_key_that_stands_twice_is_refused_however_it_is_spelt() {
        assert!(Object::parse(r#"{"sub":"a","exp":1}"#).is_some());
        assert!(Object::parse(r#"{"sub":"a","sub":"b"}"#).is_none());
        assert!(Object::parse(r#"{"sub":"a","\u0073ub":"b"}"#).is_none());
    }

    #[test]
    fn t2_only_one_whole_object_is_an_object() {
        for text in [
            "",
            "[]",
            "null",
            "\"{}\"",
            "{} {}",
            "{}x",
            "{\"a\":}",
            "\u{feff}{}",
        ] {
            assert!(Object::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn t2_deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let object = Object::parse(&deep);
        assert!(object.is_none_or(|object| object.string("a") == Err(WrongType)));
    }

    #[test]
    fn t2_a_lone_string_is_a_list_of_one() {
        let object = Object::parse(r#"{"one":"a","list":["a","b"],"number":1,"mixed":["a",1]}"#);
        let object = object.expect("an object");
        assert_eq!(object.strings("one"), Ok(Some(vec!["a".to_owned()])));
        assert_eq!(
            object.strings("list").map(|list| list.map(|l| l.len())),
            Ok(Some(2))
        );
        assert_eq!(object.strings("number"), Err(WrongType));
        assert_eq!(object.strings("mixed"), Err(WrongType));
        assert_eq!(object.strings("absent"), Ok(None));
    }
}
