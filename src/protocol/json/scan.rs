//! One pass over JSON text: where each value begins and ends, and what is wrong with it.
//!
//! `serde_json` alone would not do here: its raw values keep their whitespace and may hold lone
//! surrogates, it drops duplicate keys silently and its recursion limit cannot tell one element of
//! an array from the next. Looking for all of that afterwards takes a second scanner anyway, so
//! this one does the whole of it, without recursion and without allocation for usual nesting.

use std::borrow::Cow;

use super::Malformed;
use super::nesting::{Container, Nesting};
use super::string::unescape;

/// A value as it stands in the text, with what the scan learned about it.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Raw<'a> {
    /// The value alone, without the whitespace around it.
    pub text: &'a str,
    /// How many objects and arrays are nested in each other; 0 for anything else.
    pub depth: usize,
    /// Whether there is whitespace outside strings.
    pub spaced: bool,
    /// Whether a string or a key holds an escape.
    pub escaped: bool,
    /// Whether a string or a key holds half a surrogate pair.
    pub lone_surrogate: bool,
}

impl<'a> Raw<'a> {
    /// What it means, if it is a string.
    pub fn meaning(&self) -> Cow<'a, str> {
        if self.escaped {
            return unescape(self.text);
        }
        let end = self.text.len().saturating_sub(1);
        Cow::Borrowed(self.text.get(1..end).unwrap_or_default())
    }
}

/// A cursor over JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// Where the cursor stands, in bytes from the beginning.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The text from `start` to the cursor.
    pub fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    // The Worker is compiled for size; these are smaller than their calls, and run for each byte.
    #[inline(always)]
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes `byte` if it is next.
    #[inline(always)]
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    /// Passes `byte` or says that it was expected.
    pub fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.malformed(expected))
        }
    }

    /// Passes whitespace and tells whether there was any.
    pub fn skip_whitespace(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance(1);
        }
        self.at != start
    }

    /// Only whitespace may be left.
    pub fn expect_end(&mut self) -> Result<(), Malformed> {
        self.skip_whitespace();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.malformed("the end")),
        }
    }

    /// Passes one value; the cursor must stand at its first byte.
    pub fn value(&mut self) -> Result<Raw<'a>, Malformed> {
        let start = self.at;
        let mut nesting = Nesting::default();
        let mut raw = Raw::default();
        loop {
            match self.peek() {
                Some(b'"') => self.pass_string(&mut raw)?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b'{') => {
                    self.advance(1);
                    nesting.open(Container::Object);
                    raw.spaced |= self.skip_whitespace();
                    if self.peek() != Some(b'}') {
                        self.key(&mut raw)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.advance(1);
                    nesting.open(Container::Array);
                    raw.spaced |= self.skip_whitespace();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return Err(self.malformed("a value")),
            }
            // A value has ended, or an empty container is about to: close what closes here.
            loop {
                let Some(container) = nesting.innermost() else {
                    raw.text = self.since(start);
                    raw.depth = nesting.deepest();
                    return Ok(raw);
                };
                raw.spaced |= self.skip_whitespace();
                match (container, self.peek()) {
                    (Container::Array, Some(b',')) => {
                        self.advance(1);
                        raw.spaced |= self.skip_whitespace();
                        break;
                    }
                    (Container::Object, Some(b',')) => {
                        self.advance(1);
                        raw.spaced |= self.skip_whitespace();
                        self.key(&mut raw)?;
                        break;
                    }
                    (Container::Array, Some(b']')) | (Container::Object, Some(b'}')) => {
                        self.advance(1);
                        nesting.close();
                    }
                    (Container::Array, _) => return Err(self.malformed("\",\" or \"]\"")),
                    (Container::Object, _) => return Err(self.malformed("\",\" or \"}\"")),
                }
            }
        }
    }

    /// Passes one string, quotes included; the cursor must stand at the opening quote.
    pub fn string(&mut self) -> Result<Raw<'a>, Malformed> {
        let start = self.at;
        let mut raw = Raw::default();
        self.pass_string(&mut raw)?;
        raw.text = self.since(start);
        Ok(raw)
    }

    /// The same within a value, which has learned what the string holds.
    fn pass_string(&mut self, raw: &mut Raw<'a>) -> Result<(), Malformed> {
        self.expect(b'"', "a string")?;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            self.advance(plain.unwrap_or(rest.len()));
            match self.peek() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    raw.escaped = true;
                    raw.lone_surrogate |= self.escape()?;
                }
                Some(_) => return Err(self.malformed("no bare control character in a string")),
                None => return Err(self.malformed("the end of a string")),
            }
        }
    }

    /// A key, its colon, and the whitespace before the value.
    fn key(&mut self, raw: &mut Raw<'a>) -> Result<(), Malformed> {
        self.pass_string(raw)?;
        raw.spaced |= self.skip_whitespace();
        self.expect(b':', "\":\"")?;
        raw.spaced |= self.skip_whitespace();
        Ok(())
    }

    /// One escape sequence; `true` if it is a surrogate without its partner.
    fn escape(&mut self) -> Result<bool, Malformed> {
        self.expect(b'\\', "an escape")?;
        let kind = self.peek();
        match kind {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.advance(1);
                Ok(false)
            }
            Some(b'u') => {
                self.advance(1);
                match self.hex()? {
                    0xD800..=0xDBFF => Ok(!self.low_surrogate()),
                    0xDC00..=0xDFFF => Ok(true),
                    _ => Ok(false),
                }
            }
            _ => Err(self.malformed("a known escape")),
        }
    }

    /// Passes an escaped low surrogate if it is next, and nothing otherwise.
    fn low_surrogate(&mut self) -> bool {
        let mut ahead = self.clone();
        let found =
            ahead.take(b'\\') && ahead.take(b'u') && matches!(ahead.hex(), Ok(0xDC00..=0xDFFF));
        if found {
            *self = ahead;
        }
        found
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0_u32;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.malformed("four hexadecimal digits"));
            };
            unit = (unit << 4) | digit;
            self.advance(1);
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance(1);
        }
        if self.at == start {
            return Err(self.malformed("a digit"));
        }
        Ok(())
    }

    fn literal(&mut self, word: &'static str) -> Result<(), Malformed> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.malformed("a value"));
        }
        self.advance(word.len());
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    pub fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed {
            at: self.at,
            expected,
        }
    }
}
