//! The Worker's side of a request: who asks, may they, and then the room (T3, T4, T7, section 7).

use worker::{Env, Headers, Method, Request, Response, Result};

use super::call::{Ask, Call, Resume};
use super::config::{Config, config};
use super::route::{Resource, Route};
use super::{batch, host, log, metrics, page, reply, rooms, tokens};
use crate::auth::{Claims, Credentials, OfferedProtocol, Rights, origin_allowed};
use crate::protocol::{Error, ErrorCode, http};

/// The largest body of a request, in bytes (H6).
const MAX_BODY: usize = 1024 * 1024;

/// What is known of a request before it is judged.
struct Asked {
    method: Method,
    known_method: bool,
    /// Scheme, host and port under which the Worker was asked.
    address: String,
    /// Percent-encoded.
    path: String,
    /// What follows the `?`.
    query: String,
    credentials: Credentials,
    upgrade: bool,
    events: bool,
    origin: Option<String>,
    last_event_id: Option<String>,
}

impl Asked {
    fn of(request: &Request) -> Result<Asked> {
        let (address, path, query) = split(&request.inner().url());
        let headers = request.headers();
        let credentials = Credentials::from_request(
            headers.get("sec-websocket-protocol")?.as_deref(),
            headers.get("authorization")?.as_deref(),
            Some(&query),
        );
        let is = |name: &str, value: &str| -> Result<bool> {
            Ok(headers
                .get(name)?
                .is_some_and(|header| header.to_ascii_lowercase().contains(value)))
        };
        let method = request.method();
        Ok(Asked {
            // What `worker` does not know it takes for GET.
            known_method: method.as_ref() == request.inner().method(),
            method,
            credentials,
            upgrade: is("upgrade", "websocket")?,
            events: is("accept", "text/event-stream")?,
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
            .and_then(|(_, value)| host::decode_query(value))
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
    async fn claims(&self, config: &Config) -> std::result::Result<Claims, Error> {
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

/// Answers a request to the Worker.
pub async fn answer(request: Request, env: &Env) -> Result<Response> {
    let asked = Asked::of(&request)?;
    let route = Route::of(&asked.path);
    if let Ok(Route::Health) = route
        && asked.known_method
        && matches!(asked.method, Method::Get | Method::Head)
    {
        return reply::json(format!(
            "{{\"ok\":true,\"version\":\"{}\"}}",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let room = match &route {
        Ok(Route::Room { name, .. }) => Some(name.clone()),
        _ => None,
    };
    let config = config(env);
    let (origin, outcome) = match &config {
        Err(error) => (None, Err(error.clone())),
        Ok(config) => {
            config.warn_of_strangers(&asked.address);
            match origin_allowed(asked.origin.as_deref(), &asked.address, &config.auth) {
                Err(error) => (None, config.auth.check().and(Err(error))),
                Ok(origin) => (
                    origin.map(str::to_owned),
                    decide(request, &asked, route, config, env).await,
                ),
            }
        }
    };
    metrics::answered(&outcome, env);
    match outcome {
        Ok(response) => with_cors(response, origin.as_deref()),
        Err(error) => {
            log::refused(room.as_deref(), &error);
            refuse(&asked, &error, origin.as_deref())
        }
    }
}

fn refuse(asked: &Asked, error: &Error, origin: Option<&str>) -> Result<Response> {
    if asked.upgrade
        && let Some(protocol) = asked.credentials.protocol.answer()
    {
        return reply::refused_upgrade(error, protocol);
    }
    let response = reply::error(error)?;
    if error.code == ErrorCode::MethodNotAllowed
        && let Ok(route) = Route::of(&asked.path)
    {
        response.headers().set("allow", &allowed(&route))?;
    }
    with_cors(response, origin)
}

fn allowed(route: &Route) -> String {
    let methods: Vec<&str> = route
        .methods()
        .iter()
        .map(Method::as_ref)
        .chain(["OPTIONS"])
        .collect();
    methods.join(", ")
}

/// Lets a page of an allowed origin read the response (T7).
fn with_cors(response: Response, origin: Option<&str>) -> Result<Response> {
    let Some(origin) = origin else {
        return Ok(response);
    };
    if response.status_code() == 101 {
        return Ok(response);
    }
    let headers = Headers::from_iter(response.headers().entries());
    headers.set("access-control-allow-origin", origin)?;
    headers.set("access-control-expose-headers", "retry-after")?;
    headers.append("vary", "origin")?;
    Ok(response.with_headers(headers))
}

/// What a browser asks before a request that is not a simple one.
fn preflight(route: &Route) -> Result<Response> {
    let headers = Headers::new();
    headers.set("allow", &allowed(route))?;
    headers.set("access-control-allow-methods", &allowed(route))?;
    headers.set(
        "access-control-allow-headers",
        "authorization, content-type, last-event-id",
    )?;
    headers.set("access-control-max-age", "86400")?;
    Ok(Response::empty()?.with_status(204).with_headers(headers))
}

async fn decide(
    request: Request,
    asked: &Asked,
    route: std::result::Result<Route, Error>,
    config: &Config,
    env: &Env,
) -> std::result::Result<Response, Error> {
    config.auth.check()?;
    let route = route?;
    if asked.method == Method::Options {
        return preflight(&route).map_err(internal);
    }
    if !asked.known_method || !route.methods().contains(&asked.method) {
        return Err(Error::new(ErrorCode::MethodNotAllowed));
    }
    match route {
        Route::Health => Err(Error::new(ErrorCode::NotFound)),
        Route::Page => page::page(&config.auth)
            .map_err(internal)?
            .ok_or_else(|| Error::new(ErrorCode::NotFound)),
        Route::Metrics | Route::PublishBatch => {
            let claims = asked.claims(config).await?;
            if route == Route::Metrics {
                // No room has this name: only who reaches all of them reaches it.
                claims.grant("*")?.can.require(Rights::ADMIN)?;
                return reply::of_type(reply::METRICS, metrics::text()).map_err(internal);
            }
            let body = body(request).await?;
            batch::publish(&body, &claims, config, env).await
        }
        Route::Room { name, what } => room(request, asked, &name, what, config, env).await,
    }
}

async fn room(
    request: Request,
    asked: &Asked,
    name: &str,
    what: Resource,
    config: &Config,
    env: &Env,
) -> std::result::Result<Response, Error> {
    asked.credentials.protocol.check()?;
    let grant = asked.claims(config).await?.grant(name)?;
    let mut body = String::new();
    let (right, ask) = match what {
        Resource::Room if asked.method == Method::Delete => (Rights::ADMIN, Ask::Delete),
        Resource::Room if asked.upgrade => (Rights::NONE, asked.socket()),
        Resource::Room if asked.events => (Rights::SUBSCRIBE, asked.stream()),
        Resource::Room => (Rights::ADMIN, Ask::Summary),
        Resource::Publish => (Rights::PUBLISH, Ask::Publish),
        Resource::Presence => (Rights::PRESENCE, Ask::Presence),
        Resource::History => {
            let query = asked.query.clone();
            crate::protocol::HistoryQuery::from_query(&query)?;
            (Rights::HISTORY, Ask::History { query })
        }
        Resource::Metrics => (Rights::ADMIN, Ask::Metrics),
        Resource::Disconnect => (Rights::ADMIN, Ask::Disconnect),
    };
    grant.can.require(right)?;
    match ask {
        Ask::Publish => {
            body = self::body(request).await?;
            batch::check_size(&body, &config.limits)?;
            http::decode_publish(&body)?;
            body = format!("[{body}]");
        }
        Ask::Disconnect => {
            body = self::body(request).await?;
            http::decode_disconnect(&body)?;
        }
        _ => {}
    }
    let publishes = matches!(ask, Ask::Publish);
    let call = Call {
        room: name.to_owned(),
        grant: grant.encode(),
        ask,
    };
    let response = rooms::call(&call, &body, config, env).await?;
    if publishes {
        batch::single(response).await
    } else {
        Ok(response)
    }
}

impl Asked {
    fn socket(&self) -> Ask {
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

    fn stream(&self) -> Ask {
        let presence = self.query("presence").is_some_and(|value| value == "true");
        Ask::Stream {
            presence,
            resume: self.stream_resume(),
        }
    }
}

/// The body, as long as it is no larger than 1 MiB: what is beyond is never read into memory.
async fn body(request: Request) -> std::result::Result<String, Error> {
    let length = request.headers().get("content-length").ok().flatten();
    if length
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > MAX_BODY)
    {
        return Err(Error::new(ErrorCode::BodyTooLarge));
    }
    match host::body_text(request.inner().as_ref(), MAX_BODY as u32).await {
        Ok(text) => text
            .as_string()
            .ok_or_else(|| Error::new(ErrorCode::BodyTooLarge)),
        Err(_) => Err(Error::bad_message("the body is not UTF-8")),
    }
}

/// Something that the runtime failed at: the operator learns what, the client that.
pub fn internal(error: worker::Error) -> Error {
    log::room_failed("", &error.to_string());
    Error::new(ErrorCode::Internal)
}
