//! An error as a client is told of it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::{ErrorCode, JsonError, Malformed, write_string};

/// How much of a client's own text an error may repeat, in characters.
const EXCERPT: usize = 32;

/// What went wrong with one message or request (E1).
///
/// ```
/// use roomful::protocol::{Error, ErrorCode};
///
/// let error = Error::new(ErrorCode::RateLimited).with_id("m1").with_retry_after(250);
/// assert_eq!(
///     error.to_frame(),
///     r#"{"type":"error","id":"m1","code":"rate_limited","message":"Too many messages; this one was not taken.","retryable":true,"retry_after":250,"hint":"Wait for retry_after milliseconds, and send less often."}"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of error it is.
    pub code: ErrorCode,
    /// What happened, for a developer. Holds no secret, no token and no path (E4).
    pub message: Cow<'static, str>,
    /// The id of the message that it is about.
    pub id: Option<Box<str>>,
    /// Milliseconds after which another try may succeed, if that is known.
    pub retry_after: Option<u64>,
}

impl Error {
    /// An error with the usual text of its code.
    pub fn new(code: ErrorCode) -> Self {
        Error {
            code,
            message: Cow::Borrowed(code.happened()),
            id: None,
            retry_after: None,
        }
    }

    /// A [`ErrorCode::BadMessage`] that says what is wrong.
    pub fn bad_message(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorCode::BadMessage).with_message(message)
    }

    /// The same error with another text.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// The same error, about the message with this id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same error with the milliseconds to wait.
    #[must_use]
    pub fn with_retry_after(mut self, milliseconds: u64) -> Self {
        self.retry_after = Some(milliseconds);
        self
    }

    /// The message that tells a connection of it.
    pub fn to_frame(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str(r#"{"type":"error""#);
        if let Some(id) = &self.id {
            out.push_str(r#","id":"#);
            write_string(&mut out, id);
        }
        out.push(',');
        self.push_rest(&mut out);
        out.push('}');
        out
    }

    /// The body that tells an HTTP client of it. The id is left out: a response belongs to its
    /// request anyway.
    pub fn to_http_body(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str(r#"{"error":{"#);
        self.push_rest(&mut out);
        out.push_str("}}");
        out
    }

    fn push_rest(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(out, r#""code":"{}","message":"#, self.code);
        write_string(out, &self.message);
        let _ = write!(out, r#","retryable":{}"#, self.code.retryable());
        if let Some(milliseconds) = self.retry_after {
            let _ = write!(out, r#","retry_after":{milliseconds}"#);
        }
        out.push_str(r#","hint":"#);
        write_string(out, self.code.hint());
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Error::bad_message(error.to_string())
    }
}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        JsonError::from(error).into()
    }
}

/// The beginning of a client's text, in quotes, short enough to be repeated in an error.
pub(crate) fn excerpt(text: &str) -> String {
    let mut out = String::with_capacity(EXCERPT);
    out.push('"');
    let mut chars = text.chars();
    out.extend(chars.by_ref().take(EXCERPT));
    out.push_str(if chars.next().is_some() {
        "…\""
    } else {
        "\""
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_http_bodies_hold_no_type_and_no_id() {
        let error = Error::new(ErrorCode::Banned).with_id("m1");
        assert_eq!(
            error.to_http_body(),
            r#"{"error":{"code":"banned","message":"This user is banned from the room.","retryable":false,"hint":"Stop, and tell the user."}}"#
        );
        let error = error.with_retry_after(5).with_message("a \"b\"");
        assert_eq!(
            error.to_http_body(),
            r#"{"error":{"code":"banned","message":"a \"b\"","retryable":false,"retry_after":5,"hint":"Stop, and tell the user."}}"#
        );
        assert_eq!(error.to_string(), "banned: a \"b\"");
    }
}
