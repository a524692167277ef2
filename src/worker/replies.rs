//! Requests that wait for the room's reply.

use std::cell::{Cell, RefCell};

use futures::channel::oneshot::{self, Receiver, Sender};

use crate::map::Map;
use crate::protocol::Error;
use crate::room::RequestId;

/// What a room replies: a body, or why there is none.
type Reply = Result<String, Error>;

/// Who waits for which reply.
#[derive(Default)]
pub struct Replies {
    waiting: RefCell<Map<RequestId, Sender<Reply>>>,
    next: Cell<u32>,
}

impl Replies {
    /// A number for a request, and where its reply will arrive.
    pub fn expect(&self) -> (RequestId, Receiver<Reply>) {
        let request = RequestId(self.next.get());
        self.next.set(request.0.wrapping_add(1));
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().insert(request, sender);
        (request, receiver)
    }

    /// Passes a reply on.
    pub fn give(&self, request: RequestId, reply: Reply) {
        if let Some(sender) = self.waiting.borrow_mut().remove(&request) {
            // Whoever asked may have gone.
            let _ = sender.send(reply);
        }
    }
}
