use proptest::prelude::*;

use crate::auth::PublicKeyAlgorithm;
use crate::auth::signer::{
    CLAIMS, HS256, NOW, SECRET, assemble, assert_invalid, claims_of, config, configure,
    jwks_config, refused, sign, sign_as,
};
use crate::protocol::ErrorCode;

use super::*;

/// A public key as its owner publishes it: what an attacker would use as a secret.
const PUBLIC_PEM: &str =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";

fn pending(token: &str) -> PendingSignature {
    match verify(token, &jwks_config(), NOW) {
        Ok(Verification::NeedsKey(pending)) => pending,
        other => panic!("{other:?}"),
    }
}

#[test]
fn t1_hs256_with_the_secret_is_accepted() {
    let claims = claims_of(&sign(CLAIMS), &config()).expect("a good token");
    assert_eq!(&*claims.user, "ana");
}

#[test]
fn t1_a_token_of_another_implementation_is_accepted() {
    // Python's hmac, base64 and json made it with SECRET.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\
                 .eyJzdWIiOiJhbmEiLCJleHAiOjE4MDAwMDM2MDAsInJvb20iOiJsb2JieSJ9\
                 .VI249FRlCCF3sgQlkyWHTMRpDsEivcS2qukKzKSNeJg";
    assert!(claims_of(token, &config()).is_ok_and(|claims| claims.allows_room("lobby")));
    assert_eq!(token, sign(CLAIMS));
}

#[test]
fn t1_another_secret_is_refused() {
    let token = sign_as(b"another secret of at least 32 bytes", HS256, CLAIMS);
    assert_invalid(&token, &config());
    assert_invalid(&sign_as(b"", HS256, CLAIMS), &config());
}

#[test]
fn t1_alg_none_is_refused() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        for config in [config(), jwks_config()] {
            assert_invalid(&assemble(&header, CLAIMS, b""), &config);
            assert_invalid(&sign_as(SECRET.as_bytes(), &header, CLAIMS), &config);
        }
    }
}

#[test]
fn t1_an_alg_that_is_not_in_the_list_is_refused() {
    let names = [
        r#""HS384""#,
        r#""HS512""#,
        r#""hs256""#,
        r#""HS256 ""#,
        r#""ES384""#,
        r#""PS256""#,
        r#""RS512""#,
        r#""ES256K""#,
        r#""dir""#,
        "null",
        "1",
        r#"["HS256"]"#,
        "{}",
    ];
    for name in names {
        let header = format!(r#"{{"alg":{name}}}"#);
        assert_invalid(&sign_as(SECRET.as_bytes(), &header, CLAIMS), &config());
    }
    assert_invalid(
        &sign_as(SECRET.as_bytes(), r#"{"typ":"JWT"}"#, CLAIMS),
        &config(),
    );
}

#[test]
fn t1_a_public_key_used_as_an_hmac_secret_is_refused() {
    let claims = r#"{"sub":"ana","exp":1800003600,"aud":"rooms"}"#;
    let both = configure(&[
        ("ROOMFUL_SECRETS", SECRET),
        ("ROOMFUL_JWKS_URL", "https://issuer.example/keys"),
        ("ROOMFUL_AUDIENCE", "rooms"),
    ]);
    for config in [jwks_config(), both, config()] {
        for key in [
            PUBLIC_PEM,
            PUBLIC_PEM.trim(),
            "",
            "https://issuer.example/keys",
        ] {
            assert_invalid(&sign_as(key.as_bytes(), HS256, claims), &config);
        }
    }
}

#[test]
fn t1_a_public_key_algorithm_never_uses_a_secret() {
    for name in ["ES256", "EdDSA", "RS256"] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        assert_invalid(&sign_as(SECRET.as_bytes(), &header, CLAIMS), &config());
        assert_invalid(&assemble(&header, CLAIMS, &[0; 64]), &config());
        assert_invalid(&assemble(&header, CLAIMS, &[0; 256]), &config());
    }
}

#[test]
fn t1_keys_that_the_token_brings_along_are_not_looked_at() {
    let header = r#"{"alg":"HS256","jwk":{"kty":"oct","k":""},"jku":"https://evil.example","x5u":"https://evil.example"}"#;
    assert_invalid(&sign_as(b"", header, CLAIMS), &config());
    assert!(claims_of(&sign_as(SECRET.as_bytes(), header, CLAIMS), &config()).is_ok());
}

#[test]
fn t1_every_changed_character_is_noticed() {
    let token = sign(CLAIMS);
    for (index, original) in token.bytes().enumerate() {
        for replacement in *b"A0_-z.=" {
            if replacement != original {
                let mut changed = token.clone().into_bytes();
                changed[index] = replacement;
                let changed = String::from_utf8(changed).expect("ASCII");
                assert_invalid(&changed, &config());
            }
        }
    }
}

#[test]
fn t1_a_published_key_is_asked_for_by_kid_and_algorithm() {
    let cases = [
        ("ES256", PublicKeyAlgorithm::Es256, 64),
        ("EdDSA", PublicKeyAlgorithm::EdDsa, 64),
        ("RS256", PublicKeyAlgorithm::Rs256, 256),
        ("RS256", PublicKeyAlgorithm::Rs256, 512),
    ];
    for (name, algorithm, length) in cases {
        let header = format!(r#"{{"alg":"{name}","kid":"k1"}}"#);
        let token = assemble(&header, CLAIMS, &vec![7; length]);
        let pending = pending(&token);
        assert_eq!(pending.algorithm(), algorithm);
        assert_eq!(pending.kid(), Some("k1"));
        assert_eq!(pending.signature(), vec![7; length]);
        let (input, _) = token.rsplit_once('.').expect("three parts");
        assert_eq!(pending.signing_input(), input.as_bytes());
    }
}

#[test]
fn t1_a_published_key_decides_by_its_signature_and_then_by_the_claims() {
    let header = r#"{"alg":"ES256","kid":"k1"}"#;
    let token = |claims| assemble(header, claims, &[7; 64]);
    let good = token(r#"{"sub":"ana","exp":1800003600,"aud":"rooms"}"#);
    let finish = |token: &str, ok| pending(token).finish(ok, &jwks_config(), NOW);

    assert_eq!(
        finish(&good, true).map(|claims| claims.user),
        Ok("ana".into())
    );
    let error = finish(&good, false).expect_err("a wrong signature");
    assert_eq!(error.code, ErrorCode::InvalidToken);
    let expired = token(r#"{"sub":"ana","exp":1,"aud":"rooms"}"#);
    let error = finish(&expired, true).expect_err("an expired token");
    assert_eq!(error.code, ErrorCode::TokenExpired);
    let error = finish(&expired, false).expect_err("a wrong signature");
    assert_eq!(
        error.code,
        ErrorCode::InvalidToken,
        "whose claims count for nothing"
    );
    for claims in [CLAIMS, r#"{"sub":"ana","exp":1800003600,"aud":"other"}"#] {
        let error = finish(&token(claims), true).expect_err("not for this audience");
        assert_eq!(error.code, ErrorCode::InvalidToken);
    }
}

#[test]
fn t1_a_wrong_signature_is_not_told_apart_from_an_expired_token() {
    let token = sign_as(
        b"another secret of at least 32 bytes",
        HS256,
        r#"{"sub":"a","exp":1}"#,
    );
    assert_eq!(refused(&token, &config()), invalid_signature());
    let unknown = sign_as(SECRET.as_bytes(), r#"{"alg":"HS256","kid":"gone"}"#, CLAIMS);
    let named = configure(&[("ROOMFUL_SECRETS", &format!("main:{SECRET}"))]);
    assert_eq!(refused(&unknown, &named), invalid_signature());
}

#[test]
fn t6_tokens_are_refused_where_none_are_used() {
    let error = refused(&sign(CLAIMS), &configure(&[]));
    assert_eq!(error.code, ErrorCode::NotConfigured);
    let error = refused(&sign(CLAIMS), &configure(&[("ROOMFUL_ANONYMOUS", "true")]));
    assert_eq!(error.code, ErrorCode::InvalidToken);
}

#[test]
fn e4_what_is_printed_shows_no_token() {
    let token = assemble(r#"{"alg":"ES256","kid":"k1"}"#, CLAIMS, &[7; 64]);
    assert_eq!(
        format!("{:?}", pending(&token)),
        "PendingSignature { algorithm: Es256, .. }"
    );
    let printed = format!("{:?}", config());
    assert!(
        !printed.contains(SECRET) && !printed.contains("only secret"),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn t1_arbitrary_text_is_refused(text in ".{0,200}") {
        for config in [config(), jwks_config()] {
            prop_assert!(verify(&text, &config, NOW).is_err());
        }
    }

    #[test]
    fn t1_arbitrary_parts_are_refused(
        header in "[ -~]{0,60}",
        claims in "[ -~]{0,60}",
        signature in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        prop_assert!(verify(&assemble(&header, &claims, &signature), &config(), NOW).is_err());
    }

    #[test]
    fn t2_arbitrary_signed_claims_do_no_harm(
        name in "(sub|exp|nbf|room|can|info|iss|aud)",
        value in r#"(\PC{0,20}|-?[0-9]{1,30}(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?|\[("[a-z*]{0,9}",?){0,4}\]|\{"a":1\}|"[ -!#-~]{0,20}")"#,
    ) {
        let token = sign(&format!(r#"{{"sub":"ana","exp":1800003600,"{name}x":0,"{name}":{value}}}"#));
        let _ = verify(&token, &config(), NOW);
        let token = sign(&format!(r#"{{"{name}":{value}}}"#));
        prop_assert!(verify(&token, &config(), NOW).is_err());
    }

    #[test]
    fn t1_any_changed_character_is_noticed(index in any::<prop::sample::Index>(), with in any::<char>()) {
        let token = sign(CLAIMS);
        let index = index.index(token.len());
        let mut changed: Vec<char> = token.chars().collect();
        prop_assume!(changed[index] != with);
        changed[index] = with;
        let changed: String = changed.into_iter().collect();
        prop_assert!(verify(&changed, &config(), NOW).is_err());
    }
}
