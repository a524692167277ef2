//! JSON text that is passed on as it arrived.

mod nesting;
mod scan;
mod string;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub(crate) use scan::{Raw, Scanner};
pub use string::write_string;

/// How many objects and arrays may be nested in each other (C6).
pub const MAX_DEPTH: usize = 64;

/// Valid JSON text without whitespace outside strings, without lone surrogates and nested at most
/// [`MAX_DEPTH`] levels. Numbers, strings and keys are byte for byte what arrived, so `1.0`,
/// `9007199254740993` and `"\u00e9"` reach everybody as they were sent (M1).
///
/// ```
/// use roomful::protocol::Json;
///
/// let json = Json::parse(" { \"x\" : 1.0 } ")?;
/// assert_eq!(json.as_str(), r#"{"x":1.0}"#);
/// # Ok::<(), roomful::protocol::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    /// `null`
    pub const NULL: Json<'static> = Json(Cow::Borrowed("null"));

    /// `{}`
    pub const EMPTY_OBJECT: Json<'static> = Json(Cow::Borrowed("{}"));

    /// Reads one JSON value. Text without whitespace is borrowed, other text is copied once.
    /// Neither length nor depth of the text can exhaust the stack.
    ///
    /// # Errors
    /// [`JsonError`] says what is wrong with the text and, if it is no JSON at all, where.
    pub fn parse(text: &'a str) -> Result<Json<'a>, JsonError> {
        let mut scanner = Scanner::new(text);
        scanner.skip_whitespace();
        let raw = scanner.value()?;
        scanner.expect_end()?;
        Json::from_raw(raw)
    }

    /// Text that this crate checked or wrote itself earlier, read back from an attachment or a row.
    pub fn trusted(text: String) -> Json<'static> {
        Json(Cow::Owned(text))
    }

    pub(crate) fn from_raw(raw: Raw<'a>) -> Result<Json<'a>, JsonError> {
        if raw.lone_surrogate {
            return Err(JsonError::LoneSurrogate);
        }
        if raw.depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        Ok(Json(if raw.spaced {
            Cow::Owned(without_whitespace(raw.text))
        } else {
            Cow::Borrowed(raw.text)
        }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Length of the text in bytes.
    #[allow(clippy::len_without_is_empty, reason = "JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }

    /// Whether this is an object.
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// The same, independent of the text it was read from.
    pub fn into_owned(self) -> Json<'static> {
        Json(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not taken as [`Json`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// It is no JSON.
    Malformed(Malformed),
    /// It nests more than [`MAX_DEPTH`] levels.
    TooDeep,
    /// A string or a key holds half a surrogate pair, which is no Unicode text.
    LoneSurrogate,
}

/// Where a text stops being JSON.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Bytes before the place.
    pub at: usize,
    /// What could have stood there.
    pub expected: &'static str,
}

impl From<Malformed> for JsonError {
    fn from(malformed: Malformed) -> Self {
        JsonError::Malformed(malformed)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not JSON at byte {}: expected {}",
            self.at, self.expected
        )
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::Malformed(malformed) => malformed.fmt(f),
            JsonError::TooDeep => write!(f, "nested more than {MAX_DEPTH} levels deep"),
            JsonError::LoneSurrogate => f.write_str("a string holds half a surrogate pair"),
        }
    }
}

impl std::error::Error for Malformed {}
impl std::error::Error for JsonError {}

/// Drops the whitespace outside strings from valid JSON.
fn without_whitespace(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for char in text.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if matches!(char, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = char == '"';
        }
        out.push(char);
    }
    out
}
