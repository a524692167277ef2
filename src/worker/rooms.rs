//! The way to a room's object: placement (H8), and what becomes of an object that cannot be reached.

use wasm_bindgen::JsCast;
use worker::worker_sys::web_sys;
use worker::{Env, Request, Response, Stub};

use super::call::{self, Ask, Call};
use super::config::Config;
use super::gate::internal;
use super::{host, log, reply};
use crate::protocol::{Error, ErrorCode};

/// The binding of the rooms' class in `wrangler.toml`.
const BINDING: &str = "ROOMS";

/// Asks a room. Its refusals come back as errors, so that the Worker words them for whoever asked.
pub async fn call(call: &Call, body: &str, config: &Config, env: &Env) -> Result<Response, Error> {
    let stub = stub(&call.room, config, env).map_err(internal)?;
    let request = request(call, body).map_err(internal)?;
    let response = stub.fetch_with_request(request).await.map_err(|error| {
        // Overloaded, restarting, or cut off in the middle: the client cannot know more than that it may try again.
        log::room_failed(&call.room, &error.to_string());
        Error::new(ErrorCode::RoomBusy)
    })?;
    if response.status_code() < 400 {
        return Ok(response);
    }
    let body = text(response).await?;
    Err(reply::read_error(&body).unwrap_or_else(|| Error::new(ErrorCode::RoomBusy)))
}

/// The text of a room's answer.
pub async fn text(response: Response) -> Result<String, Error> {
    let response: web_sys::Response = response.into();
    let text = host::body_text(response.as_ref(), u32::MAX)
        .await
        .ok()
        .and_then(|text| text.as_string());
    // It was cut off in the middle.
    text.ok_or_else(|| Error::new(ErrorCode::RoomBusy))
}

fn request(call: &Call, body: &str) -> worker::Result<Request> {
    let upgrade = matches!(call.ask, Ask::Socket { .. });
    let body = matches!(call.ask, Ask::Publish | Ask::Disconnect).then_some(body);
    Ok(host::request(call::HEADER, &call.encode()?, upgrade, body)?.into())
}

fn stub(room: &str, config: &Config, env: &Env) -> worker::Result<Stub> {
    let mut rooms = env.durable_object(BINDING)?;
    if let Some(jurisdiction) = &config.placement.jurisdiction {
        rooms = host::within(rooms.as_ref(), jurisdiction)?.unchecked_into();
    }
    match &config.placement.location {
        Some(location) => rooms.get_by_name_with_location_hint(room, location),
        None => rooms.get_by_name(room),
    }
}
