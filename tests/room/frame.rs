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
        self.messages
            .get_or_init(|| crate::world::flatten(&self.text))
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
