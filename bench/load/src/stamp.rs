//! What a message carries: who sent it, which of theirs it is, and when it was due.
//!
//! A stamp is a mark and 21 digits, always as long, so that it is found by looking for one byte and
//! read without looking for its end. The mark occurs nowhere else in what is sent or received.

/// Begins the stamp in a message's data.
pub const MESSAGE: u8 = b'@';
/// Begins the stamp in a publish id, which comes back in the ack.
pub const ACK: u8 = b'#';

/// Length of a stamp, the mark included.
pub const LENGTH: usize = 1 + SENDER + NUMBER + TIME;
pub const MAX_SENDERS: usize = 10_000;

const SENDER: usize = 4;
const NUMBER: usize = 7;
const TIME: usize = 10;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub sender: u32,
    /// Counts a sender's messages, from 1.
    pub number: u32,
    /// Microseconds since the generator began.
    pub due: u64,
}

impl Stamp {
    pub fn write(self, mark: u8, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let Stamp {
            sender,
            number,
            due,
        } = self;
        let mark = char::from(mark);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{mark}{sender:04}{number:07}{due:010}");
    }

    /// Reads a stamp that begins at the start of `text`, with its mark.
    pub fn read(text: &[u8]) -> Option<Stamp> {
        let text = text.get(1..LENGTH)?;
        let (sender, rest) = text.split_at(SENDER);
        let (number, due) = rest.split_at(NUMBER);
        Some(Stamp {
            sender: digits(sender)? as u32,
            number: digits(number)? as u32,
            due: digits(due)?,
        })
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let stamp = Stamp {
            sender: 399,
            number: 1_234_567,
            due: 9_876_543_210,
        };
        let mut text = Vec::new();
        stamp.write(MESSAGE, &mut text);
        assert_eq!(text.len(), LENGTH);
        assert_eq!(Stamp::read(&text), Some(stamp));
        assert_eq!(Stamp::read(&text[..LENGTH - 1]), None);
        assert_eq!(Stamp::read(b"@someone@example.com is no stamp"), None);
    }
}
