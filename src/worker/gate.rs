//! The Worker's side of a request: who asks, may they, and then the room (T3, T4, T7, section 7).

use worker::{Env, Method, Request, Response, Result};

use super::asked::Asked;
use super::call::{Ask, Call};
use super::config::{Config, config};
use super::cors::{preflight, with_cors};
use super::route::{Resource, Route};
use super::{batch, host, log, metrics, page, reply, rooms};
use crate::auth::{Rights, origin_allowed};
use crate::protocol::{Error, ErrorCode, HistoryQuery, http};

/// The largest body of a request, in bytes (H6).
const MAX_BODY: usize = 1024 * 1024;

/// Answers a request to the Worker.
pub async fn answer(request: Request, env: &Env) -> Result<Response> {
    let asked = Asked::of(&request)?;
    let route = Route::of(&asked.path);
    let config = config(env);
    if let Ok(Route::Health) = route
        && asked.method != Method::Options
    {
        return health(&asked, config.ok().as_deref());
    }
    let room = match &route {
        Ok(Route::Room { name, .. }) => Some(name.clone()),
        _ => None,
    };
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

/// Everybody is answered, whatever the configuration (H6); but pages read it by the list of origins, as all else (T7).
fn health(asked: &Asked, config: Option<&Config>) -> Result<Response> {
    let origin = config.and_then(|config| {
        let asked_by = asked.origin.as_deref();
        origin_allowed(asked_by, &asked.address, &config.auth).ok()?
    });
    if !asked.known_method || !Route::Health.methods().contains(&asked.method) {
        return refuse(asked, &Error::new(ErrorCode::MethodNotAllowed), origin);
    }
    let health = format!(
        "{{\"ok\":true,\"version\":\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    with_cors(reply::json(health)?, origin)
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
        response.headers().set("allow", &route.allow())?;
    }
    with_cors(response, origin)
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
                if !claims.rooms.are_all() {
                    return Err(Error::new(ErrorCode::Forbidden)
                        .with_message("The token does not reach all rooms."));
                }
                claims.can.require(Rights::ADMIN)?;
                return reply::of_type(reply::METRICS, metrics::text()).map_err(internal);
            }
            claims.can.require(Rights::PUBLISH)?;
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
            (Rights::HISTORY, Ask::History { query })
        }
        Resource::Metrics => (Rights::ADMIN, Ask::Metrics),
        Resource::Disconnect => (Rights::ADMIN, Ask::Disconnect),
    };
    grant.can.require(right)?;
    match &ask {
        Ask::History { query } => {
            HistoryQuery::from_query(query)?;
        }
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
