//! One connection: its socket, and what of a frame has come so far.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;

use crate::wire;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet answered with a 101.
    Upgrading,
    /// Waits for the room's `welcome`.
    Waiting,
    Open,
    Closed,
}

pub struct Connection {
    stream: TcpStream,
    pub state: State,
    /// When it was begun (µs).
    pub began: u64,
    /// How many messages it has published.
    pub published: u32,
    /// The beginning of a frame whose end is still to come.
    rest: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream, began: u64, upgrade: Vec<u8>) -> Connection {
        Connection {
            stream,
            state: State::Upgrading,
            began,
            published: 0,
            rest: Vec::new(),
            unsent: upgrade,
        }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub fn send(&mut self, bytes: &[u8]) {
        if self.unsent.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => self.unsent.extend(&bytes[count..]),
                Err(error) if again(&error) => self.unsent.extend(bytes),
                Err(_) => self.state = State::Closed,
            }
        } else {
            self.unsent.extend(bytes);
        }
    }

    /// The socket takes more.
    pub fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                // Also while it is not connected yet: then it becomes writable later.
                Err(error) if again(&error) || error.kind() == ErrorKind::NotConnected => return,
                Err(_) => {
                    self.state = State::Closed;
                    return;
                }
            }
        }
    }

    /// Reads once, into a buffer that all connections share so that it stays in the processor's
    /// cache, and hands over each frame that is whole. False when there is no more to read for now.
    pub fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(&mut Connection, wire::Frame<'_>),
    ) -> bool {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        self.rest.clear();
        let count = match self.stream.read(&mut buffer[kept..]) {
            Ok(0) => {
                self.state = State::Closed;
                return false;
            }
            Ok(count) => count,
            Err(error) => {
                self.rest.extend(&buffer[..kept]);
                if !again(&error) {
                    self.state = State::Closed;
                }
                return false;
            }
        };
        let end = kept + count;
        let more = end == buffer.len();
        let mut start = 0;
        if self.state == State::Upgrading {
            match self.upgraded(&buffer[..end]) {
                Some(length) => start = length,
                None => {
                    self.rest.extend(&buffer[..end]);
                    return more;
                }
            }
        }
        let wanted = loop {
            match wire::first(&buffer[start..end]) {
                Ok(frame) => {
                    start += frame.length;
                    take(self, frame);
                }
                Err(wanted) => break wanted,
            }
        };
        self.rest.extend(&buffer[start..end]);
        if wanted > buffer.len() / 2 {
            buffer.resize(wanted * 2, 0);
        }
        more
    }

    /// The length of the answer to the upgrade, once it is whole.
    fn upgraded(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
        self.state = if bytes.starts_with(b"HTTP/1.1 101 ") {
            State::Waiting
        } else {
            State::Closed
        };
        Some(end)
    }
}

fn again(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
