//! What a request carries to show who it comes from (T3, T4, R1).

use std::fmt;

use crate::protocol::{Error, ErrorCode, SUBPROTOCOL};

use super::token::invalid;

const VERSION_PREFIX: &str = "roomful.v";
const TOKEN_PREFIX: &str = "roomful.token.";
const SESSION_PREFIX: &str = "roomful.session.";

/// The secrets of a request, not yet judged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Which version of the protocol was offered.
    pub protocol: OfferedProtocol,
    /// The token, from the first of the places of T3 that has one.
    pub token: Option<String>,
    /// The secret of the session that the request wants to resume.
    pub session: Option<String>,
}

/// Which `roomful.v…` a WebSocket handshake offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OfferedProtocol {
    /// None: a plain client, which is told of a refusal by the HTTP status.
    #[default]
    None,
    /// The version spoken here, perhaps among others.
    V1,
    /// Another version alone, by its full name.
    Other(String),
}

impl OfferedProtocol {
    /// The subprotocol to answer with. For a version that is not spoken here it
    /// is that one, because a browser shows a refusal only to a client whose
    /// offer was taken.
    pub fn answer(&self) -> Option<&str> {
        match self {
            OfferedProtocol::None => None,
            OfferedProtocol::V1 => Some(SUBPROTOCOL),
            OfferedProtocol::Other(name) => Some(name),
        }
    }

    /// Nothing if the client can be spoken with.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::UnsupportedProtocol`] if it offered other versions alone.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            OfferedProtocol::None | OfferedProtocol::V1 => Ok(()),
            OfferedProtocol::Other(_) => Err(Error::new(ErrorCode::UnsupportedProtocol)),
        }
    }
}

impl Credentials {
    /// From the request's `Sec-WebSocket-Protocol` and `Authorization` headers
    /// and the part of its URL after the `?`, each as it arrived.
    ///
    /// ```
    /// use roomful::auth::{Credentials, OfferedProtocol};
    ///
    /// let offered = Some("roomful.v1, roomful.token.a.b.c");
    /// let credentials = Credentials::from_request(offered, None, Some("token=d.e.f"));
    /// assert_eq!(credentials.protocol, OfferedProtocol::V1);
    /// assert_eq!(credentials.token.as_deref(), Some("a.b.c"));
    /// ```
    pub fn from_request(
        protocols: Option<&str>,
        authorization: Option<&str>,
        query: Option<&str>,
    ) -> Credentials {
        let protocols = protocols.unwrap_or_default();
        let query = |name| query.and_then(|query| query_value(query, name));
        Credentials {
            protocol: offered_protocol(protocols),
            token: offered(protocols, TOKEN_PREFIX)
                .or_else(|| authorization.and_then(bearer))
                .or_else(|| query("token"))
                .map(str::to_owned),
            session: offered(protocols, SESSION_PREFIX)
                .or_else(|| query("session"))
                .map(str::to_owned),
        }
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidToken`] if there is none.
    pub fn require_token(&self) -> Result<&str, Error> {
        self.token
            .as_deref()
            .ok_or_else(|| invalid("There is no token, and one is needed."))
    }
}

/// Shows what there is, and no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("protocol", &self.protocol)
            .field("token", &self.token.is_some())
            .field("session", &self.session.is_some())
            .finish()
    }
}

/// The entries of `Sec-WebSocket-Protocol` that are tokens of RFC 7230: what is
/// none can be neither ours nor safely answered.
fn entries(protocols: &str) -> impl Iterator<Item = &str> {
    let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    protocols
        .split(',')
        .map(|entry| entry.trim_matches([' ', '\t']))
        .filter(move |entry| !entry.is_empty() && entry.bytes().all(is_token_byte))
}

/// What follows the prefix in the first entry that has it and anything after it.
fn offered<'a>(protocols: &'a str, prefix: &str) -> Option<&'a str> {
    entries(protocols)
        .filter_map(|entry| entry.strip_prefix(prefix))
        .find(|rest| !rest.is_empty())
}

fn offered_protocol(protocols: &str) -> OfferedProtocol {
    if entries(protocols).any(|entry| entry == SUBPROTOCOL) {
        return OfferedProtocol::V1;
    }
    entries(protocols)
        .find(|entry| {
            entry
                .strip_prefix(VERSION_PREFIX)
                .is_some_and(|rest| !rest.is_empty())
        })
        .map_or(OfferedProtocol::None, |entry| {
            OfferedProtocol::Other(entry.to_owned())
        })
}

/// The token of an `Authorization: Bearer`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once([' ', '\t'])?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The first value of this name that is not empty. It is taken as it stands: no
/// character of a token or a secret is ever percent-encoded in a URL.
fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let query = query.strip_prefix('?').unwrap_or(query);
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
