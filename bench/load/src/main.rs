//! One room's load: so many connections, so many messages a second, and what becomes of them.
//!
//! It shares the machine with the server that it measures, so it has to cost little: one thread over
//! `epoll`, no library between it and the frames, and messages are found by the stamps in them rather
//! than parsed. It prints one line of JSON; `bench/run.mjs` starts it.
//!
//! `options` what is asked for · `crowd` the connections and their loop · `connection` one of them ·
//! `wire` WebSocket framing · `stamp` what a message carries · `tally` what arrived · `histogram` how
//! late · `cpu` at what cost.

mod connection;
mod cpu;
mod crowd;
mod histogram;
mod options;
mod stamp;
mod tally;
mod wire;

use std::process::ExitCode;

use crowd::Crowd;
use options::Options;

fn main() -> ExitCode {
    let outcome = Options::parse(std::env::args().skip(1)).and_then(|options| {
        Crowd::new(options)?
            .run()
            .map_err(|error| error.to_string())
    });
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("load: {reason}");
            ExitCode::FAILURE
        }
    }
}
