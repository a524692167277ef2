//! Verifying a token where it arrives, before any room hears of it (T4), and again on a live connection (T5).

use std::cell::RefCell;

use futures::future::{Either, select};
use worker::{Date, Delay, Env, Fetch, Method, Request};

use super::config::Config;
use super::{host, log};
use crate::auth::{
    AuthConfig, Claims, JwksCache, Lookup, MAX_JWKS_BYTES, Mode, PendingSignature, Verification, verify,
};
use crate::protocol::{Error, ErrorCode};

/// How long a key set may take, in milliseconds.
const FETCH_TIMEOUT: u64 = 5_000;

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
    let Mode::Tokens(rules) = config.mode() else { return Ok(false) };
    let Some(url) = rules.jwks_url() else { return Ok(false) };
    let mut found = find_key(pending);
    if matches!(found, Found::Fetch) {
        fetch_keys(url).await;
        found = find_key(pending);
    }
    match found {
        Found::Key { json } => {
            let algorithm = pending.algorithm().web_crypto();
            let verdict =
                host::verify_signature(&json, algorithm, pending.signature(), pending.signing_input()).await;
            // A key that WebCrypto will not take verifies nothing.
            Ok(verdict.is_ok_and(|valid| valid.as_bool() == Some(true)))
        }
        Found::Unknown => Ok(false),
        Found::Fetch | Found::Unavailable => Err(Error::new(ErrorCode::RoomBusy)
            .with_message("The keys that verify tokens cannot be fetched at the moment.")),
    }
}

enum Found {
    Key { json: String },
    Fetch,
    Unknown,
    Unavailable,
}

fn find_key(pending: &PendingSignature) -> Found {
    KEYS.with_borrow_mut(|keys| match keys.lookup(pending.kid(), pending.algorithm(), now()) {
        Lookup::Key(key) => Found::Key { json: key.json().to_owned() },
        Lookup::Fetch => Found::Fetch,
        Lookup::Unknown => Found::Unknown,
        Lookup::Unavailable => Found::Unavailable,
    })
}

async fn fetch_keys(url: &str) {
    let outcome = match select(Box::pin(get(url)), Box::pin(Delay::from(duration(FETCH_TIMEOUT)))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err("the key set took too long".to_owned()),
    };
    let stored = KEYS.with_borrow_mut(|keys| match outcome {
        Ok(text) => keys.store(&text, now()).map_err(|error| error.to_string()),
        Err(reason) => {
            keys.failed(now());
            Err(reason)
        }
    });
    if let Err(reason) = stored {
        log::keys_unavailable(&reason);
    }
}

async fn get(url: &str) -> Result<String, String> {
    let request = Request::new(url, Method::Get).map_err(|error| error.to_string())?;
    let mut response = Fetch::Request(request).send().await.map_err(|error| error.to_string())?;
    if response.status_code() != 200 {
        return Err(format!("the key set answered with status {}", response.status_code()));
    }
    let length = response.headers().get("content-length").ok().flatten();
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > MAX_JWKS_BYTES) {
        return Err("the key set is too large".to_owned());
    }
    response.text().await.map_err(|error| error.to_string())
}

fn duration(milliseconds: u64) -> std::time::Duration {
    std::time::Duration::from_millis(milliseconds)
}

/// Used by a room's object: the configuration may have become unusable between two deploys.
pub async fn renew(token: &str, room: &str, env: &Env) -> Result<crate::auth::Grant, Error> {
    let config = super::config::config(env)?;
    claims(token, &config.auth).await?.grant(room)
}
