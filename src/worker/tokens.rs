//! Verifying a token where it arrives, before any room hears of it (T4), and again on a live connection (T5).

use std::cell::RefCell;

use worker::{Date, Env};

use super::config::Config;
use super::{host, log, metrics};
use crate::auth::{
    AuthConfig, Claims, FETCH_TIMEOUT_MS, JwksCache, Lookup, MAX_JWKS_BYTES, Mode,
    PendingSignature, Verification, verify,
};
use crate::protocol::{Error, ErrorCode};

/// The first of the growing pauses, in milliseconds, after which is asked whether somebody else's fetch has ended.
const FIRST_PAUSE: u32 = 25;
/// The sum of the pauses, 6.4 seconds, is longer than a fetch may be under way.
const PAUSES: u32 = 8;

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
    let json = key(pending, url).await?;
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

/// The key that a token names, as WebCrypto takes it. One request fetches, the others wait for what it brings.
///
/// They do not wait for its promise, since the runtime lets no request go on with what another one has begun: each looks
/// again after pauses of its own, which grow, so that a crowd that waits costs little.
async fn key(pending: &PendingSignature, url: &str) -> Result<String, Error> {
    let mut pauses = (0..PAUSES).map(|n| FIRST_PAUSE << n);
    loop {
        match find_key(pending) {
            Found::Key(json) => return Ok(json),
            Found::Fetch => fetch_keys(url).await,
            Found::Not { wait, refusal } => match pauses.next().filter(|_| wait) {
                Some(pause) => host::pause(pause).await,
                None => return Err(refusal),
            },
        }
    }
}

enum Found {
    Key(String),
    Fetch,
    Not { wait: bool, refusal: Error },
}

fn find_key(pending: &PendingSignature) -> Found {
    KEYS.with_borrow_mut(|keys| {
        let found = keys.lookup(pending.kid(), pending.algorithm(), now());
        match (&found, found.refusal()) {
            (Lookup::Key(key), _) => Found::Key(key.json().to_owned()),
            (Lookup::Fetch, _) => Found::Fetch,
            (_, refusal) => Found::Not {
                wait: found == Lookup::Wait,
                refusal: refusal.unwrap_or_else(|| Error::new(ErrorCode::RoomBusy)),
            },
        }
    })
}

async fn fetch_keys(url: &str) {
    let outcome = host::fetch_text(url, MAX_JWKS_BYTES as u32, FETCH_TIMEOUT_MS).await;
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
    metrics::fetched_keys(stored.is_ok());
    if let Err(reason) = stored {
        log::keys_unavailable(&reason);
    }
}

/// Used by a room's object: the configuration may have become unusable between two deploys.
pub async fn renew(token: &str, room: &str, env: &Env) -> Result<crate::auth::Grant, Error> {
    let config = super::config::config(env)?;
    claims(token, &config.auth).await?.grant(room)
}
