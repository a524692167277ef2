//! The only place that knows the runtime.
//!
//! `gate` answers what reaches the Worker: it decides who asks (`tokens`) and passes the question on to
//! the room's object (`rooms`). `object` is that object: it gives each event to the `shell`, which hands
//! it to the room, and carries out what the room wants done with the sockets (`host`) and the storage
//! (`database`, `storage`). `metrics` counts what an isolate does. `guard` and `entry.mjs` see to it that a panic ends in a reconnect rather than in silence.

mod batch;
mod call;
mod config;
mod database;
mod gate;
mod guard;
mod host;
mod log;
mod metrics;
mod object;
mod page;
#[cfg(feature = "panic-on-purpose")]
mod panic_on_purpose;
mod reply;
mod rooms;
mod route;
mod shell;
mod storage;
mod tokens;

use worker::{Context, Env, Request, Response, Result, event};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    gate::answer(request, &env).await
}
