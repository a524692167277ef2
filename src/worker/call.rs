//! What the Worker asks of a room's object, once it has verified who asks.
//!
//! Travels in one header, as base64url of JSON: only the Worker can reach the object, so it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::auth::Grant;

/// The header's name.
pub const HEADER: &str = "roomful-call";

#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    /// The room's name, which the runtime does not tell in every case.
    pub room: String,
    /// As [`Grant::encode`] wrote it.
    pub grant: String,
    pub ask: Ask,
}

/// One for each kind of request (C1, section 7). Bodies travel as the body.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// A WebSocket. `protocol` is the subprotocol to answer with.
    Socket {
        protocol: Option<String>,
        resume: Resume,
        session: Option<String>,
    },
    /// Server-sent events.
    Stream {
        presence: bool,
        resume: Resume,
    },
    /// The body is a JSON array of messages.
    Publish,
    Presence,
    /// The query string, as it came.
    History {
        query: String,
    },
    Summary,
    Metrics,
    Disconnect,
    Delete,
}

/// Where a client left off.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Resume {
    pub epoch: Option<String>,
    pub offset: Option<String>,
}

impl Call {
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_vec(self).map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    pub fn decode(text: &str) -> Option<Call> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    pub fn grant(&self) -> Option<Grant> {
        Grant::decode(&self.grant)
    }
}
