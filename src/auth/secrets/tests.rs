use super::*;

use crate::auth::signer::{CLAIMS, claims_of, configure, sign_as};

const OLD: &str = "the old secret of at least 32 bytes";
const NEW: &str = "the new secret of at least 32 bytes";

/// Whether a token with this header and secret passes where this list is set.
fn passes(list: &str, header: &str, secret: &str) -> bool {
    let config = configure(&[("ROOMFUL_SECRETS", list)]);
    claims_of(&sign_as(secret.as_bytes(), header, CLAIMS), &config).is_ok()
}

const PLAIN: &str = r#"{"alg":"HS256"}"#;

#[test]
fn t1_during_a_rotation_both_secrets_verify() {
    let rotating = format!("{NEW},{OLD}");
    assert!(passes(&rotating, PLAIN, NEW));
    assert!(passes(&rotating, PLAIN, OLD));
    assert!(!passes(NEW, PLAIN, OLD), "after the rotation");
}

#[test]
fn t1_a_kid_picks_the_secrets_of_its_name_and_the_bare_ones() {
    let named = format!("new:{NEW},old:{OLD}");
    let old = r#"{"alg":"HS256","kid":"old"}"#;
    assert!(passes(&named, old, OLD));
    assert!(!passes(&named, old, NEW));
    assert!(!passes(&named, r#"{"alg":"HS256","kid":"gone"}"#, OLD));
    assert!(
        passes(&named, PLAIN, OLD) && passes(&named, PLAIN, NEW),
        "without a kid all are tried"
    );
    let mixed = format!("new:{NEW},{OLD}");
    assert!(passes(&mixed, r#"{"alg":"HS256","kid":"any"}"#, OLD));
    assert!(!passes(&mixed, r#"{"alg":"HS256","kid":"any"}"#, NEW));
}

#[test]
fn t1_space_around_entries_and_empty_entries_are_nothing() {
    assert!(passes(&format!("\n {NEW} ,, {OLD}\n,"), PLAIN, OLD));
}

#[test]
fn t1_what_cannot_be_a_kid_is_part_of_the_secret() {
    for prefix in [
        "with space:",
        ":",
        "ü:",
        &format!("{}:", "k".repeat(33)),
        "a.b:",
    ] {
        let bare = format!("{prefix}{NEW}");
        assert!(passes(&bare, PLAIN, &bare), "{prefix}");
        assert!(!passes(&bare, PLAIN, NEW), "{prefix}");
    }
    let longest = "k".repeat(32);
    assert!(passes(
        &format!("{longest}:{NEW}:x"),
        PLAIN,
        &format!("{NEW}:x")
    ));
}

#[test]
fn t1_a_secret_has_at_least_32_bytes() {
    let secret = "0123456789abcdef0123456789abcdef";
    assert!(Secrets::parse(secret).is_ok());
    assert!(Secrets::parse(&format!("k:{secret}")).is_ok());
    let short = &secret[1..];
    for list in [
        short.to_owned(),
        format!("k:{short}"),
        format!("{secret},{short}"),
    ] {
        let error = Secrets::parse(&list).expect_err("too short");
        assert!(!error.contains(short), "{error}");
    }
}

#[test]
fn t1_there_are_at_most_ten_secrets() {
    let list = |count| vec![NEW; count].join(",");
    assert!(Secrets::parse(&list(10)).is_ok());
    assert!(Secrets::parse(&list(11)).is_err());
}
