//! The secret with which a connection comes back (R1).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::protocol::ConnectionId;

use super::base64url;

/// The longest secret: a connection id, an offset in base 36 and a MAC in
/// base64url, with a dot between each.
const MAX_SECRET_BYTES: usize = 10 + 1 + 13 + 1 + 43;

/// No other use of the key can have a message that begins like this.
const DOMAIN: &[u8] = b"roomful session v1\0";

/// A room's key for its session secrets: 32 random bytes, made once for each
/// epoch and kept in the room's storage.
///
/// A secret certifies itself, so no session is stored. It says which connection
/// it belongs to and after which offset that connection's history begins, and
/// holds for the same user in the same epoch alone:
///
/// ```
/// use roomful::auth::SessionKey;
/// use roomful::protocol::ConnectionId;
///
/// let key = SessionKey::new([7; 32]);
/// let connection = ConnectionId::new(12).expect("a small number");
/// let secret = key.issue("epoch-1", connection, "ana", 41);
/// assert_eq!(key.verify(&secret, "epoch-1", "ana"), Some((connection, 41)));
/// assert_eq!(key.verify(&secret, "epoch-1", "bob"), None);
/// ```
#[derive(Clone)]
pub struct SessionKey(Hmac<Sha256>);

impl SessionKey {
    /// A key of these bytes, which must be random and secret.
    pub fn new(bytes: [u8; 32]) -> SessionKey {
        // HMAC itself fills a short key up with zeros, to a block of its hash.
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(bytes) {
            *place = byte;
        }
        SessionKey(Hmac::new(&block.into()))
    }

    /// The secret of a connection, `<connection>.<first offset>.<mac>`: at most
    /// 68 characters, all of which may stand in the name of a subprotocol.
    ///
    /// `first_offset` is the offset of the session's first `welcome`.
    pub fn issue(
        &self,
        epoch: &str,
        connection: ConnectionId,
        user: &str,
        first_offset: u64,
    ) -> String {
        let mac = self.mac(epoch, connection, user, first_offset);
        let mac = base64url::encode(&mac.finalize().into_bytes());
        format!("{connection}.{}.{mac}", base36(first_offset))
    }

    /// The connection that a secret belongs to and the offset of its session's
    /// first `welcome`, if this key issued it in this epoch for this user.
    pub fn verify(&self, secret: &str, epoch: &str, user: &str) -> Option<(ConnectionId, u64)> {
        if secret.len() > MAX_SECRET_BYTES {
            return None;
        }
        let mut parts = secret.split('.');
        let (connection, offset, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let connection = ConnectionId::parse(connection)?;
        let first_offset = u64::from_str_radix(offset, 36).ok()?;
        // One secret has one text: no capitals, signs or leading zeros.
        if base36(first_offset) != offset {
            return None;
        }
        let mac = base64url::decode(mac)?;
        // Constant-time.
        self.mac(epoch, connection, user, first_offset)
            .verify_slice(&mac)
            .ok()?;
        Some((connection, first_offset))
    }

    /// The MAC over all four, of which those of variable length come with their
    /// length, so that no two quadruples have the same bytes.
    fn mac(
        &self,
        epoch: &str,
        connection: ConnectionId,
        user: &str,
        first_offset: u64,
    ) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(DOMAIN);
        for text in [epoch, user] {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.update(&connection.get().to_be_bytes());
        mac.update(&first_offset.to_be_bytes());
        mac
    }
}

/// Shows nothing of the key.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

fn base36(number: u64) -> String {
    let mut digits = Vec::with_capacity(13);
    let mut rest = number;
    loop {
        let digit = u32::try_from(rest % 36)
            .ok()
            .and_then(|digit| char::from_digit(digit, 36));
        digits.extend(digit);
        rest /= 36;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;
