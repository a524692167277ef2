//! A text frame of a client, taken apart into messages.

use super::client::{self, ClientMessage};
use super::json::Scanner;
use super::object::{Object, not_an_object};
use super::{Error, MAX_ELEMENTS};

/// The messages of a frame in their order; an object is one, an array has any number up to
/// [`MAX_ELEMENTS`] (C1). This is the one pass over the text: what is wrong with a single element
/// is noted, and [`Element::decode`] tells of it, so that the others are taken (C6).
///
/// ```
/// use roomful::protocol::{ClientMessage, decode_frame};
///
/// let frame = r#"[{"type":"publish","event":"chat","data":"hi"},{"type":"nonsense"}]"#;
/// let elements = decode_frame(frame)?;
/// let results: Vec<_> = elements.iter().map(|element| element.decode()).collect();
/// assert!(matches!(results.as_slice(), [Ok(ClientMessage::Publish(_)), Err(_)]));
/// # Ok::<(), roomful::protocol::Error>(())
/// ```
///
/// # Errors
/// [`super::ErrorCode::BadMessage`] if the frame as a whole cannot be read: no JSON, neither object
/// nor array, or too many elements.
pub fn decode_frame(text: &str) -> Result<Vec<Element<'_>>, Error> {
    let mut scanner = Scanner::new(text);
    scanner.skip_whitespace();
    let elements = match scanner.peek() {
        Some(b'{') => vec![Element::scan(&mut scanner)?],
        Some(b'[') => scan_array(&mut scanner)?,
        _ => {
            scanner.value()?;
            scanner.expect_end()?;
            return Err(Error::bad_message(
                "a frame must be a JSON object or an array of them",
            ));
        }
    };
    scanner.expect_end()?;
    Ok(elements)
}

/// Passes an array of messages; the cursor must stand at its bracket.
pub(crate) fn scan_array<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<Element<'a>>, Error> {
    let mut elements = Vec::new();
    scanner.expect(b'[', "an array")?;
    scanner.skip_whitespace();
    if scanner.take(b']') {
        return Ok(elements);
    }
    loop {
        if elements.len() == MAX_ELEMENTS {
            return Err(Error::bad_message(format!(
                "more than {MAX_ELEMENTS} messages at once"
            )));
        }
        elements.push(Element::scan(scanner)?);
        scanner.skip_whitespace();
        if scanner.take(b']') {
            return Ok(elements);
        }
        scanner.expect(b',', "\",\" or \"]\"")?;
        scanner.skip_whitespace();
    }
}

/// One element of a frame: valid JSON, not yet known to be a message.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    text: &'a str,
    object: Option<Object<'a>>,
}

impl<'a> Element<'a> {
    fn scan(scanner: &mut Scanner<'a>) -> Result<Self, Error> {
        let start = scanner.position();
        let object = if scanner.peek() == Some(b'{') {
            Some(Object::scan(scanner)?)
        } else {
            scanner.value()?;
            None
        };
        Ok(Element {
            text: scanner.since(start),
            object,
        })
    }

    /// The message.
    ///
    /// # Errors
    /// [`super::ErrorCode::BadMessage`] (C6) or [`super::ErrorCode::UnknownType`] (C5), with the id
    /// of the message if it has one.
    pub fn decode(&self) -> Result<ClientMessage<'a>, Error> {
        let object = self.object()?;
        client::decode(object).map_err(|error| match self.id() {
            Some(id) => error.with_id(id),
            None => error,
        })
    }

    /// The id, if there is a proper one, for errors about elements that are not decoded.
    pub fn id(&self) -> Option<Box<str>> {
        self.object.as_ref()?.id().ok().flatten()
    }

    /// The text as it stands in the frame.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Length of the text in bytes, as it arrived.
    #[allow(clippy::len_without_is_empty, reason = "JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn object(&self) -> Result<&Object<'a>, Error> {
        let object = self.object.as_ref().ok_or_else(not_an_object)?;
        Ok(object)
    }
}

#[cfg(test)]
mod tests;
