//! How the storage of a fuzzed room fails.

use roomful::room::{StoreError, StoreResult};
use roomful_memory::Faults;

/// Storage that fails when told to.
pub type Memory = roomful_memory::Memory<After>;

/// So many calls succeed before one fails; `None` if none is to fail.
#[derive(Default)]
pub struct After(pub Option<u8>);

impl Faults for After {
    fn judge(&mut self, _: &'static str) -> StoreResult<()> {
        let fails = self.0 == Some(0);
        self.0 = self.0.and_then(|left| left.checked_sub(1));
        if fails {
            return Err(StoreError("told to fail".to_owned()));
        }
        Ok(())
    }
}
