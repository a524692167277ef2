//! The room, rule by rule: a test's name begins with the id of the rule that it shows
//! (`docs/protocol.md`). What is asserted is what a client would notice: the frames.
//!
//! | file | holds |
//! | --- | --- |
//! | `world` | a room with its surroundings: time, sockets, timers, eviction, restarts |
//! | `arrival`, `frame` | how somebody arrives, and what the room says to them |
//! | `memory`, `disk` | storage that fails on demand, is slow, and outlives the process |
//! | `scrape`, `report` | the room's numbers |
//! | `simulation` | seeded crowds against invariants |
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod abuse;
mod arrival;
mod bad_messages;
mod bans;
mod clock;
mod connect;
mod connects;
mod crowd;
mod deletion;
mod disk;
mod fill;
mod frame;
mod full;
mod grace;
mod hibernation;
mod history;
mod http;
mod ids;
mod liveness;
mod memory;
mod messages;
mod metrics;
mod presence;
mod rate;
mod renewal;
mod report;
mod resume;
mod rows;
mod scrape;
mod sessions;
mod shares;
mod simulation;
mod storage;
mod stored;
mod stream;
mod tick;
mod vacancy;
mod verifying;
mod world;
