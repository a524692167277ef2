//! One connection: its socket, and what of a frame has come so far.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;

use crate::wire::{self, Frame};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet answered with a 101.
    Upgrading,
    /// Upgraded; its protocol has something to say first.
    Greeting,
    Open,
    Closed,
}

/// What a read found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    Nothing,
    /// Probably all there was.
    Some,
    /// As much as fitted.
    Full,
}

/// What came in.
pub enum Arrival<'a> {
    Upgraded,
    Frame(Frame<'a>),
}

pub struct Connection {
    /// Its place among all of them.
    pub index: usize,
    pub state: State,
    /// When it was begun (µs).
    pub began: u64,
    /// Why it is closed.
    pub reason: Option<String>,
    /// Whether it has ever been open.
    pub was_open: bool,
    /// Whether its end was told of.
    pub buried: bool,
    stream: Option<TcpStream>,
    /// The beginning of a frame whose end is still to come.
    rest: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

impl Connection {
    pub fn new(index: usize, stream: TcpStream, began: u64, upgrade: Vec<u8>) -> Connection {
        Connection {
            index,
            state: State::Upgrading,
            began,
            reason: None,
            was_open: false,
            buried: false,
            stream: Some(stream),
            rest: Vec::new(),
            unsent: upgrade,
        }
    }

    pub fn open(&mut self) {
        self.state = State::Open;
        self.was_open = true;
    }

    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Sends a text frame.
    pub fn send(&mut self, text: &[u8]) {
        self.send_frame(wire::TEXT, text);
    }

    pub fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        if self.state == State::Closed {
            return;
        }
        wire::frame(&mut self.unsent, opcode, payload);
        self.flush();
    }

    pub fn send_if_open(&mut self, text: &[u8]) {
        if self.is_open() {
            self.send(text);
        }
    }

    /// Ends it, for a reason; whoever serves it notices.
    pub fn close(&mut self, reason: &str) {
        self.reason.get_or_insert_with(|| reason.to_owned());
        self.state = State::Closed;
        self.unsent.clear();
        self.stream = None;
    }

    /// Writes what the socket takes.
    pub fn flush(&mut self) {
        while !self.unsent.is_empty() {
            let Some(stream) = &mut self.stream else {
                return;
            };
            match stream.write(&self.unsent) {
                Ok(count) if count == self.unsent.len() => self.unsent.clear(),
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if again(&error) => return,
                Err(error) => return self.close(&error.to_string()),
            }
        }
    }

    /// Reads once, into a buffer that all connections share so that it stays in the processor's
    /// cache, and hands over each frame that is whole.
    pub fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(&mut Connection, Arrival<'_>),
    ) -> Amount {
        let Some(stream) = &mut self.stream else {
            return Amount::Nothing;
        };
        let kept = self.rest.len();
        let count = match stream.read(&mut buffer[kept..]) {
            Ok(0) => {
                self.close("the connection ended");
                return Amount::Nothing;
            }
            Ok(count) => count,
            Err(error) => {
                if !again(&error) {
                    self.close(&error.to_string());
                }
                return Amount::Nothing;
            }
        };
        buffer[..kept].copy_from_slice(&self.rest);
        self.rest.clear();
        let end = kept + count;
        let amount = if end == buffer.len() {
            Amount::Full
        } else {
            Amount::Some
        };
        let mut start = 0;
        if self.state == State::Upgrading {
            match self.upgraded(&buffer[..end]) {
                Some(length) => start = length,
                None => {
                    self.rest.extend(&buffer[..end]);
                    return amount;
                }
            }
            if self.state == State::Greeting {
                take(self, Arrival::Upgraded);
            }
        }
        let wanted = loop {
            match wire::first(&buffer[start..end]) {
                Ok(frame) => {
                    start += frame.length;
                    take(self, Arrival::Frame(frame));
                }
                Err(wanted) => break wanted,
            }
        };
        self.rest.extend(&buffer[start..end]);
        if wanted > buffer.len() / 2 {
            buffer.resize(wanted * 2, 0);
        }
        amount
    }

    /// The length of the answer to the upgrade, once it is whole.
    fn upgraded(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
        if bytes.starts_with(b"HTTP/1.1 101 ") {
            self.state = State::Greeting;
        } else {
            let answer = bytes.split(|&byte| byte == b'\r').next().unwrap_or(bytes);
            let answer = format!("refused with {}", String::from_utf8_lossy(answer));
            self.close(&answer);
        }
        Some(end)
    }
}

/// Also while it is not connected yet: then it becomes writable later.
fn again(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected
    )
}
