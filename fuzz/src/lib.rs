//! What the fuzzing targets do with an input. `docs/architecture.md` says how they are run.
//!
//! | target | input | holds |
//! | --- | --- | --- |
//! | [`frame`] | a text frame | what is decoded is what [`model`] reads out of it with `serde_json` |
//! | [`http`] | a body, a query, a part of a path | likewise; what the Worker passes on stays the same |
//! | [`token`] | a token, its two texts, key sets, headers, variables | nothing passes without a signature |
//! | [`attachment`] | attachments and rows | a value, written again, reads as the same |
//! | [`room`] | a course of events | offsets are dense, frames are JSON, nobody sees a gap |

pub mod attachment;
pub mod door;
pub mod frame;
pub mod http;
pub mod memory;
pub mod model;
pub mod room;
pub mod text;
pub mod token;
pub mod world;
