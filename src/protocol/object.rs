//! One JSON object of a client, taken apart into fields in the same pass that validates it.

use std::borrow::Cow;

use super::error::excerpt;
use super::json::{Raw, Scanner};
use super::{Error, Json, JsonError, MAX_DEPTH, Malformed, names};

/// The largest whole number that a JavaScript client reads exactly: 2^53 − 1.
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// Up to so many fields are compared with each other; more are sorted.
const FEW: usize = 16;

/// The fields of an object in the order of the text, flaws included, so that even of a bad message
/// the id can be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object<'a> {
    fields: Vec<Field<'a>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    /// The key as it stands in the text, with its quotes.
    pub token: Raw<'a>,
    /// What the key means.
    pub key: Cow<'a, str>,
    pub value: Raw<'a>,
}

impl<'a> Object<'a> {
    /// A whole text that must be one object.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let mut scanner = Scanner::new(text);
        scanner.skip_whitespace();
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.expect_end()?;
            return Err(not_an_object());
        }
        let object = Object::scan(&mut scanner)?;
        scanner.expect_end()?;
        Ok(object)
    }

    /// Passes an object; the cursor must stand at its brace.
    pub fn scan(scanner: &mut Scanner<'a>) -> Result<Self, Malformed> {
        let mut fields = Vec::new();
        scanner.expect(b'{', "an object")?;
        scanner.skip_whitespace();
        if scanner.take(b'}') {
            return Ok(Object { fields });
        }
        fields.reserve(5);
        loop {
            let token = scanner.string()?;
            scanner.skip_whitespace();
            scanner.expect(b':', "\":\"")?;
            scanner.skip_whitespace();
            let value = scanner.value()?;
            fields.push(Field {
                token,
                key: token.meaning(),
                value,
            });
            scanner.skip_whitespace();
            if scanner.take(b'}') {
                return Ok(Object { fields });
            }
            scanner.expect(b',', "\",\" or \"}\"")?;
            scanner.skip_whitespace();
        }
    }

    /// Refuses what C6 refuses in any message, whatever its type.
    pub fn check(&self) -> Result<(), Error> {
        self.check_keys()?;
        if self.fields.iter().any(|field| field.value.lone_surrogate) {
            return Err(JsonError::LoneSurrogate.into());
        }
        // The object itself is the first level.
        if self
            .fields
            .iter()
            .any(|field| field.value.depth >= MAX_DEPTH)
        {
            return Err(JsonError::TooDeep.into());
        }
        Ok(())
    }

    /// The part of [`Object::check`] that looks at the keys alone.
    pub fn check_keys(&self) -> Result<(), Error> {
        if self.fields.iter().any(|field| field.token.lone_surrogate) {
            return Err(JsonError::LoneSurrogate.into());
        }
        match self.duplicate() {
            Some(key) => Err(duplicate_key(key)),
            None => Ok(()),
        }
    }

    /// A key that is there twice. Time grows with n log n: a frame can hold ten thousand keys.
    fn duplicate(&self) -> Option<&str> {
        if self.fields.len() > FEW {
            let keys = self.by_key();
            let mut pairs = keys.iter().zip(keys.iter().skip(1));
            let same = pairs.find(|((one, _), (next, _))| one == next);
            return same.map(|((key, _), _)| *key);
        }
        let mut rest = self.fields.iter();
        while let Some(field) = rest.next() {
            if rest.clone().any(|later| later.key == field.key) {
                return Some(&field.key);
            }
        }
        None
    }

    /// The keys, sorted, each with the place of its field.
    pub fn by_key(&self) -> Vec<(&str, usize)> {
        let keys = self.fields.iter().enumerate();
        let mut keys: Vec<_> = keys.map(|(place, field)| (&*field.key, place)).collect();
        keys.sort_unstable();
        keys
    }

    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// A field as it stands.
    pub fn raw(&self, name: &str) -> Option<Raw<'a>> {
        let field = self.fields.iter().find(|field| field.key == name)?;
        Some(field.value)
    }

    /// A field that is there and not `null`.
    pub fn present(&self, name: &str) -> Option<Raw<'a>> {
        self.raw(name).filter(|raw| raw.text != "null")
    }

    /// Any JSON; `null` is a value.
    pub fn json(&self, name: &str) -> Result<Option<Json<'a>>, Error> {
        let json = self.raw(name).map(Json::from_raw).transpose();
        json.map_err(Error::from)
    }

    pub fn string(&self, name: &'static str) -> Result<Option<Cow<'a, str>>, Error> {
        match self.present(name) {
            None => Ok(None),
            Some(raw) if raw.text.starts_with('"') => Ok(Some(raw.meaning())),
            Some(_) => Err(wrong(name, "must be a string")),
        }
    }

    pub fn required_string(&self, name: &'static str) -> Result<Cow<'a, str>, Error> {
        self.string(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, Error> {
        match self.present(name).map(|raw| raw.text) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(wrong(name, "must be true or false")),
        }
    }

    pub fn integer(&self, name: &'static str) -> Result<Option<u64>, Error> {
        self.present(name)
            .map(|raw| integer(name, raw.text))
            .transpose()
    }

    /// A list of at most `most` strings.
    pub fn strings(
        &self,
        name: &'static str,
        most: usize,
    ) -> Result<Option<Vec<Cow<'a, str>>>, Error> {
        let Some(raw) = self.present(name) else {
            return Ok(None);
        };
        let mut scanner = Scanner::new(raw.text);
        let mut strings = Vec::new();
        if !scanner.take(b'[') {
            return Err(wrong(name, "must be a list of strings"));
        }
        scanner.skip_whitespace();
        if scanner.take(b']') {
            return Ok(Some(strings));
        }
        loop {
            if scanner.peek() != Some(b'"') {
                return Err(wrong(name, "must be a list of strings"));
            }
            if strings.len() == most {
                return Err(wrong(name, &format!("has more than {most} entries")));
            }
            strings.push(scanner.string()?.meaning());
            scanner.skip_whitespace();
            if !scanner.take(b',') {
                return Ok(Some(strings));
            }
            scanner.skip_whitespace();
        }
    }

    /// The `id` of a message, which any type may have (E1).
    pub fn id(&self) -> Result<Option<Box<str>>, Error> {
        match self.string("id")? {
            None => Ok(None),
            Some(id) if names::is_message_id(&id) => Ok(Some(id.into())),
            Some(_) => Err(wrong("id", "must have 1 to 64 characters")),
        }
    }
}

/// Digits that a JavaScript client can have meant exactly.
pub(crate) fn integer(name: &'static str, digits: &str) -> Result<u64, Error> {
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    };
    number
        .filter(|number| *number <= MAX_INTEGER)
        .ok_or_else(|| {
            wrong(
                name,
                &format!("must be a whole number from 0 to {MAX_INTEGER}"),
            )
        })
}

/// A known field that is not as it must be.
pub(crate) fn wrong(name: &'static str, what: &str) -> Error {
    Error::bad_message(format!("\"{name}\" {what}"))
}

pub(crate) fn duplicate_key(key: &str) -> Error {
    Error::bad_message(format!("duplicate key {}", excerpt(key)))
}

pub(crate) fn not_an_object() -> Error {
    Error::bad_message("must be a JSON object")
}
