//! Merging the top-level keys of a presence state (P1).

use super::object::{Field, Object, wrong};
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
pub struct Patch<'a>(Json<'a>);

impl<'a> Patch<'a> {
    /// Reads a patch.
    ///
    /// # Errors
    /// [`super::ErrorCode::BadMessage`] if it is no object, or has a key twice.
    pub fn parse(json: Json<'a>) -> Result<Self, Error> {
        if !json.is_object() {
            return Err(wrong("patch", "must be an object"));
        }
        Object::parse(json.as_str())?.check_keys()?;
        Ok(Patch(json))
    }

    /// The state after this patch. A state that is no object counts as `{}`. Keys that stay keep
    /// their place, new ones come last.
    pub fn apply(&self, state: &Json<'_>) -> Json<'static> {
        merged(state, &self.0, |value| value != "null")
    }

    /// Adds a later patch, so that this one does what both did in a row. A removal stays in it.
    pub fn merge(&mut self, later: &Patch<'_>) {
        self.0 = merged(&self.0, &later.0, |_| true);
    }

    /// The patch as it is sent.
    pub fn as_json(&self) -> &Json<'a> {
        &self.0
    }

    /// The same, independent of the text it was read from.
    pub fn into_owned(self) -> Patch<'static> {
        Patch(self.0.into_owned())
    }
}

/// The fields of `earlier`, with the values of `later` where that has them, and what else `later` has; of its values
/// those that `stays` tells. A patch may have thousands of keys and comes a hundred times a second: nothing is built
/// for each key.
fn merged(earlier: &Json<'_>, later: &Json<'_>, stays: fn(&str) -> bool) -> Json<'static> {
    // What is no object has no fields.
    let [earlier, later] =
        [earlier, later].map(|json| Object::parse(json.as_str()).unwrap_or_default());
    let places = later.by_key();
    let mut left: Vec<Option<&Field<'_>>> = later.fields().iter().map(Some).collect();
    let mut text = String::from("{");
    let mut add = |key: &Field<'_>, value: &str| {
        text.push_str(key.token.text);
        text.push(':');
        text.push_str(value);
        text.push(',');
    };
    for field in earlier.fields() {
        let place = places.binary_search_by(|(key, _)| (*key).cmp(&*field.key));
        let Some((_, place)) = place.ok().and_then(|place| places.get(place)) else {
            add(field, field.value.text);
            continue;
        };
        // A key that a state has twice is replaced once.
        let new = left.get_mut(*place).and_then(Option::take);
        if let Some(new) = new.filter(|new| stays(new.value.text)) {
            add(field, new.value.text);
        }
    }
    for new in left.into_iter().flatten() {
        if stays(new.value.text) {
            add(new, new.value.text);
        }
    }
    if text.len() > 1 {
        text.pop();
    }
    text.push('}');
    Json::trusted(text)
}

#[cfg(test)]
mod tests;
