//! WebSocket framing, as much of it as a client needs that knows its server.

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Appends a frame from a client. The mask is all zeros, which a server cannot tell from another
/// one, so that there is nothing to compute here.
pub fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
}

/// A whole frame from a server.
#[derive(Debug)]
pub struct Frame<'a> {
    /// One of the above; 0 if it is a part of a message, which no server that is measured sends.
    pub opcode: u8,
    pub payload: &'a [u8],
    /// Bytes on the wire.
    pub length: usize,
}

/// The frame at the start of `bytes`, if it is there to its end; otherwise how long it is at least.
pub fn first(bytes: &[u8]) -> Result<Frame<'_>, usize> {
    let &[head, size, ..] = bytes else {
        return Err(2);
    };
    let (header, size) = match size & 0x7f {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (4, usize::from(u16::from_be_bytes([a, b]))),
            _ => return Err(4),
        },
        127 => match bytes.get(2..10).map(<[u8; 8]>::try_from) {
            Some(Ok(size)) => (10, u64::from_be_bytes(size) as usize),
            _ => return Err(10),
        },
        size => (2, usize::from(size)),
    };
    let length = header + size;
    let payload = bytes.get(header..length).ok_or(length)?;
    let last = head & 0x80 != 0;
    Ok(Frame {
        opcode: if last { head & 0x0f } else { 0 },
        payload,
        length,
    })
}

/// Why a server closes, out of the payload of its close frame.
pub fn reason(payload: &[u8]) -> String {
    match payload {
        &[a, b, ref reason @ ..] => {
            let code = u16::from_be_bytes([a, b]);
            format!("closed with {code} {}", String::from_utf8_lossy(reason))
        }
        _ => "closed without a code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as a server would write it: without the mask.
    fn from_server(size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame(&mut bytes, TEXT, &vec![b'x'; size]);
        let header = bytes.len() - size - 4;
        bytes.drain(header..header + 4);
        bytes[1] &= 0x7f;
        bytes
    }

    #[test]
    fn frames_are_cut_where_they_end() {
        for size in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let mut bytes = from_server(size);
            let length = bytes.len();
            assert!(first(&bytes[..length - 1]).is_err());
            bytes.extend(b"the next");
            let frame = first(&bytes).expect("a whole frame");
            assert_eq!((frame.opcode, frame.payload.len()), (TEXT, size));
            assert_eq!(frame.length, length);
        }
    }

    #[test]
    fn a_part_of_a_message_is_none() {
        let mut bytes = from_server(10);
        bytes[0] &= 0x7f;
        assert_eq!(first(&bytes).expect("a whole frame").opcode, 0);
    }
}
