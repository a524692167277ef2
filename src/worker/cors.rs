//! What browsers ask and are told about pages of other origins (T7).

use worker::{Headers, Response, Result};

use super::route::Route;

/// Lets a page of an allowed origin read the response (T7).
pub fn with_cors(response: Response, origin: Option<&str>) -> Result<Response> {
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
pub fn preflight(route: &Route) -> Result<Response> {
    let headers = Headers::new();
    headers.set("allow", &route.allow())?;
    headers.set("access-control-allow-methods", &route.allow())?;
    headers.set(
        "access-control-allow-headers",
        "authorization, content-type, last-event-id",
    )?;
    headers.set("access-control-max-age", "86400")?;
    headers.set("cache-control", "no-store")?;
    Ok(Response::empty()?.with_status(204).with_headers(headers))
}
