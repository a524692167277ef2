//! Makes tokens and configurations for the tests: what an application's own
//! server, or somebody with worse intentions, would send.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::protocol::{Error, ErrorCode};

use super::base64url;
use super::claims::Claims;
use super::config::AuthConfig;
use super::verify::{Verification, verify};

/// The moment at which the tests stand, in milliseconds since the epoch.
pub(super) const NOW: u64 = 1_800_000_000_000;
/// The secret of [`config`].
pub(super) const SECRET: &str = "an only secret of 32 bytes or more";
/// The header that most issuers write.
pub(super) const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Claims that are in order at [`NOW`], for an hour.
pub(super) const CLAIMS: &str = r#"{"sub":"ana","exp":1800003600,"room":"lobby"}"#;

/// A token of these three parts, the first two as JSON text.
pub(super) fn assemble(header: &str, claims: &str, signature: &[u8]) -> String {
    let input = signing_input(header, claims);
    format!("{input}.{}", base64url::encode(signature))
}

/// A token with the HMAC-SHA-256 under `secret`, whatever its header says.
pub(super) fn sign_as(secret: &[u8], header: &str, claims: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length is fine");
    mac.update(signing_input(header, claims).as_bytes());
    assemble(header, claims, &mac.finalize().into_bytes())
}

/// A token as it should be: signed HS256 with [`SECRET`].
pub(super) fn sign(claims: &str) -> String {
    sign_as(SECRET.as_bytes(), HS256, claims)
}

/// The configuration that these variables give.
pub(super) fn configure(variables: &[(&str, &str)]) -> AuthConfig {
    let get = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    AuthConfig::from_variables(get).expect("valid variables")
}

/// A configuration with [`SECRET`] alone.
pub(super) fn config() -> AuthConfig {
    configure(&[("ROOMFUL_SECRETS", SECRET)])
}

/// A configuration with a key set alone; the audience is `rooms`.
pub(super) fn jwks_config() -> AuthConfig {
    configure(&[
        ("ROOMFUL_JWKS_URL", "https://issuer.example/keys"),
        ("ROOMFUL_AUDIENCE", "rooms"),
    ])
}

/// Verifies at [`NOW`] what needs no published key.
pub(super) fn claims_of(token: &str, config: &AuthConfig) -> Result<Claims, Error> {
    match verify(token, config, NOW)? {
        Verification::Done(claims) => Ok(claims),
        Verification::NeedsKey(pending) => panic!("{pending:?} needs a key"),
    }
}

/// Why a token is refused at [`NOW`].
pub(super) fn refused(token: &str, config: &AuthConfig) -> Error {
    match verify(token, config, NOW) {
        Ok(verification) => panic!("{token} passed: {verification:?}"),
        Err(error) => error,
    }
}

/// Shows that a token is refused as invalid, with a text that gives nothing away.
pub(super) fn assert_invalid(token: &str, config: &AuthConfig) {
    let error = refused(token, config);
    assert_eq!(error.code, ErrorCode::InvalidToken, "{token}: {error:?}");
    assert!(!error.message.contains(SECRET));
}

fn signing_input(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| base64url::encode(part.as_bytes()));
    format!("{header}.{claims}")
}
