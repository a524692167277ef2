use proptest::prelude::*;

use super::*;
use PublicKeyAlgorithm::{EdDsa, Es256, Rs256};

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const START: u64 = 1_800_000_000_000;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

fn ed25519(kid: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"{kid}"}}"#)
}

fn set(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A cache that fetched one key, `old`, at [`START`].
fn cache() -> JwksCache {
    let mut cache = JwksCache::new();
    cache
        .store(&set(&[ed25519("old")]), START)
        .expect("a key set");
    cache
}

fn found(lookup: &Lookup<'_>) -> Option<String> {
    match lookup {
        Lookup::Key(key) => key.kid().map(str::to_owned),
        _ => None,
    }
}

#[test]
fn t1_the_first_token_causes_a_fetch_and_then_has_its_key() {
    let mut cache = JwksCache::new();
    assert_eq!(cache.lookup(Some("old"), EdDsa, START), Lookup::Fetch);
    cache
        .store(&set(&[ed25519("old")]), START)
        .expect("a key set");
    assert_eq!(
        found(&cache.lookup(Some("old"), EdDsa, START)).as_deref(),
        Some("old")
    );
}

#[test]
fn t1_a_key_is_found_by_kid_and_algorithm_together() {
    let mut cache = cache();
    assert!(found(&cache.lookup(Some("old"), EdDsa, START)).is_some());
    for algorithm in [Es256, Rs256] {
        assert_eq!(cache.lookup(Some("old"), algorithm, START), Lookup::Unknown);
    }
    for kid in ["OLD", "old ", "", "../old"] {
        assert_eq!(
            cache.lookup(Some(kid), EdDsa, START),
            Lookup::Unknown,
            "{kid}"
        );
    }
}

#[test]
fn t1_without_a_kid_the_only_key_of_the_algorithm_serves() {
    let mut cache = cache();
    assert!(found(&cache.lookup(None, EdDsa, START)).is_some());
    assert_eq!(cache.lookup(None, Es256, START), Lookup::Unknown);
    cache
        .store(&set(&[ed25519("a"), ed25519("b")]), START)
        .expect("a key set");
    assert_eq!(
        cache.lookup(None, EdDsa, START),
        Lookup::Unknown,
        "one of two"
    );
    assert!(found(&cache.lookup(Some("b"), EdDsa, START)).is_some());
}

#[test]
fn t1_an_unknown_kid_causes_one_fetch_in_30_seconds() {
    let mut cache = cache();
    let soon = START + 29 * SECOND;
    assert_eq!(cache.lookup(Some("new"), EdDsa, soon), Lookup::Unknown);
    let later = START + 30 * SECOND;
    assert_eq!(cache.lookup(Some("new"), EdDsa, later), Lookup::Fetch);
    assert_eq!(
        cache.lookup(Some("newer"), EdDsa, later),
        Lookup::Wait,
        "that one may bring it"
    );
    assert!(found(&cache.lookup(Some("old"), EdDsa, later)).is_some());
    cache
        .store(&set(&[ed25519("old"), ed25519("new")]), later + 1)
        .expect("a key set");
    assert!(found(&cache.lookup(Some("new"), EdDsa, later + 1)).is_some());
    assert_eq!(
        cache.lookup(Some("newer"), EdDsa, later + 30 * SECOND),
        Lookup::Unknown
    );
    assert_eq!(
        cache.lookup(Some("newer"), EdDsa, later + 1 + 30 * SECOND),
        Lookup::Fetch
    );
}

#[test]
fn t1_keys_are_fetched_again_after_ten_minutes() {
    let mut cache = cache();
    assert!(found(&cache.lookup(Some("old"), EdDsa, START + 10 * MINUTE - 1)).is_some());
    let now = START + 10 * MINUTE;
    assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Fetch);
    assert!(
        found(&cache.lookup(Some("old"), EdDsa, now)).is_some(),
        "others need not wait"
    );
    cache
        .store(&set(&[ed25519("new")]), now)
        .expect("a key set");
    assert_eq!(
        cache.lookup(Some("old"), EdDsa, now),
        Lookup::Unknown,
        "a withdrawn key is gone"
    );
}

#[test]
fn t1_old_keys_serve_for_an_hour_while_fetches_fail() {
    let mut cache = cache();
    let mut now = START + 10 * MINUTE;
    while now < START + 60 * MINUTE {
        assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Fetch);
        cache.failed(now);
        assert!(found(&cache.lookup(Some("old"), EdDsa, now)).is_some());
        assert!(found(&cache.lookup(Some("old"), EdDsa, now + 29 * SECOND)).is_some());
        now += 30 * SECOND;
    }
    assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Fetch);
    cache.failed(now);
    assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Unavailable);
}

#[test]
fn t1_a_key_withdrawn_for_longer_than_ten_minutes_serves_nobody_during_the_fetch_that_tells() {
    let mut cache = cache();
    let later = START + 50 * MINUTE;
    assert_eq!(cache.lookup(Some("old"), EdDsa, later), Lookup::Fetch);
    assert_eq!(
        cache.lookup(Some("old"), EdDsa, later),
        Lookup::Wait,
        "nobody has asked for so long"
    );
    let mut other = cache.clone();
    cache
        .store(&set(&[ed25519("new")]), later + 1)
        .expect("a key set");
    assert_eq!(cache.lookup(Some("old"), EdDsa, later + 1), Lookup::Unknown);
    // But once a fetch has failed, nobody waits for the next ones.
    other.failed(later + SECOND);
    assert!(found(&other.lookup(Some("old"), EdDsa, later + SECOND)).is_some());
    let again = later + 31 * SECOND;
    assert_eq!(other.lookup(Some("old"), EdDsa, again), Lookup::Fetch);
    assert!(found(&other.lookup(Some("old"), EdDsa, again)).is_some());
}

#[test]
fn t1_a_key_that_may_be_in_the_set_that_cannot_be_had_is_not_called_unknown() {
    let mut cache = cache();
    let later = START + MINUTE;
    assert_eq!(cache.lookup(Some("new"), EdDsa, later), Lookup::Fetch);
    cache.failed(later);
    for at in [later, later + 29 * SECOND] {
        assert_eq!(cache.lookup(Some("new"), EdDsa, at), Lookup::Unavailable);
        assert!(found(&cache.lookup(Some("old"), EdDsa, at)).is_some());
    }
    // A fetch whose outcome never came says as little.
    let mut lost = self::cache();
    assert_eq!(lost.lookup(Some("new"), EdDsa, later), Lookup::Fetch);
    let given_up = later + 6 * SECOND;
    assert_eq!(
        lost.lookup(Some("new"), EdDsa, given_up),
        Lookup::Unavailable
    );
    let again = later + 30 * SECOND;
    assert_eq!(cache.lookup(Some("new"), EdDsa, again), Lookup::Fetch);
    let given_up = again + 6 * SECOND;
    assert_eq!(
        cache.lookup(Some("new"), EdDsa, given_up),
        Lookup::Unavailable
    );
    let last = again + 30 * SECOND;
    assert_eq!(cache.lookup(Some("new"), EdDsa, last), Lookup::Fetch);
    cache
        .store(&set(&[ed25519("old")]), last)
        .expect("a key set");
    assert_eq!(cache.lookup(Some("new"), EdDsa, last), Lookup::Unknown);
}

#[test]
fn t1_without_any_keys_there_is_one_fetch_at_a_time_and_the_others_wait_for_it() {
    let mut cache = JwksCache::new();
    assert_eq!(cache.lookup(Some("old"), EdDsa, START), Lookup::Fetch);
    for at in [START, START + 5_999] {
        assert_eq!(cache.lookup(Some("old"), EdDsa, at), Lookup::Wait);
        assert_eq!(cache.lookup(None, Rs256, at), Lookup::Wait);
    }
    let keys = set(&[ed25519("old")]);
    cache.store(&keys, START + 5_999).expect("a key set");
    assert!(found(&cache.lookup(Some("old"), EdDsa, START + 5_999)).is_some());
}

#[test]
fn t1_a_fetch_whose_outcome_never_comes_is_given_up() {
    let mut cache = JwksCache::new();
    assert_eq!(cache.lookup(Some("old"), EdDsa, START), Lookup::Fetch);
    let later = START + 6 * SECOND;
    assert!(later > START + u64::from(FETCH_TIMEOUT_MS));
    assert_eq!(cache.lookup(Some("old"), EdDsa, later), Lookup::Fetch);
    assert_eq!(cache.lookup(Some("old"), EdDsa, later), Lookup::Wait);
}

#[test]
fn t1_without_any_keys_a_failed_fetch_is_repeated_after_five_seconds() {
    let mut cache = JwksCache::new();
    assert_eq!(cache.lookup(Some("old"), EdDsa, START), Lookup::Fetch);
    cache.failed(START);
    assert_eq!(
        cache.lookup(Some("old"), EdDsa, START + 4_999),
        Lookup::Unavailable
    );
    assert_eq!(
        cache.lookup(Some("old"), EdDsa, START + 5_000),
        Lookup::Fetch
    );
}

#[test]
fn t1_only_an_unknown_key_is_the_tokens_fault() {
    let refusal = |lookup: Lookup<'_>| lookup.refusal().map(|error| error.code);
    assert_eq!(refusal(Lookup::Unknown), Some(ErrorCode::InvalidToken));
    assert_eq!(refusal(Lookup::Unavailable), Some(ErrorCode::RoomBusy));
    assert!(ErrorCode::RoomBusy.retryable());
    assert_eq!(refusal(Lookup::Wait), Some(ErrorCode::RoomBusy));
    assert_eq!(refusal(cache().lookup(Some("old"), EdDsa, START)), None);
}

#[test]
fn t1_a_malformed_key_set_leaves_the_old_keys() {
    let texts = [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[]"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html></html>",
    ];
    for text in texts {
        let mut cache = cache();
        let now = START + 10 * MINUTE;
        assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Fetch);
        assert_eq!(cache.store(text, now), Err(MalformedJwks), "{text}");
        assert!(
            found(&cache.lookup(Some("old"), EdDsa, now)).is_some(),
            "{text}"
        );
        let mut empty = JwksCache::new();
        assert!(empty.store(text, now).is_err());
        assert_eq!(
            empty.lookup(Some("old"), EdDsa, now),
            Lookup::Unavailable,
            "{text}"
        );
    }
}

#[test]
fn t1_what_is_no_key_is_passed_over() {
    let mut cache = JwksCache::new();
    let twice = ed25519("twice").replace("\"kid\"", "\"kty\":\"OKP\",\"kid\"");
    let oct = r#"{"kty":"oct","k":"c2VjcmV0","kid":"secret"}"#.to_owned();
    let keys = [
        "null".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
        twice,
        oct,
        ed25519("good"),
    ];
    cache.store(&set(&keys), START).expect("a key set");
    assert!(found(&cache.lookup(Some("good"), EdDsa, START)).is_some());
    for kid in ["twice", "secret"] {
        assert_eq!(cache.lookup(Some(kid), EdDsa, START), Lookup::Unknown);
    }
    cache.store(&set(&[]), START).expect("an empty set");
    assert_eq!(cache.lookup(Some("good"), EdDsa, START), Lookup::Unknown);
}

#[test]
fn t1_a_key_set_is_bounded() {
    let keys: Vec<_> = (0..101).map(|n| ed25519(&n.to_string())).collect();
    let mut cache = JwksCache::new();
    assert_eq!(cache.store(&set(&keys), START), Err(MalformedJwks));
    assert_eq!(cache.store(&set(&keys[1..]), START), Ok(()));
    let padding = |length: usize| format!(r#"{{"keys":[],"pad":"{}"}}"#, "p".repeat(length - 20));
    assert_eq!(padding(MAX_JWKS_BYTES).len(), MAX_JWKS_BYTES);
    assert_eq!(cache.store(&padding(MAX_JWKS_BYTES), START), Ok(()));
    assert_eq!(
        cache.store(&padding(MAX_JWKS_BYTES + 1), START),
        Err(MalformedJwks)
    );
}

#[test]
fn t1_a_clock_that_steps_back_keeps_nobody_waiting() {
    let mut cache = cache();
    assert_eq!(
        cache.lookup(Some("old"), EdDsa, 0),
        Lookup::Fetch,
        "nobody knows how old it is"
    );
    assert!(found(&cache.lookup(Some("old"), EdDsa, 0)).is_some());
    assert_eq!(cache.lookup(Some("new"), EdDsa, 0), Lookup::Wait);
    cache.failed(SECOND);
    assert!(found(&cache.lookup(Some("old"), EdDsa, SECOND)).is_some());
    let mut empty = JwksCache::new();
    assert_eq!(empty.lookup(Some("old"), EdDsa, START), Lookup::Fetch);
    assert_eq!(empty.lookup(Some("old"), EdDsa, 0), Lookup::Fetch);
    empty.failed(START);
    assert_eq!(empty.lookup(Some("old"), EdDsa, 1), Lookup::Fetch);
}

#[test]
fn t1_two_keys_of_one_name_verify_nothing() {
    let other = ed25519("twin").replace("11qYAY", "11qYAZ");
    let mut cache = JwksCache::new();
    let keys = [ed25519("twin"), other, ed25519("good")];
    cache.store(&set(&keys), START).expect("a key set");
    assert_eq!(
        cache.lookup(Some("twin"), EdDsa, START),
        Lookup::Unknown,
        "the order of a list decides nothing"
    );
    assert!(found(&cache.lookup(Some("good"), EdDsa, START)).is_some());
    // The same key twice is one key.
    let keys = [ed25519("good"), ed25519("good")];
    cache.store(&set(&keys), START).expect("a key set");
    assert!(found(&cache.lookup(Some("good"), EdDsa, START)).is_some());
    assert_eq!(cache.lookup(None, EdDsa, START), Lookup::Unknown);
}

#[test]
fn t1_keys_that_cannot_be_used_do_not_replace_those_that_can() {
    let private = ed25519("old").replace("\"kid\"", "\"d\":\"c2VjcmV0\",\"kid\"");
    let oct = r#"{"kty":"oct","k":"c2VjcmV0","kid":"old"}"#.to_owned();
    let encryption = ed25519("old").replace("\"kid\"", "\"use\":\"enc\",\"kid\"");
    for keys in [[private.clone()], [oct], [encryption], ["{}".to_owned()]] {
        let mut cache = cache();
        let now = START + 10 * MINUTE;
        assert_eq!(cache.lookup(Some("old"), EdDsa, now), Lookup::Fetch);
        assert_eq!(cache.store(&set(&keys), now), Err(MalformedJwks));
        assert!(found(&cache.lookup(Some("old"), EdDsa, now)).is_some());
        assert_eq!(JwksCache::new().store(&set(&keys), now), Err(MalformedJwks));
    }
    // Beside a good key a bad one is passed over.
    let mut cache = cache();
    let keys = set(&[private, ed25519("good")]);
    cache.store(&keys, START).expect("a key set");
    assert_eq!(cache.lookup(Some("old"), EdDsa, START), Lookup::Unknown);
    assert!(found(&cache.lookup(Some("good"), EdDsa, START)).is_some());
}

proptest! {
    /// Whatever is asked and however the fetches end: after each answer there is
    /// no second fetch in the same moment, and with keys at hand fetches are 30
    /// seconds apart.
    #[test]
    fn t1_fetches_stay_rare(steps in prop::collection::vec((0_u64..40_000, "[a-c]", 0_u8..4), 1..60)) {
        let mut cache = cache();
        let (mut now, mut last_fetch) = (START, START);
        for (pause, kid, outcome) in steps {
            now += pause;
            if cache.lookup(Some(&kid), EdDsa, now) != Lookup::Fetch {
                continue;
            }
            prop_assert!(now - last_fetch >= 30_000);
            last_fetch = now;
            match outcome {
                0 => cache.failed(now),
                1 => prop_assert!(cache.store("no key set", now).is_err()),
                // The request went away before its fetch ended.
                2 => {}
                _ => prop_assert!(cache.store(&set(&[ed25519("a")]), now).is_ok()),
            }
            prop_assert!(cache.lookup(Some(&kid), EdDsa, now) != Lookup::Fetch);
        }
    }

    #[test]
    fn t1_arbitrary_text_is_no_key_set(text in "\\PC{0,100}") {
        prop_assert!(JwksCache::new().store(&text, START).is_err());
    }
}
