//! Strings, between JSON text and what they mean.

use std::borrow::Cow;
use std::fmt::Write;

/// Appends `text` to `out` as a JSON string, quotes included.
///
/// ```
/// let mut out = String::new();
/// roomful::protocol::write_string(&mut out, "a \"b\"\n");
/// assert_eq!(out, r#""a \"b\"\n""#);
/// ```
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(must_escape) {
        let Some((plain, tail)) = rest.split_at_checked(at) else {
            break;
        };
        out.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn must_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}

/// What a JSON string means. `token` has its quotes and was scanned before; a lone surrogate,
/// which the caller refuses, becomes U+FFFD here.
pub(super) fn unescape(token: &str) -> Cow<'_, str> {
    let inner = token.strip_prefix('"').unwrap_or(token);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = tail.chars();
        let meant = match chars.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (meant, after) = unicode(chars.as_str());
                out.push(meant);
                rest = after;
                continue;
            }
            Some(itself) => itself,
            None => break,
        };
        out.push(meant);
        rest = chars.as_str();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that stands behind `\u`, and what follows it.
fn unicode(text: &str) -> (char, &str) {
    let Some((unit, rest)) = hex(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    if let Some(meant) = char::from_u32(unit) {
        return (meant, rest);
    }
    if let Some((low, after)) = rest.strip_prefix("\\u").and_then(hex) {
        let units = [unit, low].map(|unit| u16::try_from(unit).unwrap_or_default());
        if let Some(Ok(meant)) = char::decode_utf16(units).next() {
            return (meant, after);
        }
    }
    (char::REPLACEMENT_CHARACTER, rest)
}

fn hex(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    Some((unit, rest))
}
