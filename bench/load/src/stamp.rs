//! What a message carries: who sent it, which of theirs it is, and when it was due.
//!
//! A stamp is a mark and 13 digits of base64url, always as long, so that it is found by looking for
//! one byte and read without looking for its end. The mark occurs nowhere else in what is sent or
//! received.

/// Begins the stamp in a message's data.
pub const MESSAGE: u8 = b'@';
/// Begins the stamp in a publish id, which comes back in the ack.
pub const ACK: u8 = b'#';

/// Length of a stamp, the mark included.
pub const LENGTH: usize = 1 + SENDER + NUMBER + TIME;
/// Enough for a quarter of a million.
const SENDER: usize = 3;
/// Enough for 16 million of each.
const NUMBER: usize = 4;
/// Enough for 19 hours.
const TIME: usize = 6;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The value of each digit; of anything else, one that no digit has.
const VALUES: [u8; 256] = values();
const NO_DIGIT: u8 = 0xff;

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
        out.push(mark);
        put(u64::from(self.sender), SENDER, out);
        put(u64::from(self.number), NUMBER, out);
        put(self.due, TIME, out);
    }

    /// Reads a stamp that begins at the start of `text`, with its mark.
    #[inline]
    pub fn read(text: &[u8]) -> Option<Stamp> {
        let text = text.first_chunk::<LENGTH>()?;
        let mut seen = 0;
        let mut number = |from: usize, length: usize| {
            let mut number = 0;
            for digit in &text[from..from + length] {
                let value = VALUES[usize::from(*digit)];
                seen |= value;
                number = number << 6 | u64::from(value & 63);
            }
            number
        };
        let stamp = Stamp {
            sender: number(1, SENDER) as u32,
            number: number(1 + SENDER, NUMBER) as u32,
            due: number(1 + SENDER + NUMBER, TIME),
        };
        (seen < 64).then_some(stamp)
    }
}

fn put(number: u64, digits: usize, out: &mut Vec<u8>) {
    for digit in (0..digits).rev() {
        out.push(DIGITS[(number >> (6 * digit)) as usize & 63]);
    }
}

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let highest = Stamp {
            sender: (1 << 18) - 1,
            number: (1 << 24) - 1,
            due: (1 << 36) - 1,
        };
        let usual = Stamp {
            sender: 399,
            number: 1_234_567,
            due: 9_876_543_210,
        };
        for stamp in [usual, highest] {
            let mut text = Vec::new();
            stamp.write(MESSAGE, &mut text);
            assert_eq!(text.len(), LENGTH);
            assert_eq!(Stamp::read(&text), Some(stamp));
            assert_eq!(Stamp::read(&text[..LENGTH - 1]), None);
        }
        assert_eq!(Stamp::read(b"@someone@example.com is no stamp"), None);
    }
}
