//! One published key.

use std::ops::RangeInclusive;

use super::base64url;
use super::object::Object;
use super::token::PublicKeyAlgorithm;

/// A public key that verifies signatures of one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<String>,
    algorithm: PublicKeyAlgorithm,
    json: String,
}

impl Jwk {
    /// The key's name within its set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only algorithm that the key may be used for.
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// JSON for WebCrypto's `importKey("jwk", …)`: the public members and nothing
    /// else, so that no `key_ops`, `ext` or private part of the published text
    /// gets a say.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// `None` for a key that is not for verifying one of the algorithms here. By
    /// RFC 7517 such keys of a set are passed over. So is one that was published with
    /// its private part: anybody may have signed with it.
    pub(super) fn parse(object: &Object<'_>) -> Option<Jwk> {
        if !is_for_signatures(object) || object.contains("d") {
            return None;
        }
        let (algorithm, json) = match text(object, "kty")?.as_str() {
            "EC" if text(object, "crv")? == "P-256" => {
                let (x, y) = (octets(object, "x")?, octets(object, "y")?);
                let json = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
                (PublicKeyAlgorithm::Es256, json)
            }
            "OKP" if text(object, "crv")? == "Ed25519" => {
                let x = octets(object, "x")?;
                let json = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
                (PublicKeyAlgorithm::EdDsa, json)
            }
            "RSA" => {
                let (n, e) = (
                    integer(object, "n", 256..=1_024)?,
                    integer(object, "e", 1..=8)?,
                );
                // With an exponent of 1 every message is its own signature.
                if e == "AQ" {
                    return None;
                }
                (
                    PublicKeyAlgorithm::Rs256,
                    format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#),
                )
            }
            _ => return None,
        };
        let names: &[&str] = match algorithm {
            PublicKeyAlgorithm::Es256 => &["ES256"],
            // RFC 9864 renamed it.
            PublicKeyAlgorithm::EdDsa => &["EdDSA", "Ed25519"],
            PublicKeyAlgorithm::Rs256 => &["RS256"],
        };
        let named = object.string("alg").ok()?;
        if named.is_some_and(|alg| !names.contains(&alg.as_str())) {
            return None;
        }
        Some(Jwk {
            kid: object.string("kid").ok()?,
            algorithm,
            json,
        })
    }
}

fn is_for_signatures(object: &Object<'_>) -> bool {
    let by_use = match object.string("use") {
        Ok(usage) => usage.is_none_or(|usage| usage == "sig"),
        Err(_) => false,
    };
    let by_operations = match object.get::<Vec<String>>("key_ops") {
        Ok(operations) => operations.is_none_or(|list| list.iter().any(|it| it == "verify")),
        Err(_) => false,
    };
    by_use && by_operations
}

fn text(object: &Object<'_>, member: &str) -> Option<String> {
    object.string(member).ok()?
}

/// The base64url of a coordinate or a key on a curve of 256 bits.
fn octets(object: &Object<'_>, member: &str) -> Option<String> {
    let text = text(object, member)?;
    (base64url::decode(&text)?.len() == 32).then_some(text)
}

/// The base64url of a positive number of so many bytes, none of them padding.
fn integer(object: &Object<'_>, member: &str, bytes: RangeInclusive<usize>) -> Option<String> {
    let text = text(object, member)?;
    let value = base64url::decode(&text)?;
    (bytes.contains(&value.len()) && value.first() != Some(&0)).then_some(text)
}

#[cfg(test)]
mod tests;
