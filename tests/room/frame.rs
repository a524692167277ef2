//! A text that the room sent, to one or to many, and what it says.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::Value;

/// Read once, however many it went to.
pub struct Frame {
    text: String,
    messages: OnceCell<Vec<Value>>,
}

impl Frame {
    pub fn new(text: String) -> Rc<Frame> {
        let messages = OnceCell::new();
        Rc::new(Frame { text, messages })
    }

    /// The messages in it.
    pub fn messages(&self) -> &[Value] {
        self.messages.get_or_init(|| flatten(&self.text))
    }
}

impl Deref for Frame {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The messages of a frame, or of events.
pub fn flatten(text: &str) -> Vec<Value> {
    if text.starts_with('[') || text.starts_with('{') {
        return match serde_json::from_str(text).expect("a frame is JSON") {
            Value::Array(messages) => {
                assert!(messages.len() > 1, "one message needs no array");
                messages
            }
            message => vec![message],
        };
    }
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .map(|line| serde_json::from_str(line).expect("an event is JSON"))
        .collect()
}

/// A message in a few words, for comparing sequences of them.
pub fn brief(message: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let offset = |lead: &str| match &message["offset"] {
        Value::Null => String::new(),
        offset => format!("{lead}{offset}"),
    };
    let of = |key: &str| text(&message[key]);
    match message["type"].as_str().expect("a type") {
        "message" => {
            let private = if message["private"] == true {
                " privately"
            } else {
                ""
            };
            format!("{} {}{}{private}", of("event"), of("data"), offset(" #"))
        }
        "ack" => format!("ack {}{}", of("id"), offset(" #")),
        "skip" => format!("skip{}", offset(" #")),
        "error" => match &message["id"] {
            Value::Null => format!("error {}", of("code")),
            id => format!("error {} {}", of("code"), text(id)),
        },
        "join" => format!("join {}", text(&message["member"]["user"]["id"])),
        "leave" => format!("leave {}", of("user")),
        "occupancy" => format!("occupancy {}/{}", message["connections"], message["users"]),
        "members" => format!("members {}", message["members"].as_array().unwrap().len()),
        other => other.to_owned(),
    }
}

/// How often somebody heard this.
pub fn count(heard: &[String], text: &str) -> usize {
    heard.iter().filter(|heard| *heard == text).count()
}
