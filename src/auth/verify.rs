//! A token's verification, in one step or in two (T1).

use std::fmt;

use crate::protocol::Error;

use super::claims::Claims;
use super::config::AuthConfig;
use super::token::{Algorithm, PublicKeyAlgorithm, Token, invalid_signature};

/// How far the verification of a token got.
#[derive(Debug)]
#[must_use]
pub enum Verification {
    /// The token is good.
    Done(Claims),
    /// Its signature has to be checked with a published key first.
    NeedsKey(PendingSignature),
}

/// A token whose signature has not been checked yet.
///
/// The caller finds the key ([`JwksCache::lookup`](super::JwksCache::lookup) with
/// [`kid`](Self::kid) and [`algorithm`](Self::algorithm)), has WebCrypto check
/// [`signature`](Self::signature) over [`signing_input`](Self::signing_input),
/// and passes the outcome to [`finish`](Self::finish).
#[must_use]
pub struct PendingSignature {
    algorithm: PublicKeyAlgorithm,
    kid: Option<String>,
    signing_input: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Verifies a token at the time `now_ms`, in milliseconds since the epoch.
///
/// # Errors
///
/// [`ErrorCode::TokenExpired`](crate::protocol::ErrorCode::TokenExpired) for a
/// good token whose time and leeway are over,
/// [`ErrorCode::InvalidToken`](crate::protocol::ErrorCode::InvalidToken) for
/// everything else that is wrong with it, and
/// [`ErrorCode::NotConfigured`](crate::protocol::ErrorCode::NotConfigured) if
/// there is nothing to verify it with.
pub fn verify(token: &str, config: &AuthConfig, now_ms: u64) -> Result<Verification, Error> {
    let rules = config.rules()?;
    let token = Token::parse(token)?;
    let signing_input = token.signing_input.as_bytes();
    match token.algorithm {
        Algorithm::Hs256 => {
            if !rules
                .secrets()
                .verify(token.kid.as_deref(), signing_input, &token.signature)
            {
                return Err(invalid_signature());
            }
            Claims::read(&token.payload, rules, now_ms).map(Verification::Done)
        }
        Algorithm::PublicKey(_) if rules.jwks_url().is_none() => Err(invalid_signature()),
        Algorithm::PublicKey(algorithm) => Ok(Verification::NeedsKey(PendingSignature {
            algorithm,
            kid: token.kid,
            signing_input: signing_input.to_vec(),
            payload: token.payload,
            signature: token.signature,
        })),
    }
}

impl PendingSignature {
    /// What the key must be for.
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// Which key the token names.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The bytes that were signed.
    pub fn signing_input(&self) -> &[u8] {
        &self.signing_input
    }

    /// The signature, in the form that WebCrypto takes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The token's claims, if its signature was found good.
    ///
    /// # Errors
    ///
    /// As those of [`verify`].
    pub fn finish(
        self,
        signature_ok: bool,
        config: &AuthConfig,
        now_ms: u64,
    ) -> Result<Claims, Error> {
        if !signature_ok {
            return Err(invalid_signature());
        }
        Claims::read(&self.payload, config.rules()?, now_ms)
    }
}

/// Shows no part of the token.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
