use crate::auth::base64url;
use crate::auth::signer::{
    CLAIMS, SECRET, assemble, assert_invalid, claims_of, config, configure, jwks_config, sign,
    sign_as,
};

use super::*;

#[test]
fn t1_a_critical_header_is_refused() {
    for crit in [r#"["exp"]"#, r#"["b64"]"#, "[]", "null"] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit},"b64":true}}"#);
        assert_invalid(&sign_as(SECRET.as_bytes(), &header, CLAIMS), &config());
    }
}

#[test]
fn t1_a_strange_kid_is_a_name_and_nothing_more() {
    let kids = [
        "../../dev/null",
        "x' OR '1'='1",
        "",
        "a\\u0000b",
        "%00",
        "\\n",
        "https://evil.example",
    ];
    let named = configure(&[("ROOMFUL_SECRETS", &format!("main:{SECRET}"))]);
    for kid in kids {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        let token = sign_as(SECRET.as_bytes(), &header, CLAIMS);
        assert_invalid(&token, &named);
        assert!(
            claims_of(&token, &config()).is_ok(),
            "a bare secret has any kid"
        );
        assert_invalid(&sign_as(b"", &header, CLAIMS), &named);
    }
}

#[test]
fn t1_a_kid_that_is_huge_or_no_string_is_refused() {
    let huge = format!("\"{}\"", "k".repeat(257));
    for kid in [huge.as_str(), "null", "7", "{}", "[\"main\"]"] {
        let header = format!(r#"{{"alg":"HS256","kid":{kid}}}"#);
        assert_invalid(&sign_as(SECRET.as_bytes(), &header, CLAIMS), &config());
    }
}

#[test]
fn t1_a_duplicate_key_in_the_header_is_refused() {
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
    ] {
        assert_invalid(&sign_as(SECRET.as_bytes(), header, CLAIMS), &config());
    }
}

#[test]
fn t1_a_truncated_token_is_refused() {
    let token = sign(CLAIMS);
    for end in 0..token.len() {
        assert_invalid(&token[..end], &config());
    }
}

#[test]
fn t1_a_token_with_something_added_is_refused() {
    let token = sign(CLAIMS);
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let changed = [
        format!("{token}="),
        format!("{token}A"),
        format!("{token}."),
        format!(".{token}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.{signature}"),
        format!("{input}=.{signature}"),
        format!("{input}..{signature}"),
        format!("{input}."),
        format!("Bearer {token}"),
    ];
    for token in changed {
        assert_invalid(&token, &config());
    }
}

#[test]
fn t1_a_token_may_have_8192_bytes_and_no_more() {
    let token_of = |padding: usize| {
        sign(&format!(
            r#"{{"sub":"ana","exp":1800003600,"pad":"{}"}}"#,
            "p".repeat(padding)
        ))
    };
    let padding = (0..9_000)
        .rev()
        .find(|n| token_of(*n).len() <= MAX_TOKEN_BYTES);
    let padding = padding.expect("some padding fits");
    assert!(claims_of(&token_of(padding), &config()).is_ok());
    assert_invalid(&token_of(padding + 3), &config());
    assert_invalid(&"a".repeat(1 << 20), &config());
}

#[test]
fn t1_a_payload_that_is_no_object_is_refused() {
    for payload in ["", "null", "[]", "1", "\"ana\"", "{", "{}{}"] {
        assert_invalid(&sign(payload), &config());
    }
    let token = sign(CLAIMS);
    let (header, _) = token.split_once('.').expect("three parts");
    assert_invalid(
        &format!("{header}..{}", base64url::encode(&[0; 32])),
        &config(),
    );
}

#[test]
fn t1_a_signature_of_the_wrong_length_needs_no_key() {
    for (name, length) in [("ES256", 63), ("ES256", 72), ("EdDSA", 0), ("RS256", 128)] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        assert_invalid(&assemble(&header, CLAIMS, &vec![7; length]), &jwks_config());
    }
}
