//! Talking with whoever started this: one JSON object a line out, one line a word in.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use serde_json::{Value, json};

/// Prints an event.
pub fn tell(event: &str, mut figures: Value) {
    figures["event"] = json!(event);
    let mut out = io::stdout().lock();
    // Whoever does not read does not want to know.
    let _ = writeln!(out, "{figures}").and_then(|()| out.flush());
}

/// The lines that come in. A thread waits for them, so that nobody else has to.
pub struct Words {
    lines: Receiver<String>,
}

impl Words {
    pub fn listen() -> Words {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                if sender.send(line.trim().to_owned()).is_err() {
                    return;
                }
            }
        });
        Words { lines }
    }

    /// The next word, if it was said; an error if there will be none.
    pub fn next(&self) -> Result<Option<String>, Box<dyn Error>> {
        match self.lines.try_recv() {
            Ok(word) => Ok(Some(word)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err("stopped: the input ended".into()),
        }
    }
}
