//! The connections of one room, and the loop that serves them.

use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::connection::{Connection, State};
use crate::cpu::{self, Cpu};
use crate::histogram::Histogram;
use crate::options::Options;
use crate::stamp::{self, Stamp};
use crate::tally::Tally;
use crate::wire::{self, Frame};

/// So many are connecting at a time.
const CONNECTING: usize = 32;
const CONNECT_WITHIN: Duration = Duration::from_secs(60);
/// As a client is asked to (C3).
const PING_EVERY: u64 = 25_000_000;
const BUFFER: usize = 512 * 1024;
/// Messages sent before the sockets are looked at again, when it is behind.
const AT_ONCE: usize = 64;
/// Messages further apart than this (µs) are sent on time to the microsecond rather than the
/// millisecond, which costs a busy wait of up to one.
const FAR_APART: f64 = 5_000.0;

pub struct Crowd {
    options: Options,
    poll: Poll,
    began: Instant,
    connections: Vec<Connection>,
    open: usize,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    tally: Tally,
    connect: Histogram,
    late: Histogram,
    sent: u64,
    next_ping: u64,
    closed: Option<String>,
}

impl Crowd {
    pub fn new(options: Options) -> Result<Crowd, String> {
        let poll = Poll::new().map_err(|error| error.to_string())?;
        Ok(Crowd {
            tally: Tally::new(options.people),
            options,
            poll,
            began: Instant::now(),
            connections: Vec::new(),
            open: 0,
            buffer: vec![0; BUFFER],
            scratch: Vec::new(),
            connect: Histogram::new(),
            late: Histogram::new(),
            sent: 0,
            next_ping: PING_EVERY,
            closed: None,
        })
    }

    /// Connects everybody, sends, measures, waits for the rest: the report, as JSON.
    pub fn run(&mut self) -> io::Result<String> {
        let mut events = Events::with_capacity(1024);
        self.connect(&mut events)?;
        let connected = self.now();
        // What the joins have left to send is none of the measurement's business.
        self.serve_until(connected + 500_000, &mut events)?;

        let start = self.now();
        self.tally.from = start + micros(self.options.warmup);
        self.tally.to = self.tally.from + micros(self.options.measure);
        let (from, to) = (self.tally.from, self.tally.to);
        let interval = 1_000_000.0 / self.options.rate;
        let mut before = None;
        loop {
            let now = self.now();
            if before.is_none() && now >= from {
                before = Some((now, Cpu::of(self.options.pid), Cpu::of(None)));
            }
            if now >= to {
                break;
            }
            let next = self.send_due(start, interval);
            let wake = next.min(if before.is_none() { from } else { to });
            let wait = wake.saturating_sub(self.now());
            let wait = if interval >= FAR_APART {
                wait / 1_000
            } else {
                wait.div_ceil(1_000)
            };
            self.serve(
                Some((start, interval)),
                Duration::from_millis(wait),
                &mut events,
            )?;
        }
        let stopped = self.now();
        let (measured, server, own) = before.unwrap_or((stopped, None, None));
        let seconds = (stopped - measured) as f64 / 1e6;
        let server = cpu::used(server, Cpu::of(self.options.pid), seconds);
        let own = cpu::used(own, Cpu::of(None), seconds);

        let give_up = stopped + micros(self.options.drain);
        while !self.complete() && self.now() < give_up && self.open > 0 {
            self.serve(None, Duration::from_millis(10), &mut events)?;
        }
        let drained = (self.now() - stopped) as f64 / 1e3;
        // A double would come after what it doubles.
        self.serve_until(self.now() + 200_000, &mut events)?;
        Ok(self.report(connected, drained, &server, &own))
    }

    fn connect(&mut self, events: &mut Events) -> io::Result<()> {
        let mut settled = 0;
        while settled < self.options.people {
            while self.connections.len() < (settled + CONNECTING).min(self.options.people) {
                self.begin()?;
            }
            self.serve(None, Duration::from_millis(10), events)?;
            let waiting = |c: &&Connection| matches!(c.state, State::Upgrading | State::Waiting);
            settled = self.connections.len() - self.connections.iter().filter(waiting).count();
            if self.began.elapsed() > CONNECT_WITHIN {
                return Err(io::Error::other(format!(
                    "only {} could connect",
                    self.open
                )));
            }
            if self.closed.is_some() {
                let reason = self.closed.take().unwrap_or_default();
                return Err(io::Error::other(format!(
                    "a connection was refused: {reason}"
                )));
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        let index = self.connections.len();
        let Options { address, path, .. } = &self.options;
        let upgrade = wire::upgrade(*address, path, index);
        let mut connection = Connection::new(TcpStream::connect(*address)?, self.now(), upgrade);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(connection.stream(), Token(index), interest)?;
        connection.stream().set_nodelay(true)?;
        self.connections.push(connection);
        Ok(())
    }

    fn serve_until(&mut self, at: u64, events: &mut Events) -> io::Result<()> {
        while self.now() < at {
            self.serve(None, Duration::from_millis(10), events)?;
        }
        Ok(())
    }

    /// Waits for something to happen and deals with it; `schedule` is kept meanwhile.
    fn serve(
        &mut self,
        schedule: Option<(u64, f64)>,
        wait: Duration,
        events: &mut Events,
    ) -> io::Result<()> {
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            outcome => outcome?,
        }
        for event in events.iter() {
            let Token(index) = event.token();
            if event.is_writable() {
                self.connections[index].flush();
            }
            if event.is_readable() {
                self.receive(index);
            }
            if let Some((start, interval)) = schedule {
                self.send_due(start, interval);
            }
        }
        if self.now() >= self.next_ping {
            self.next_ping += PING_EVERY;
            self.scratch.clear();
            wire::frame(&mut self.scratch, wire::TEXT, b"ping");
            for connection in &mut self.connections {
                if connection.state == State::Open {
                    connection.send(&self.scratch);
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, index: usize) {
        let Crowd {
            connections,
            tally,
            buffer,
            began,
            options,
            connect,
            open,
            closed,
            ..
        } = self;
        let connection = &mut connections[index];
        let was = connection.state;
        if was == State::Closed {
            return;
        }
        loop {
            let mut now = None;
            let more = connection.read(buffer, |connection, frame| {
                let now = *now.get_or_insert_with(|| micros(began.elapsed()));
                let Frame {
                    opcode,
                    payload,
                    length,
                } = frame;
                match opcode {
                    wire::TEXT | wire::BINARY => {
                        tally.frame(index, payload, length, now, options.durable);
                        if connection.state == State::Waiting {
                            connection.state = State::Open;
                        }
                    }
                    wire::PING => {
                        let mut pong = Vec::new();
                        wire::frame(&mut pong, wire::PONG, payload);
                        connection.send(&pong);
                    }
                    wire::CLOSE => {
                        closed.get_or_insert_with(|| reason(payload));
                        connection.state = State::Closed;
                    }
                    _ => {}
                }
            });
            if connection.state == State::Closed {
                closed.get_or_insert_with(|| "the connection broke".to_owned());
            }
            if !more || connection.state == State::Closed {
                break;
            }
        }
        // A bare server has nothing to say before somebody speaks.
        if connection.state == State::Waiting && options.bare {
            connection.state = State::Open;
        }
        if was != State::Open && connection.state == State::Open {
            *open += 1;
            connect.add(micros(began.elapsed()) - connection.began);
        }
        if was == State::Open && connection.state == State::Closed {
            *open -= 1;
        }
    }

    /// Sends what is due, and returns when the next message is.
    fn send_due(&mut self, start: u64, interval: f64) -> u64 {
        for _ in 0..AT_ONCE {
            let due = start + (self.sent as f64 * interval) as u64;
            let now = self.now();
            if self.options.rate == 0.0 || due >= self.tally.to {
                return u64::MAX;
            }
            if due > now {
                return due;
            }
            if due >= self.tally.from {
                self.late.add(now - due);
            }
            self.publish(self.sent as usize % self.options.senders, due);
            self.sent += 1;
        }
        self.now()
    }

    fn publish(&mut self, sender: usize, due: u64) {
        let connection = &mut self.connections[sender];
        if connection.state != State::Open {
            return;
        }
        connection.published += 1;
        let stamp = Stamp {
            sender: sender as u32,
            number: connection.published,
            due,
        };
        let mut text = Vec::with_capacity(160);
        // Some sixty bytes of data, as a cursor or a short line of chat has.
        if self.options.durable {
            text.extend(
                br#"{"type":"publish","event":"chat","data":{"text":"as long as a line","t":""#,
            );
            stamp.write(stamp::MESSAGE, &mut text);
            text.extend(br#""},"id":""#);
            stamp.write(stamp::ACK, &mut text);
            text.extend(br#""}"#);
        } else {
            text.extend(br#"{"type":"publish","event":"cursor","data":{"x":1234.5,"y":678.9,"down":true,"t":""#);
            stamp.write(stamp::MESSAGE, &mut text);
            text.extend(br#""},"ephemeral":true}"#);
        }
        self.scratch.clear();
        wire::frame(&mut self.scratch, wire::TEXT, &text);
        connection.send(&self.scratch);
    }

    fn published(&self) -> u64 {
        self.connections
            .iter()
            .map(|connection| u64::from(connection.published))
            .sum()
    }

    fn expected(&self) -> u64 {
        self.published() * self.options.people as u64
    }

    fn complete(&self) -> bool {
        let acks = if self.options.durable {
            self.published()
        } else {
            0
        };
        self.tally.delivered >= self.expected() && self.tally.acks >= acks
    }

    fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    fn report(&self, connected: u64, drained: f64, server: &str, own: &str) -> String {
        let Crowd { tally, options, .. } = self;
        let seconds = options.measure.as_secs_f64();
        let each = |count: u64| (count as f64 / seconds.max(0.001)).round();
        let acks = if options.durable {
            let (expected, got, doubled) = (self.published(), tally.acks, tally.doubled_acks);
            let latency = tally.ack_latency.to_json();
            format!(
                r#"{{"expected":{expected},"got":{got},"doubled":{doubled},"latency_ms":{latency}}}"#
            )
        } else {
            "null".to_owned()
        };
        let commits = if options.durable {
            each(tally.window.commits)
        } else {
            0.0
        };
        let complaint = self.closed.as_ref().or(tally.complaint.as_ref());
        [
            format!(
                r#"{{"people":{},"senders":{}"#,
                options.people, options.senders
            ),
            format!(r#""rate":{},"seconds":{seconds}"#, options.rate),
            format!(r#""connected_ms":{}"#, connected as f64 / 1e3),
            format!(r#""connect_ms":{}"#, self.connect.to_json()),
            format!(
                r#""published":{},"expected":{}"#,
                self.published(),
                self.expected()
            ),
            format!(
                r#""delivered":{},"doubled":{}"#,
                tally.delivered, tally.doubled
            ),
            format!(r#""latency_ms":{}"#, tally.latency.to_json()),
            format!(
                r#""sent_late_ms":{},"drained_ms":{drained}"#,
                self.late.to_json()
            ),
            format!(r#""acks":{acks},"commits_per_second":{commits}"#),
            format!(
                r#""deliveries_per_second":{}"#,
                each(tally.window.deliveries)
            ),
            format!(r#""frames_per_second":{}"#, each(tally.window.frames)),
            format!(r#""bytes_per_second":{}"#, each(tally.window.bytes)),
            format!(r#""server_cpu":{server},"load_cpu":{own}"#),
            format!(
                r#""still_open":{},"complaint":{}}}"#,
                self.open,
                quoted(complaint)
            ),
        ]
        .join(",")
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

fn reason(payload: &[u8]) -> String {
    match payload {
        &[a, b, ref reason @ ..] => {
            let code = u16::from_be_bytes([a, b]);
            format!("{code} {}", String::from_utf8_lossy(reason))
        }
        _ => "without a code".to_owned(),
    }
}

fn quoted(text: Option<&String>) -> String {
    let Some(text) = text else {
        return "null".to_owned();
    };
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => String::new(),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}
