//! How somebody arrives at a room: with which token, and with what of an earlier connection.

use roomful::auth::{Grant, Rights};
use roomful::protocol::Json;
use roomful::room::Kind;
use serde_json::Value;

/// How somebody arrives.
#[derive(Clone)]
pub struct Arrival {
    pub kind: Kind,
    pub grant: Grant,
    pub epoch: Option<String>,
    pub offset: Option<String>,
    pub session: Option<String>,
}

pub fn arrival(user: &str) -> Arrival {
    let grant = Grant {
        user: user.into(),
        info: Json::EMPTY_OBJECT,
        can: Rights::DEFAULT,
        expires_at: None,
    };
    Arrival {
        kind: Kind::Socket,
        grant,
        epoch: None,
        offset: None,
        session: None,
    }
}

impl Arrival {
    pub fn kind(mut self, kind: Kind) -> Arrival {
        self.kind = kind;
        self
    }

    pub fn can(mut self, can: &[&str]) -> Arrival {
        self.grant.can = Rights::from_names(can);
        self
    }

    pub fn info(mut self, info: Value) -> Arrival {
        self.grant.info = Json::trusted(info.to_string());
        self
    }

    pub fn expires_at(mut self, at: u64) -> Arrival {
        self.grant.expires_at = Some(at);
        self
    }

    pub fn session(mut self, secret: &str) -> Arrival {
        self.session = Some(secret.to_owned());
        self
    }

    pub fn at(mut self, epoch: &str, offset: impl ToString) -> Arrival {
        self.epoch = Some(epoch.to_owned());
        self.offset = Some(offset.to_string());
        self
    }

    /// With what a client knows from its `welcome`, having seen `offset`.
    pub fn resuming(self, welcome: &Value, offset: u64) -> Arrival {
        let session = welcome["session"].as_str().unwrap_or_default();
        self.session(session)
            .at(welcome["epoch"].as_str().unwrap(), offset)
    }
}
