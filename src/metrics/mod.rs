//! Numbers for whoever runs Roomful (H9): how they are counted and written, and what an isolate
//! counts. What a room counts is the room's.

mod exposition;
mod isolate;
mod ledger;
mod pace;

pub use exposition::{Exposition, Family};
pub use isolate::{Isolate, Outcome};
pub use ledger::{Ledger, Numbers, codes};
