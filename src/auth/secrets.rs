//! The secrets of `ROOMFUL_SECRETS` (T1).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Shorter secrets are refused: HS256 is as strong as its key.
const MIN_SECRET_BYTES: usize = 32;
/// Each token without a `kid` may have to be tried with all of them.
const MAX_SECRETS: usize = 10;

/// The secrets, all of which verify.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    kid: Option<Box<str>>,
    /// The secret itself, already taken in: it is needed for nothing else.
    hmac: Hmac<Sha256>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// From a comma-separated list. Space around an entry is not part of it, and
    /// an empty entry is none; but there is one that is not, for whoever sets
    /// the variable means tokens to be needed.
    ///
    /// An entry whose text before its first `:` could be a kid
    /// (`[A-Za-z0-9_-]{1,32}`) is `kid:secret`; any other one is a bare secret,
    /// colons included. So a secret cannot hold a comma, and a bare one that
    /// holds a colon should be given a kid.
    ///
    /// # Errors
    ///
    /// What the list has to be, without any of its text.
    pub(super) fn parse(list: &str) -> Result<Secrets, &'static str> {
        let entries = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let secrets = entries.map(Secret::parse).collect::<Result<Vec<_>, _>>()?;
        if !matches!(secrets.len(), 1..=MAX_SECRETS) {
            return Err("must have 1 to 10 entries");
        }
        Ok(Secrets(secrets))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `mac` is the HMAC-SHA-256 of `message` under one of the secrets.
    /// With a `kid` only those of this kid, and the bare ones, are tried.
    pub(super) fn verify(&self, kid: Option<&str>, message: &[u8], mac: &[u8]) -> bool {
        let eligible = |secret: &&Secret| match (kid, secret.kid.as_deref()) {
            (Some(wanted), Some(kid)) => wanted == kid,
            _ => true,
        };
        self.0.iter().filter(eligible).any(|secret| {
            secret
                .hmac
                .clone()
                .chain_update(message)
                .verify_slice(mac)
                .is_ok()
        })
    }
}

impl Secret {
    fn parse(entry: &str) -> Result<Secret, &'static str> {
        let (kid, secret) = match entry.split_once(':') {
            Some((kid, secret)) if is_kid(kid) => (Some(kid.into()), secret),
            _ => (None, entry),
        };
        if secret.len() < MIN_SECRET_BYTES {
            return Err("must have at least 32 bytes in each secret");
        }
        match Hmac::new_from_slice(secret.as_bytes()) {
            Ok(hmac) => Ok(Secret { kid, hmac }),
            Err(_) => Err("must have secrets that can be a key"),
        }
    }
}

fn is_kid(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests;
