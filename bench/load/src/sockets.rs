//! All connections, and the loop that serves them: one thread over epoll.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::arguments::Arguments;
use crate::connection::{Amount, Arrival, Connection, State};
use crate::cpu::Meter;
use crate::histogram::Histogram;
use crate::protocol::{Door, Meaning, Protocol};
use crate::runner::Words;
use crate::wire::{self, Frame};

/// So many are connecting at a time.
const CONNECTING: usize = 32;
const CONNECT_WITHIN: u64 = 60_000_000;
/// As a client is asked to (C3).
const PING_EVERY: f64 = 25_000_000.0;
const BUFFER: usize = 512 * 1024;
/// How long to wait at most before looking at the clock again.
const LOOK: Duration = Duration::from_millis(10);
/// How long not to look at the sockets of a busy crowd.
const EACH_LOOK: Duration = Duration::from_micros(800);

/// A workload, as the connections see it.
pub trait Listener {
    /// A text frame came, whole at `now` (µs). The one that opens a connection comes here, too.
    fn text(&mut self, connection: &mut Connection, frame: &Frame<'_>, now: u64);
    fn opened(&mut self, _: &mut Connection, _now: u64) {}
    fn closed(&mut self, _: &mut Connection, _now: u64) {}
    fn ponged(&mut self, _: &mut Connection, _now: u64) {}
    /// Between two sockets, so that what is due is done however much comes in.
    fn between(&mut self, _: &mut Sockets) {}
    /// When `between` has something to do, at the latest.
    fn wait(&self, _now: u64) -> Option<Duration> {
        None
    }
    /// Whether to look at the sockets once a millisecond rather than be woken by each: to wake a
    /// sleeping process costs whoever sends to it, and a server across a network is not charged for
    /// that.
    fn looks(&self) -> bool {
        false
    }
    /// Whether all has come that can.
    fn is_complete(&self) -> bool {
        false
    }
}

pub struct Sockets {
    pub protocol: Protocol,
    pub connections: Vec<Connection>,
    /// How many are open.
    pub open: usize,
    /// From beginning a connection until it was open.
    pub connect: Histogram,
    /// Why the first one closed that did.
    pub complaint: Option<String>,
    /// Whether they ping as clients do.
    pub keep_alive: bool,
    pid: Option<u32>,
    poll: Poll,
    events: Events,
    clock: Instant,
    buffer: Vec<u8>,
    pings: u64,
}

impl Sockets {
    pub fn new(arguments: &mut Arguments) -> Result<Sockets, Box<dyn Error>> {
        Ok(Sockets {
            protocol: Protocol::of(arguments)?,
            connections: Vec::new(),
            open: 0,
            connect: Histogram::new(),
            complaint: None,
            keep_alive: true,
            pid: arguments.optional("pid")?,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            clock: Instant::now(),
            buffer: vec![0; BUFFER],
            pings: 0,
        })
    }

    /// Microseconds since this began.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_micros() as u64
    }

    pub fn meter(&self) -> Meter {
        Meter::start(self.pid)
    }

    /// Begins one more connection.
    pub fn begin(&mut self, door: Door<'_>) -> io::Result<()> {
        let connection = self.connect(self.connections.len(), door)?;
        self.connections.push(connection);
        Ok(())
    }

    /// Begins a connection in the place of one that is closed.
    pub fn begin_again(&mut self, index: usize, door: Door<'_>) -> io::Result<()> {
        self.connections[index] = self.connect(index, door)?;
        Ok(())
    }

    /// Closes a connection that is not open yet though it was begun before a moment (µs).
    pub fn give_up(&mut self, index: usize, begun_before: u64) -> bool {
        let connection = &mut self.connections[index];
        let waits = matches!(connection.state, State::Upgrading | State::Greeting);
        let over = waits && connection.began < begun_before;
        if over {
            connection.close("it took too long to open");
            connection.buried = true;
        }
        over
    }

    fn connect(&self, index: usize, door: Door<'_>) -> io::Result<Connection> {
        let began = self.now();
        let mut stream = TcpStream::connect(self.protocol.address())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(index), interest)?;
        // If it cannot be, the connection shows that soon enough.
        let _ = stream.set_nodelay(true);
        let upgrade = self.protocol.upgrade(door);
        Ok(Connection::new(index, stream, began, upgrade))
    }

    /// Connects so many, a few at a time; an error if that does not succeed. `door` tells what each wants.
    pub fn gather<'a>(
        &mut self,
        people: usize,
        listener: &mut impl Listener,
        door: impl Fn(usize) -> Door<'a>,
    ) -> Result<(), Box<dyn Error>> {
        let give_up = self.now() + CONNECT_WITHIN;
        while self.open < people {
            while self.connections.len() < (self.open + CONNECTING).min(people) {
                self.begin(door(self.connections.len()))?;
            }
            self.serve(listener, LOOK)?;
            if let Some(complaint) = &self.complaint {
                return Err(format!("a connection was refused: {complaint}").into());
            }
            if self.now() > give_up {
                return Err(format!("only {} of {people} could connect", self.open).into());
            }
        }
        Ok(())
    }

    /// Serves until a moment (µs).
    pub fn serve_until(&mut self, listener: &mut impl Listener, at: u64) -> io::Result<()> {
        while self.now() < at {
            self.serve_before(listener, at)?;
        }
        Ok(())
    }

    /// Serves until the listener has all that can come, or until a moment (µs).
    pub fn serve_rest(&mut self, listener: &mut impl Listener, at: u64) -> io::Result<()> {
        while !listener.is_complete() && self.now() < at {
            self.serve_before(listener, at)?;
        }
        Ok(())
    }

    fn serve_before(&mut self, listener: &mut impl Listener, at: u64) -> io::Result<()> {
        let now = self.now();
        let left = Duration::from_millis(at.saturating_sub(now).div_ceil(1_000));
        let wait = listener.wait(now).unwrap_or(LOOK).min(LOOK);
        self.serve(listener, wait.min(left))
    }

    pub fn serve_for(&mut self, listener: &mut impl Listener, micros: u64) -> io::Result<()> {
        self.serve_until(listener, self.now() + micros)
    }

    /// Serves until the runner says a word, and returns it.
    pub fn serve_until_told(
        &mut self,
        listener: &mut impl Listener,
        words: &Words,
    ) -> Result<String, Box<dyn Error>> {
        loop {
            if let Some(word) = words.next()? {
                return Ok(word);
            }
            self.serve_before(listener, u64::MAX)?;
        }
    }

    /// Waits for something to happen and deals with it.
    pub fn serve(&mut self, listener: &mut impl Listener, wait: Duration) -> io::Result<()> {
        listener.between(self);
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let wait = if listener.looks() {
            std::thread::sleep(wait.min(EACH_LOOK));
            Duration::ZERO
        } else {
            wait
        };
        let outcome = self.poll.poll(&mut events, Some(wait));
        if outcome.is_ok() {
            for event in &events {
                let Token(index) = event.token();
                if event.is_writable() {
                    self.connections[index].flush();
                }
                if event.is_readable() || event.is_error() {
                    self.receive(index, event.is_read_closed(), listener);
                }
                self.bury(index, listener);
                listener.between(self);
            }
        }
        self.events = events;
        self.ping_due();
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads what there is. Once the other side has said its last, nobody tells of it again.
    fn receive(&mut self, index: usize, to_the_end: bool, listener: &mut impl Listener) {
        let Sockets {
            protocol,
            connections,
            open,
            connect,
            clock,
            buffer,
            ..
        } = self;
        let connection = &mut connections[index];
        loop {
            let mut now = None;
            let amount = connection.read(buffer, |connection, arrival| {
                let now = *now.get_or_insert_with(|| clock.elapsed().as_micros() as u64);
                let opens = match &arrival {
                    Arrival::Upgraded => protocol.opens_at_once(),
                    Arrival::Frame(frame) => take(protocol, connection, frame, now, listener),
                };
                if opens {
                    connection.open();
                    *open += 1;
                    connect.add(now - connection.began);
                    listener.opened(connection, now);
                    if let Arrival::Frame(frame) = &arrival {
                        listener.text(connection, frame, now);
                    }
                }
            });
            match amount {
                Amount::Full => {}
                Amount::Some if to_the_end => {}
                _ => return,
            }
        }
    }

    /// Tells of a connection that closed, once.
    fn bury(&mut self, index: usize, listener: &mut impl Listener) {
        let now = self.now();
        let connection = &mut self.connections[index];
        if connection.state != State::Closed || connection.buried {
            return;
        }
        connection.buried = true;
        if connection.was_open {
            self.open -= 1;
        }
        if self.complaint.is_none() {
            self.complaint = connection.reason.clone();
        }
        listener.closed(connection, now);
    }

    /// Everybody pings as often as they should, evenly spread.
    fn ping_due(&mut self) {
        if self.connections.is_empty() {
            return;
        }
        let now = self.now();
        let interval = PING_EVERY / self.connections.len() as f64;
        while self.keep_alive && self.pings < (now as f64 / interval) as u64 {
            let index = self.pings as usize % self.connections.len();
            self.pings += 1;
            let connection = &mut self.connections[index];
            if connection.is_open() {
                self.protocol.ping(connection);
            }
        }
    }
}

/// Deals with a frame; tells whether it opens the connection.
fn take(
    protocol: &Protocol,
    connection: &mut Connection,
    frame: &Frame<'_>,
    now: u64,
    listener: &mut impl Listener,
) -> bool {
    match frame.opcode {
        wire::TEXT | wire::BINARY => match protocol.read(connection, frame.payload) {
            Meaning::Message => listener.text(connection, frame, now),
            Meaning::Pong => listener.ponged(connection, now),
            Meaning::Handled => {}
            Meaning::Welcome => return true,
        },
        wire::PING => connection.send_frame(wire::PONG, frame.payload),
        wire::PONG => listener.ponged(connection, now),
        wire::CLOSE => connection.close(&wire::reason(frame.payload)),
        _ => connection.close("sent a part of a message"),
    }
    false
}
