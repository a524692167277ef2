//! The text of a frame or of events, message by message.

use std::fmt::Write as _;

/// Text under construction. A frame begins with a bracket and every item in it ends in a comma
/// until the end, so that items can be cut and spliced without looking at their neighbours.
#[derive(Debug, Default)]
pub struct Body {
    pub text: String,
    /// Where each item begins, whether it is in the body or not, and the end.
    pub starts: Vec<usize>,
    /// How many messages are in it.
    pub count: usize,
}

impl Body {
    pub fn begin(frames: bool, capacity: usize) -> Body {
        let mut text = String::with_capacity(capacity);
        if frames {
            text.push('[');
        }
        Body {
            text,
            ..Body::default()
        }
    }

    pub fn push(&mut self, text: &str, offset: Option<u64>, frames: bool, epoch: &str) {
        self.count = self.count.saturating_add(1);
        if frames {
            self.text.push_str(text);
            self.text.push(',');
        } else {
            event(&mut self.text, text, offset, epoch);
        }
    }

    /// The text to send and how many messages are in it; `None` if there is nothing in it. One message alone is not in an array.
    pub fn finish(mut self, frames: bool) -> Option<(String, usize)> {
        if self.count == 0 {
            return None;
        }
        if frames {
            self.text.pop();
            if self.count > 1 {
                self.text.push(']');
            } else {
                self.text.remove(0);
            }
        }
        Some((self.text, self.count))
    }
}

/// Writes one server-sent event (H7): only stored messages move a client's `Last-Event-ID`.
pub fn event(out: &mut String, text: &str, offset: Option<u64>, epoch: &str) {
    if let Some(offset) = offset {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "id: {epoch}/{offset}");
    }
    out.push_str("data: ");
    out.push_str(text);
    out.push_str("\n\n");
}
