//! Responses: JSON texts, errors by the one table (E1), and refused upgrades that a browser can read (T4).

use serde::Deserialize;
use worker::{Response, ResponseBuilder, Result, WebSocket, WebSocketPair};

use crate::protocol::{Error, ErrorCode};

/// A JSON text with status 200.
pub fn json(text: String) -> Result<Response> {
    of_type(JSON, text)
}

/// What an answer in JSON says of itself.
pub const JSON: &str = "application/json";
/// What the first page says of itself.
pub const HTML: &str = "text/html; charset=utf-8";
/// What metrics say of themselves (H9).
pub const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text of one of these types with status 200.
pub fn of_type(content_type: &str, text: String) -> Result<Response> {
    Ok(builder(content_type)?.fixed(text.into_bytes()))
}

/// An error with its status.
pub fn error(error: &Error) -> Result<Response> {
    let mut builder = builder(JSON)?.with_status(error.code.status());
    if let Some(milliseconds) = error.retry_after {
        builder = builder.with_header("retry-after", &milliseconds.div_ceil(1_000).to_string())?;
    }
    Ok(builder.fixed(error.to_http_body().into_bytes()))
}

fn builder(content_type: &str) -> Result<ResponseBuilder> {
    ResponseBuilder::new()
        .with_header("content-type", content_type)?
        .with_header("cache-control", "no-store")
}

/// A stream of server-sent events.
pub fn events(stream: worker::worker_sys::web_sys::ReadableStream) -> Result<Response> {
    Ok(builder("text/event-stream")?.stream(stream))
}

/// The handshake of an accepted WebSocket. The subprotocol is answered, never the token (T3).
pub fn upgrade(client: WebSocket, protocol: Option<&str>) -> Result<Response> {
    let mut builder = ResponseBuilder::new()
        .with_status(101)
        .with_websocket(client);
    if let Some(protocol) = protocol {
        builder = builder.with_header("sec-websocket-protocol", protocol)?;
    }
    Ok(builder.empty())
}

/// A refused upgrade that a page can read: browsers hide the status of a failed handshake, so it is completed, the
/// error is sent as the one frame, and the close code says what to do (T4, E2).
pub fn refused_upgrade(error: &Error, protocol: &str) -> Result<Response> {
    let pair = WebSocketPair::new()?;
    pair.server.accept()?;
    pair.server.send_with_str(error.to_frame())?;
    pair.server
        .close(Some(error.code.close()), Some(error.code.as_str()))?;
    upgrade(pair.client, Some(protocol))
}

/// The error in a body that [`error`] wrote. One that only another version knows, while a deploy is under way, is an error
/// all the same.
pub fn read_error(body: &str) -> Option<Error> {
    #[derive(Deserialize)]
    struct Body {
        error: Fields,
    }
    #[derive(Deserialize)]
    struct Fields {
        code: String,
        message: String,
        retry_after: Option<u64>,
    }
    let Body {
        error: Fields {
            code,
            message,
            retry_after,
        },
    } = serde_json::from_str(body).ok()?;
    let code = ErrorCode::parse(&code).unwrap_or(ErrorCode::RoomBusy);
    let error = Error::new(code).with_message(message);
    Some(match retry_after {
        Some(milliseconds) => error.with_retry_after(milliseconds),
        None => error,
    })
}
