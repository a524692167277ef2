//! Verifying a token where it arrives, before any room hears of it (T4), and again on a live connection (T5).

use std::cell::RefCell;

use worker::{Date, Env};

use super::config::Config;
use super::{host, log};
use crate::auth::{
    AuthConfig, Claims, JwksCache, Lookup, MAX_JWKS_BYTES, Mode, PendingSignature, Verification,
    verify,
};
use crate::protocol::{Error, ErrorCode};

/// How long a key set may take, in milliseconds.
const FETCH_TIMEOUT: u32 = 5_000;

thread_local! {
    /// The key set of the deployment's one URL, shared by all requests of the isolate.
    static KEYS: RefCell<JwksCache> = RefCell::new(JwksCache::new());
}

/// The time, in milliseconds since the Unix epoch.
pub fn now() -> u64 {
    Date::now().as_millis()
}

/// A token's claims.
pub async fn claims(token: &str, config: &AuthConfig) -> Result<Claims, Error> {
    match verify(token, config, now())? {
        Verification::Done(claims) => Ok(claims),
        Verification::NeedsKey(pending) => {
            let valid = check_signature(&pending, config).await?;
            pending.finish(valid, config, now())
        }
    }
}

/// Whoever asks without a token, where none is needed (T6).
pub fn anonymous(config: &Config, user: impl FnOnce() -> String) -> Option<Result<Claims, Error>> {
    matches!(config.auth.mode(), Mode::Anonymous).then(|| Claims::anonymous(&user()))
}

async fn check_signature(pending: &PendingSignature, config: &AuthConfig) -> Result<bool, Error> {
    let Mode::Tokens(rules) = config.mode() else {
        return Ok(false);
    };
    let Some(url) = rules.jwks_url() else {
        return Ok(false);
    };
    let mut found = find_key(pending);
    if matches!(found, Found::Fetch) {
        fetch_keys(url).await;
        found = find_key(pending);
    }
    let json = match found {
        Found::Key { json } => json,
        Found::Fetch => return Err(Error::new(ErrorCode::RoomBusy)),
        Found::Refused(error) => return Err(error),
    };
    let algorithm = pending.algorithm().web_crypto();
    let verdict = host::verify_signature(
        &json,
        algorithm,
        pending.signature(),
        pending.signing_input(),
    )
    .await;
    // A key that WebCrypto will not take verifies nothing.
    Ok(verdict.is_ok_and(|valid| valid.as_bool() == Some(true)))
}

enum Found {
    /// As WebCrypto takes it.
    Key {
        json: String,
    },
    Fetch,
    Refused(Error),
}

fn find_key(pending: &PendingSignature) -> Found {
    KEYS.with_borrow_mut(
        |keys| match keys.lookup(pending.kid(), pending.algorithm(), now()) {
            Lookup::Key(key) => Found::Key {
                json: key.json().to_owned(),
            },
            Lookup::Fetch => Found::Fetch,
            refused => Found::Refused(
                refused
                    .refusal()
                    .unwrap_or_else(|| Error::new(ErrorCode::RoomBusy)),
            ),
        },
    )
}

async fn fetch_keys(url: &str) {
    let outcome = host::fetch_text(url, MAX_JWKS_BYTES as u32, FETCH_TIMEOUT).await;
    let stored = KEYS.with_borrow_mut(|keys| match outcome {
        Ok(text) => {
            let text = text.as_string().unwrap_or_default();
            keys.store(&text, now()).map_err(|error| error.to_string())
        }
        Err(error) => {
            keys.failed(now());
            Err(host::describe(&error))
        }
    });
    if let Err(reason) = stored {
        log::keys_unavailable(&reason);
    }
}

/// Used by a room's object: the configuration may have become unusable between two deploys.
pub async fn renew(token: &str, room: &str, env: &Env) -> Result<crate::auth::Grant, Error> {
    let config = super::config::config(env)?;
    claims(token, &config.auth).await?.grant(room)
}
