//! The outer form of a token: a JWS in its compact serialisation (T1).

use crate::protocol::{Error, ErrorCode};

use super::base64url;
use super::object::Object;

/// The longest token, in bytes. It has to fit a header.
pub const MAX_TOKEN_BYTES: usize = 8_192;

const MAX_KID_BYTES: usize = 256;

/// An algorithm whose signatures are checked with a published key. HMAC is none
/// of them, so no published key can ever be used as a secret.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum PublicKeyAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA with Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl PublicKeyAlgorithm {
    /// The algorithm as WebCrypto wants it, in JSON: one object that serves both
    /// `importKey` and `verify`.
    pub fn web_crypto(self) -> &'static str {
        match self {
            Self::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
            Self::EdDsa => r#"{"name":"Ed25519"}"#,
            Self::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        }
    }

    /// Whether a signature can be this many bytes long.
    fn fits(self, signature_bytes: usize) -> bool {
        match self {
            Self::Es256 | Self::EdDsa => signature_bytes == 64,
            // Keys of 2,048 to 8,192 bits.
            Self::Rs256 => (256..=1_024).contains(&signature_bytes),
        }
    }
}

/// All algorithms that a header may name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    PublicKey(PublicKeyAlgorithm),
}

/// A token taken apart. Nothing in it is to be believed yet.
pub(super) struct Token<'a> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    /// What the signature is over: header and payload as they arrived.
    pub signing_input: &'a str,
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Token<'a>, Error> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(invalid("The token is longer than 8,192 bytes."));
        }
        let malformed = || invalid("The token is no JWT.");
        let (signing_input, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or_else(malformed)?;
        let decode = |part| base64url::decode(part).ok_or_else(malformed);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

        let header = str::from_utf8(&header)
            .ok()
            .and_then(Object::parse)
            .ok_or_else(malformed)?;
        let algorithm = algorithm(&header)?;
        if let Algorithm::PublicKey(algorithm) = algorithm
            && !algorithm.fits(signature.len())
        {
            return Err(invalid_signature());
        }
        // RFC 7515: who does not understand what is critical refuses it.
        if header.contains("crit") {
            return Err(invalid("The token's header has a `crit`."));
        }
        let kid = kid(&header)?;
        Ok(Token {
            algorithm,
            kid,
            signing_input,
            payload,
            signature,
        })
    }
}

fn algorithm(header: &Object<'_>) -> Result<Algorithm, Error> {
    match header.string("alg").ok().flatten().as_deref() {
        Some("HS256") => Ok(Algorithm::Hs256),
        Some("ES256") => Ok(Algorithm::PublicKey(PublicKeyAlgorithm::Es256)),
        Some("EdDSA") => Ok(Algorithm::PublicKey(PublicKeyAlgorithm::EdDsa)),
        Some("RS256") => Ok(Algorithm::PublicKey(PublicKeyAlgorithm::Rs256)),
        _ => Err(invalid(
            "The token's `alg` is none of HS256, ES256, EdDSA and RS256.",
        )),
    }
}

fn kid(header: &Object<'_>) -> Result<Option<String>, Error> {
    match header.string("kid") {
        Ok(kid) if kid.as_ref().is_none_or(|kid| kid.len() <= MAX_KID_BYTES) => Ok(kid),
        _ => Err(invalid(
            "The token's `kid` is no string of at most 256 bytes.",
        )),
    }
}

/// The refusal of a token. The text names the fault and nothing of the token.
pub(super) fn invalid(what: &'static str) -> Error {
    Error::new(ErrorCode::InvalidToken).with_message(what)
}

/// One text for a wrong signature, an unknown key and an algorithm without keys:
/// which of them it was is nobody's business.
pub(super) fn invalid_signature() -> Error {
    invalid("The token's signature is not valid here.")
}

#[cfg(test)]
mod tests;
