//! The only place that knows the runtime.
//!
//! `gate` answers what reaches the Worker (`asked`): it decides who asks (`tokens`) and passes the question
//! on to the room's object (`rooms`). `object` is that object: it gives each event to the `shell`, which
//! hands it to the room (`life`), and carries out what the room wants done with whoever arrives (`arrival`),
//! with the sockets (`host`), the requests (`replies`) and the storage (`database`, `storage`). `metrics`
//! counts what an isolate does. `guard` and `entry.mjs` see to it that a panic ends in a reconnect rather
//! than in silence.

mod arrival;
mod asked;
mod batch;
mod call;
mod config;
mod cors;
mod database;
mod gate;
mod guard;
mod host;
mod life;
mod log;
mod metrics;
mod object;
mod page;
#[cfg(feature = "panic-on-purpose")]
mod panic_on_purpose;
mod replies;
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
