//! The workloads. Each is a file of its own; `bench/README.md` says what they ask.

mod arrivals;
mod chat;
mod crowd;
mod deploy;
mod history;
mod idle;
mod log;
mod resume;
mod states;
mod waking;

use std::error::Error;

use serde_json::Value;

use crate::arguments::Arguments;

/// The figures of a workload.
type Figures = Result<Value, Box<dyn Error>>;

/// Runs the one of that name.
pub fn run(name: &str, mut arguments: Arguments) -> Figures {
    match name {
        "quiet" | "cursors" => match arguments.take("kind", "messages".to_owned())?.as_str() {
            "messages" => crowd::run(name, arguments),
            "states" => states::run(arguments),
            kind => Err(format!("there are no cursors of kind {kind}").into()),
        },
        "arrivals" => arrivals::run(arguments),
        "chat" => chat::run(arguments),
        "deploy" => deploy::run(arguments),
        "history" => history::run(arguments),
        "idle" => idle::run(arguments),
        "log" => log::run(arguments),
        "resume" => resume::run(arguments),
        "waking" => waking::run(arguments),
        _ => Err(format!("there is no workload {name}").into()),
    }
}
