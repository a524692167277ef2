//! Merging the top-level keys of a presence state (P1).

use std::borrow::Cow;
use std::collections::hash_map;

use crate::map::Map;

use super::object::{Field, Object, duplicate_key, wrong};
use super::{Error, Json};

/// A change of some top-level keys of an object; `null` removes one. Keys are the same if they
/// mean the same string, however they are escaped. Texts of keys and values are kept.
///
/// ```
/// use roomful::protocol::{Json, Patch};
///
/// let state = Json::parse(r#"{"x":1,"y":2}"#)?;
/// let patch = Patch::parse(Json::parse(r#"{"y":null,"z":3.0}"#)?)?;
/// assert_eq!(patch.apply(&state).as_str(), r#"{"x":1,"z":3.0}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch<'a> {
    entries: Entries<'a>,
}

impl<'a> Patch<'a> {
    /// Reads a patch.
    ///
    /// # Errors
    /// [`super::ErrorCode::BadMessage`] if it is no object, or has a key twice.
    pub fn parse(json: Json<'a>) -> Result<Self, Error> {
        if !json.is_object() {
            return Err(wrong("patch", "must be an object"));
        }
        let entries = match json.into_text() {
            Cow::Borrowed(text) => Entries::each_once(text)?,
            Cow::Owned(text) => Entries::each_once(&text)?.into_owned(),
        };
        Ok(Patch { entries })
    }

    /// The state after this patch. A state that is no object counts as `{}`. Keys that stay keep
    /// their place, new ones come last.
    pub fn apply(&self, state: &Json<'_>) -> Json<'static> {
        let mut entries = Entries::last_wins(state.as_str());
        for entry in &self.entries.list {
            entries.set(entry.clone());
        }
        entries.to_json(|entry| entry.value != "null" || !self.entries.has(&entry.key))
    }

    /// Adds a later patch, so that this one does what both did in a row. A removal stays in it.
    pub fn merge(&mut self, later: Patch<'a>) {
        for entry in later.entries.list {
            self.entries.set(entry);
        }
    }

    /// The patch as it is sent.
    pub fn to_json(&self) -> Json<'static> {
        self.entries.to_json(|_| true)
    }

    /// The same, independent of the text it was read from.
    pub fn into_owned(self) -> Patch<'static> {
        Patch {
            entries: self.entries.into_owned(),
        }
    }
}

/// Keys in the order of their first appearance, each once. The second index keeps a patch of ten
/// thousand keys from costing a hundred million comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entries<'a> {
    list: Vec<Entry<'a>>,
    places: Map<Cow<'a, str>, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<'a> {
    /// The key as text, with its quotes.
    token: Cow<'a, str>,
    key: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl<'a> Entries<'a> {
    /// The entries of a patch, in which a key may be once.
    fn each_once(text: &'a str) -> Result<Self, Error> {
        let mut entries = Entries::default();
        for field in Object::parse(text)?.into_fields() {
            let key = field.key.clone();
            if !entries.set(Entry::from(field)) {
                return Err(duplicate_key(&key));
            }
        }
        Ok(entries)
    }

    /// The entries of a state: none if it is no object, and of a key that it has twice the last
    /// value, as in JavaScript.
    fn last_wins(text: &'a str) -> Self {
        let mut entries = Entries::default();
        if let Ok(object) = Object::parse(text) {
            for field in object.into_fields() {
                entries.set(Entry::from(field));
            }
        }
        entries
    }

    fn has(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Tells whether the key is new.
    fn set(&mut self, entry: Entry<'a>) -> bool {
        match self.places.entry(entry.key.clone()) {
            hash_map::Entry::Vacant(place) => {
                place.insert(self.list.len());
                self.list.push(entry);
                true
            }
            hash_map::Entry::Occupied(place) => {
                if let Some(there) = self.list.get_mut(*place.get()) {
                    there.value = entry.value;
                }
                false
            }
        }
    }

    fn to_json(&self, keep: impl Fn(&Entry<'a>) -> bool) -> Json<'static> {
        let mut text = String::from("{");
        for entry in self.list.iter().filter(|entry| keep(entry)) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&entry.token);
            text.push(':');
            text.push_str(&entry.value);
        }
        text.push('}');
        Json::trusted(text)
    }

    fn into_owned(self) -> Entries<'static> {
        let mut entries = Entries::default();
        for Entry { token, key, value } in self.list {
            entries.set(Entry {
                token: Cow::Owned(token.into_owned()),
                key: Cow::Owned(key.into_owned()),
                value: Cow::Owned(value.into_owned()),
            });
        }
        entries
    }
}

impl<'a> From<Field<'a>> for Entry<'a> {
    fn from(field: Field<'a>) -> Self {
        Entry {
            token: Cow::Borrowed(field.token.text),
            key: field.key,
            value: Cow::Borrowed(field.value.text),
        }
    }
}

#[cfg(test)]
mod tests;
