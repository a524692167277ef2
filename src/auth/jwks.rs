//! The published keys, and when to fetch them again.

use std::fmt;

use serde_json::value::RawValue;

use crate::protocol::{Error, ErrorCode};

use super::jwk::Jwk;
use super::object::Object;
use super::token::{PublicKeyAlgorithm, invalid_signature};

/// The longest key set that is read, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1_024;
const MAX_KEYS: usize = 100;

/// How long a fetched set is taken as it is.
const FRESH_MS: u64 = 10 * 60 * 1_000;
/// How long it is still used while a newer one cannot be had.
const USABLE_MS: u64 = 60 * 60 * 1_000;
/// How far two fetches are apart at least, while there are keys to go on with.
const FETCH_EVERY_MS: u64 = 30 * 1_000;
/// How long nothing is fetched after a failure that left no key to go on with.
const RETRY_AFTER_MS: u64 = 5 * 1_000;
/// How long a fetch may be under way. Longer than [`FETCH_TIMEOUT_MS`], so that only one whose outcome never came is given
/// up: its request was ended by the runtime, say.
const LEASE_MS: u64 = 6 * 1_000;

/// How old a set may be that serves while the next one is being fetched: of a set that is fetched in time, nobody waits
/// for the next. One that nobody has asked for lately may have keys that were withdrawn long ago.
const MEANWHILE_MS: u64 = FRESH_MS + LEASE_MS;
/// For how long after a fetch that failed nobody with a key waits for another one: more than the pause between them.
const FAILING_MS: u64 = 2 * FETCH_EVERY_MS;

/// How long whoever fetches may take, in milliseconds.
pub const FETCH_TIMEOUT_MS: u32 = 5_000;

/// The key set of one URL. It knows when a fetch is due, and never makes one.
///
/// The caller asks with [`lookup`](JwksCache::lookup); on [`Lookup::Fetch`] it
/// fetches, tells the outcome ([`store`](JwksCache::store) or
/// [`failed`](JwksCache::failed)) and asks again, which then says something else.
///
/// Fetches stay rare whatever arrives: there is never more than one under way, a
/// made-up `kid` causes at most one in 30 seconds, and a failure without keys to go
/// on with is followed by a pause. Who needs what a fetch may bring waits for it.
#[derive(Clone, Debug, Default)]
pub struct JwksCache {
    keys: Vec<Jwk>,
    fetched_at: Option<u64>,
    /// When a fetch last ended.
    attempted_at: Option<u64>,
    /// When the fetch was asked for that has not ended.
    fetching_since: Option<u64>,
}

/// Where the key of a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Here.
    Key(&'a Jwk),
    /// Perhaps in a newer set, which is to be fetched now.
    Fetch,
    /// Perhaps in the set that somebody else is fetching: to be asked for again in a moment.
    Wait,
    /// Nowhere: the token is refused.
    Unknown,
    /// The set that could tell could not be had lately, so nothing can be said about
    /// the token. That is no fault of it: the client should come back with it.
    Unavailable,
}

impl Lookup<'_> {
    /// Why the token cannot be accepted now; `None` if it may be.
    ///
    /// [`ErrorCode::InvalidToken`] if the key is unknown, and the retryable
    /// [`ErrorCode::RoomBusy`] if the keys are unavailable, or nobody waits for them
    /// any longer: with a 401 clients would ask for token after token while an issuer
    /// is down.
    pub fn refusal(&self) -> Option<Error> {
        match self {
            Lookup::Key(_) => None,
            Lookup::Unknown => Some(invalid_signature()),
            Lookup::Fetch | Lookup::Wait | Lookup::Unavailable => Some(
                Error::new(ErrorCode::RoomBusy)
                    .with_message(
                        "The keys that tokens are checked with cannot be had at the moment.",
                    )
                    .with_retry_after(RETRY_AFTER_MS),
            ),
        }
    }
}

/// The fetched text is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedJwks;

impl fmt::Display for MalformedJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key set is malformed, too large, or has no key that can be used")
    }
}

impl std::error::Error for MalformedJwks {}

impl JwksCache {
    /// A cache that holds nothing yet.
    pub fn new() -> JwksCache {
        JwksCache::default()
    }

    /// Looks for the key of a token at the time `now_ms`, in milliseconds since
    /// the epoch.
    ///
    /// A token without a `kid` gets the set's only key for its algorithm, and
    /// none if there are several.
    pub fn lookup(
        &mut self,
        kid: Option<&str>,
        algorithm: PublicKeyAlgorithm,
        now_ms: u64,
    ) -> Lookup<'_> {
        // A clock that was set back must neither make anybody wait until it has caught up, nor keep a set fresh until then.
        let within = |at: Option<u64>, span| {
            at.and_then(|at| now_ms.checked_sub(at))
                .is_some_and(|age| age < span)
        };
        let age = self.fetched_at.map(|at| now_ms.saturating_sub(at));
        let usable = age.is_some_and(|age| age < USABLE_MS);
        let found = if usable {
            self.find(kid, algorithm)
        } else {
            None
        };
        if found.is_some() && within(self.fetched_at, FRESH_MS) {
            return self.key(found);
        }

        if within(self.fetching_since, LEASE_MS) {
            let serves =
                age.is_some_and(|age| age < MEANWHILE_MS) || within(self.attempted_at, FAILING_MS);
            return match found {
                Some(_) if serves => self.key(found),
                _ => Lookup::Wait,
            };
        }
        let pause = if usable {
            FETCH_EVERY_MS
        } else {
            RETRY_AFTER_MS
        };
        if !within(self.fetching_since.max(self.attempted_at), pause) {
            self.fetching_since = Some(now_ms);
            Lookup::Fetch
        } else if usable && (found.is_some() || !self.has_failed()) {
            self.key(found)
        } else {
            Lookup::Unavailable
        }
    }

    /// Whether the last fetch brought nothing: what the issuer has published since is not known.
    fn has_failed(&self) -> bool {
        self.fetching_since.is_some() || self.attempted_at != self.fetched_at
    }

    /// Takes a fetched set in the place of the one before.
    ///
    /// # Errors
    ///
    /// [`MalformedJwks`] if the text is no key set, longer than
    /// [`MAX_JWKS_BYTES`], of more than 100 keys, or has keys and none of them can be
    /// used. The keys that were there stay, as after [`failed`](JwksCache::failed). A
    /// set without any key is taken: that is how an issuer withdraws all of them.
    pub fn store(&mut self, text: &str, now_ms: u64) -> Result<(), MalformedJwks> {
        self.failed(now_ms);
        self.keys = parse(text).ok_or(MalformedJwks)?;
        self.fetched_at = Some(now_ms);
        Ok(())
    }

    /// Notes that a set could not be fetched.
    pub fn failed(&mut self, now_ms: u64) {
        self.attempted_at = Some(now_ms);
        self.fetching_since = None;
    }

    /// Where the one key is that fits. Two under one name are none: which of them the
    /// issuer means is not for the order of its list to say.
    fn find(&self, kid: Option<&str>, algorithm: PublicKeyAlgorithm) -> Option<usize> {
        let mut fitting =
            self.keys.iter().enumerate().filter(|(_, key)| {
                key.algorithm() == algorithm && (kid.is_none() || key.kid() == kid)
            });
        let (index, key) = fitting.next()?;
        let alone = fitting.all(|(_, other)| kid.is_some() && other.json() == key.json());
        alone.then_some(index)
    }

    fn key(&self, index: Option<usize>) -> Lookup<'_> {
        index
            .and_then(|index| self.keys.get(index))
            .map_or(Lookup::Unknown, Lookup::Key)
    }
}

fn parse(text: &str) -> Option<Vec<Jwk>> {
    if text.len() > MAX_JWKS_BYTES {
        return None;
    }
    let set = Object::parse(text)?;
    let keys = set.get::<Vec<&RawValue>>("keys").ok()??;
    if keys.len() > MAX_KEYS {
        return None;
    }
    let key = |raw: &&RawValue| Jwk::parse(&Object::parse(raw.get())?);
    let usable: Vec<Jwk> = keys.iter().filter_map(key).collect();
    (keys.is_empty() || !usable.is_empty()).then_some(usable)
}

#[cfg(test)]
mod tests;
