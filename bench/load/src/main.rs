//! Load for a server of rooms: so many connections, so much said, and what becomes of it.
//!
//! It shares the machine with the server that it measures, so it has to cost little: one thread over
//! `epoll`, no library between it and the frames, and messages are found by the stamps in them rather
//! than parsed. It prints JSON, one object a line, of which the last has the figures;
//! `bench/run.mjs` starts it.
//!
//! - `sockets` all connections and their loop · `connection` one of them · `wire` WebSocket framing ·
//!   `protocol` and `pusher` how a kind of server is spoken to · `limits` how many sockets there may be
//! - `message` what is said · `stamp` what makes it known again · `senders` who says it · `schedule` when
//! - `roomful` what a room says · `backoff` when to connect again · `ledger` who has seen what
//! - `tally` what arrived · `histogram` how late · `cpu` at what cost · `course` from when to when
//! - `arguments` what is asked for · `runner` who asks · `workloads` what for

mod arguments;
mod backoff;
mod connection;
mod course;
mod cpu;
mod histogram;
mod ledger;
mod limits;
mod message;
mod protocol;
mod pusher;
mod roomful;
mod runner;
mod schedule;
mod senders;
mod sockets;
mod stamp;
mod tally;
mod wire;
mod workloads;

use std::error::Error;
use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    limits::raise_open_files();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("load: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let workload = args.next().ok_or("which workload?")?;
    let figures = workloads::run(&workload, Arguments::parse(args)?)?;
    runner::tell("result", figures);
    Ok(())
}
