//! A request to the Worker as it came: what is asked, and by whom.

use worker::{Method, Request, Result};

use super::call::{Ask, Resume};
use super::config::Config;
use super::{host, tokens};
use crate::auth::{Claims, Credentials, OfferedProtocol};
use crate::protocol::Error;

/// What is known of a request before it is judged.
pub struct Asked {
    pub method: Method,
    pub known_method: bool,
    /// Scheme, host and port under which the Worker was asked.
    pub address: String,
    /// Percent-encoded.
    pub path: String,
    /// What follows the `?`.
    pub query: String,
    pub credentials: Credentials,
    pub upgrade: bool,
    pub events: bool,
    pub origin: Option<String>,
    last_event_id: Option<String>,
}

impl Asked {
    /// Reads all of it but the body.
    pub fn of(request: &Request) -> Result<Asked> {
        let (address, path, query) = split(&request.inner().url());
        let headers = request.headers();
        let credentials = Credentials::from_request(
            headers.get("sec-websocket-protocol")?.as_deref(),
            headers.get("authorization")?.as_deref(),
            Some(&query),
        );
        let method = request.method();
        // As the runtime asks. What it takes for no upgrade it cannot answer with a WebSocket, when the room has let it in.
        let upgrade = method == Method::Get
            && headers
                .get("upgrade")?
                .is_some_and(|header| header.eq_ignore_ascii_case("websocket"));
        let events = headers
            .get("accept")?
            .is_some_and(|header| header.to_ascii_lowercase().contains("text/event-stream"));
        Ok(Asked {
            // What `worker` does not know it takes for GET.
            known_method: method.as_ref() == request.inner().method(),
            method,
            credentials,
            upgrade,
            events,
            origin: headers.get("origin")?,
            last_event_id: headers.get("last-event-id")?,
            address,
            path,
            query,
        })
    }

    /// The first value of a query parameter, decoded.
    fn query(&self, name: &str) -> Option<String> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| host::decode_query(value))
    }

    fn resume(&self) -> Resume {
        Resume {
            epoch: self.query("epoch"),
            offset: self.query("offset"),
        }
    }

    /// A stream resumes by its last event's id, `<epoch>/<offset>` (H7); the parameters serve clients that cannot set it.
    fn stream_resume(&self) -> Resume {
        match self.last_event_id.as_deref().filter(|id| !id.is_empty()) {
            None => self.resume(),
            Some(id) => {
                let (epoch, offset) = id.split_once('/').unwrap_or((id, ""));
                Resume {
                    epoch: Some(epoch.to_owned()),
                    offset: Some(offset.to_owned()),
                }
            }
        }
    }

    /// Whose token it is.
    pub async fn claims(&self, config: &Config) -> std::result::Result<Claims, Error> {
        config.auth.check()?;
        let user = || {
            self.query("user")
                .filter(|user| !user.is_empty())
                .unwrap_or_else(guest)
        };
        match tokens::anonymous(config, user) {
            Some(claims) => claims,
            None => tokens::claims(self.credentials.require_token()?, &config.auth).await,
        }
    }

    /// What a WebSocket asks of its room.
    pub fn socket(&self) -> Ask {
        let protocol = match &self.credentials.protocol {
            OfferedProtocol::V1 => self.credentials.protocol.answer().map(str::to_owned),
            OfferedProtocol::None | OfferedProtocol::Other(_) => None,
        };
        Ask::Socket {
            protocol,
            resume: self.resume(),
            session: self.credentials.session.clone(),
        }
    }

    /// What an event stream asks of its room.
    pub fn stream(&self) -> Ask {
        let presence = self.query("presence").is_some_and(|value| value == "true");
        Ask::Stream {
            presence,
            resume: self.stream_resume(),
        }
    }
}

/// Origin, path and query of a URL as the runtime gives it: absolute, and normalized already.
fn split(url: &str) -> (String, String, String) {
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let host = address.find("://").map_or(0, |at| at.saturating_add(3));
    let path = address
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(address.len(), |at| at.saturating_add(host));
    let (origin, path) = address.split_at_checked(path).unwrap_or((address, "/"));
    (origin.to_owned(), path.to_owned(), query.to_owned())
}

/// A user id for somebody who did not choose one.
fn guest() -> String {
    let random = host::random(4).unwrap_or_default();
    random.iter().fold(String::from("guest-"), |name, byte| {
        name + &format!("{byte:02x}")
    })
}
