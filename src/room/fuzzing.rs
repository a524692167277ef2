//! Doors for the targets in `fuzz/`, which the Worker is compiled without.

use super::connection::Connection;

/// An attachment as it reads, written again; `None` for what is none of this epoch.
pub fn attachment(text: &str, epoch: &str, now: u64) -> Option<serde_json::Result<String>> {
    let restored = Connection::restore(text, epoch, now)?;
    let member = Some((&restored.state, restored.joined_at));
    Some(restored.connection.attachment(epoch, member))
}
