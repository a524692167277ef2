//! Roomful: rooms with presence, history and resume, one Durable Object each.
//!
//! - [`protocol`]: what a client and a room can say to each other.
//! - [`auth`]: a token in, what its bearer may do out.
//! - [`metrics`]: numbers for whoever runs it.
//! - [`room`]: the room as a state machine without clock, randomness or I/O.
//! - [`variables`]: what the operator may have set, and may have misspelt.
//! - `worker`: carries the runtime's events into a room and its actions out;
//!   compiled for `wasm32` only.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::unreachable
    )
)]

pub mod auth;
mod map;
pub mod metrics;
pub mod protocol;
pub mod room;
pub mod variables;

#[cfg(target_arch = "wasm32")]
mod worker;
