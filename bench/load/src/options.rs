//! What is asked for on the command line: `--name value` pairs, and `--flag`s.

use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Path of the room; each connection appends its own `?user=`.
    pub path: String,
    /// Connections in the room.
    pub people: usize,
    /// How many of them publish, in turn.
    pub senders: usize,
    /// Messages a second, of all senders together; 0 to connect only.
    pub rate: f64,
    /// Publish with ids and have them stored, rather than ephemerally.
    pub durable: bool,
    /// The server is no Roomful: there is no `welcome` to wait for.
    pub bare: bool,
    /// Messages sent before this has passed are delivered, but not measured.
    pub warmup: Duration,
    /// How long is measured.
    pub measure: Duration,
    /// How long to wait afterwards for what is still under way.
    pub drain: Duration,
    /// The server's process, for its processor time.
    pub pid: Option<u32>,
}

impl Options {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            address: SocketAddr::from(([127, 0, 0, 1], 8787)),
            path: "/room/bench".to_owned(),
            people: 10,
            senders: 0,
            rate: 20.0,
            durable: false,
            bare: false,
            warmup: Duration::from_secs(2),
            measure: Duration::from_secs(5),
            drain: Duration::from_secs(5),
            pid: None,
        };
        while let Some(name) = args.next() {
            match name.as_str() {
                "--durable" => options.durable = true,
                "--bare" => options.bare = true,
                _ => {
                    let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
                    options
                        .set(&name, &value)
                        .ok_or_else(|| format!("cannot take {name} {value}"))?;
                }
            }
        }
        if options.senders == 0 || options.senders > options.people {
            options.senders = options.people;
        }
        if options.people == 0 || options.people > crate::stamp::MAX_SENDERS {
            return Err(format!("--people from 1 to {}", crate::stamp::MAX_SENDERS));
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let seconds = || {
            let seconds = value.parse().ok()?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        match name {
            "--address" => self.address = value.parse().ok()?,
            "--path" => self.path = value.to_owned(),
            "--people" => self.people = value.parse().ok()?,
            "--senders" => self.senders = value.parse().ok()?,
            "--rate" => self.rate = value.parse().ok().filter(|rate| *rate >= 0.0)?,
            "--warmup" => self.warmup = seconds()?,
            "--seconds" => self.measure = seconds()?,
            "--drain" => self.drain = seconds()?,
            "--pid" => self.pid = Some(value.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}
