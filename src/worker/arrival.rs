//! What asks to come in, until the room has decided.

use wasm_bindgen::JsValue;
use worker::WebSocket;
use worker::worker_sys::web_sys::ReadableStream;

use super::host::Host;
use crate::protocol::{Error, ErrorCode};
use crate::room::Link;

/// What is to carry a connection.
pub enum Carrier {
    Socket(WebSocket),
    /// Made by the host if the room lets it in.
    Stream(Option<ReadableStream>),
}

/// A connection that the room has not let in yet, and then the room's verdict.
pub struct Arriving {
    link: Link,
    carrier: Carrier,
    verdict: Option<Result<(), Error>>,
}

impl Arriving {
    pub fn new(link: Link, carrier: Carrier) -> Arriving {
        Arriving {
            link,
            carrier,
            verdict: None,
        }
    }

    /// The room lets it in: from here on the host sends to it what goes to its link.
    pub fn accept(&mut self, host: &Host) -> Result<(), JsValue> {
        let link = self.link.0;
        let accepted = match &mut self.carrier {
            Carrier::Socket(socket) => host.accept(link, socket.as_ref()),
            Carrier::Stream(stream) => {
                let opened = host.open_stream(link);
                opened.map(|opened| *stream = Some(opened))
            }
        };
        self.verdict = Some(match &accepted {
            Ok(()) => Ok(()),
            // The runtime has a limit of its own: 32,768 sockets in one object.
            Err(_) => Err(Error::new(ErrorCode::RoomFull)),
        });
        accepted
    }

    /// The room does not let it in.
    pub fn refuse(&mut self, error: Error) {
        self.verdict = Some(Err(error));
    }

    /// What carries it now, or why nothing does.
    pub fn verdict(self) -> Result<Carrier, Error> {
        let verdict = self.verdict;
        let verdict = verdict.unwrap_or_else(|| Err(Error::new(ErrorCode::Internal)));
        verdict.map(|()| self.carrier)
    }
}
