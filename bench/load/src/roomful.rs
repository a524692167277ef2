//! What a room says, as far as a workload has to understand it. Nothing is parsed: a room always
//! writes its fields in the same order, and no data here looks like one of them.

use memchr::memmem;

/// Every message begins so, and nothing within one does, but for the messages in a `history`.
const BEGIN: &[u8] = br#"{"type":""#;
const MEMBER: &[u8] = br#"{"connection":""#;

/// One message out of a frame.
#[derive(Copy, Clone)]
pub struct Said<'a>(&'a [u8]);

/// The messages of a frame, in order.
pub fn said(frame: &[u8]) -> impl Iterator<Item = Said<'_>> {
    let mut ends = memmem::find_iter(frame, BEGIN).skip(1);
    memmem::find_iter(frame, BEGIN).map(move |start| {
        let end = ends.next().unwrap_or(frame.len());
        Said(&frame[start..end])
    })
}

impl<'a> Said<'a> {
    /// Its type.
    pub fn kind(self) -> &'a str {
        until_quote(&self.0[BEGIN.len()..])
    }

    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The first number in a field of that name.
    pub fn number(self, name: &str) -> Option<u64> {
        let digits = self.field(name)?;
        let end = digits.iter().position(|digit| !digit.is_ascii_digit())?;
        str::from_utf8(&digits[..end]).ok()?.parse().ok()
    }

    /// The first string in a field of that name, if it needs no escapes.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.field(name)?.strip_prefix(b"\"").map(until_quote)
    }

    pub fn is_true(self, name: &str) -> bool {
        self.field(name)
            .is_some_and(|value| value.starts_with(b"true"))
    }

    pub fn has(self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The connection ids of all members that are described in it.
    pub fn members(self) -> impl Iterator<Item = &'a str> {
        memmem::find_iter(self.0, MEMBER).map(move |at| until_quote(&self.0[at + MEMBER.len()..]))
    }

    fn field(self, name: &str) -> Option<&'a [u8]> {
        let name = format!("\"{name}\":");
        let at = memmem::find(self.0, name.as_bytes())?;
        Some(&self.0[at + name.len()..])
    }
}

fn until_quote(text: &[u8]) -> &str {
    let end = memchr::memchr(b'"', text).unwrap_or(text.len());
    str::from_utf8(&text[..end]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_into_its_messages() {
        let frame = br#"[{"type":"message","event":"chat","data":{"t":"x"},"from":"1","user":"ana","offset":17,"at":5},{"type":"ack","id":"m1","offset":17}]"#;
        let all: Vec<_> = said(frame).collect();
        assert_eq!(
            all.iter().map(|one| one.kind()).collect::<Vec<_>>(),
            ["message", "ack"]
        );
        assert_eq!(all[0].number("offset"), Some(17));
        assert_eq!(all[1].text("id"), Some("m1"));
        assert_eq!(said(b"pong").count(), 0);
    }

    #[test]
    fn a_welcome_tells_who_is_there() {
        let frame = br#"{"type":"welcome","protocol":1,"room":"lobby","connection":"1kg","session":"1kg.0.ZZ","user":{"id":"bob"},"epoch":"21xs","offset":5,"recovered":true,"members":[{"connection":"1","user":{"id":"ana"},"state":null,"at":1},{"connection":"1kg","user":{"id":"bob"},"state":null,"at":2}],"occupancy":{"connections":4,"users":2}}"#;
        let welcome = said(frame).next().expect("one message");
        assert_eq!(welcome.text("connection"), Some("1kg"));
        assert_eq!(welcome.text("session"), Some("1kg.0.ZZ"));
        assert_eq!(welcome.members().collect::<Vec<_>>(), ["1", "1kg"]);
        assert_eq!(welcome.number("connections"), Some(4));
        assert!(welcome.is_true("recovered") && welcome.has("members"));
    }
}
