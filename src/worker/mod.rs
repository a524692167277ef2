//! The only place that knows the runtime: it turns an event into an input of
//! the room and carries out the room's actions.

use worker::{
    Context, DurableObject, Env, Error, Method, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, durable_object, event,
};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, _env: Env, _context: Context) -> Result<Response> {
    if request.path() != "/health" {
        return Response::error("not found", 404);
    }
    if request.method() != Method::Get {
        return Response::error("method not allowed", 405);
    }
    Response::from_json(&serde_json::json!({ "ok": true, "version": env!("CARGO_PKG_VERSION") }))
}

/// One room.
#[durable_object]
pub struct Room {
    _state: State,
}

impl DurableObject for Room {
    fn new(state: State, _env: Env) -> Self {
        Room { _state: state }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not implemented", 501)
    }

    async fn alarm(&self) -> Result<Response> {
        Response::empty()
    }

    async fn websocket_message(&self, _: WebSocket, _: WebSocketIncomingMessage) -> Result<()> {
        Ok(())
    }

    async fn websocket_close(
        &self,
        _socket: WebSocket,
        _code: usize,
        _reason: String,
        _was_clean: bool,
    ) -> Result<()> {
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: Error) -> Result<()> {
        Ok(())
    }
}
