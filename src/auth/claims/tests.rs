use crate::auth::signer::{NOW, claims_of, config, configure, sign};
use crate::auth::verify;

use super::*;

/// The claims of a token that says this beside `sub` and `exp`.
fn with(more: &str) -> Result<Claims, Error> {
    claims_of(
        &sign(&format!(r#"{{"sub":"ana","exp":1800003600,{more}}}"#)),
        &config(),
    )
}

fn of(claims: &str) -> Result<Claims, Error> {
    claims_of(&sign(claims), &config())
}

fn assert_invalid(claims: Result<Claims, Error>, why: &str) {
    match claims {
        Ok(claims) => panic!("{why} passed: {claims:?}"),
        Err(error) => assert_eq!(error.code, ErrorCode::InvalidToken, "{why}: {error:?}"),
    }
}

#[test]
fn t2_sub_and_exp_are_all_that_is_needed() {
    let claims = of(r#"{"sub":"ana","exp":1800003600}"#).expect("good claims");
    assert_eq!(&*claims.user, "ana");
    assert_eq!(claims.info, Json::EMPTY_OBJECT);
    assert_eq!(claims.can, Rights::DEFAULT);
    assert_eq!(claims.expires_at, Some(1_800_003_600_000));
    assert!(!claims.allows_room("lobby"));
}

#[test]
fn t2_without_sub_or_exp_it_is_refused() {
    assert_invalid(of(r#"{"exp":1800003600}"#), "no sub");
    assert_invalid(of(r#"{"sub":"ana"}"#), "no exp");
    assert_invalid(of("{}"), "nothing");
}

#[test]
fn n3_a_sub_has_1_to_128_characters() {
    let sub = |sub: &str| of(&format!(r#"{{"sub":"{sub}","exp":1800003600}}"#));
    assert!(sub(&"é".repeat(128)).is_ok());
    assert!(sub("a b/\\u00e9~*").is_ok());
    for wrong in [
        "",
        &"a".repeat(129),
        "a\\nb",
        "\\u0000",
        "\\u007f",
        "\\u0085",
    ] {
        assert_invalid(sub(wrong), wrong);
    }
    for wrong in ["null", "7", r#"["ana"]"#, r#"{"id":"ana"}"#, r#""\ud800""#] {
        assert_invalid(of(&format!(r#"{{"sub":{wrong},"exp":1800003600}}"#)), wrong);
    }
}

#[test]
fn t2_a_token_holds_five_seconds_longer_than_it_says() {
    let token = sign(r#"{"sub":"ana","exp":1800000000}"#);
    let at = |now| verify(&token, &config(), now).map(|_| ());
    assert_eq!(at(NOW - 1), Ok(()));
    assert_eq!(at(NOW + 4_999), Ok(()));
    let expired = Err(Error::new(ErrorCode::TokenExpired));
    assert_eq!(at(NOW + 5_000), expired);
    assert_eq!(at(u64::MAX), expired);
}

#[test]
fn t2_a_token_holds_five_seconds_before_its_nbf() {
    let token = sign(r#"{"sub":"ana","exp":1800003600,"nbf":1800000000}"#);
    let at = |now| verify(&token, &config(), now).is_ok();
    assert!(at(NOW));
    assert!(at(NOW - 5_000));
    assert!(!at(NOW - 5_001));
    assert!(!at(0));
}

#[test]
fn t2_iat_is_not_looked_at() {
    for iat in ["1800000300", "1", "\"yesterday\""] {
        assert!(with(&format!(r#""iat":{iat}"#)).is_ok(), "{iat}");
    }
}

#[test]
fn t2_a_time_is_a_number_rounded_down() {
    let exp = |exp: &str| of(&format!(r#"{{"sub":"ana","exp":{exp}}}"#)).map(|it| it.expires_at);
    assert_eq!(exp("1800000001.999"), Ok(Some(1_800_000_001_000)));
    assert_eq!(exp("1.8000036e9"), Ok(Some(1_800_003_600_000)));
    let end = Ok(Some((1 << 53) - 1));
    for huge in ["1e300", "99999999999999999999999999", "9007199254740993"] {
        assert_eq!(exp(huge), end, "{huge}");
    }
    for wrong in [
        "-1",
        "-1e300",
        "1e400",
        "\"1800003600\"",
        "null",
        "true",
        "[1800003600]",
        "{}",
    ] {
        assert_invalid(of(&format!(r#"{{"sub":"ana","exp":{wrong}}}"#)), wrong);
        assert_invalid(with(&format!(r#""nbf":{wrong}"#)), wrong);
    }
    for past in ["0", "-0", "0.5", "1"] {
        assert_eq!(
            exp(past).map_err(|error| error.code),
            Err(ErrorCode::TokenExpired),
            "{past}"
        );
    }
}

#[test]
fn t2_duplicate_claims_are_refused() {
    assert_invalid(with(r#""sub":"bob""#), "sub twice");
    assert_invalid(with(r#""x":1,"x":1"#), "an unknown claim twice");
    assert_invalid(
        with(r#""r\u006fom":"a","room":"b""#),
        "room twice, once in disguise",
    );
}

#[test]
fn t2_unknown_claims_are_ignored() {
    let more = r#""jti":"1","email":null,"https://x/y":{"deep":[[[]]]}"#;
    assert!(with(more).is_ok());
}

#[test]
fn t2_room_is_a_name_or_a_list() {
    let one = with(r#""room":"lobby""#).expect("one name");
    assert!(one.allows_room("lobby") && !one.allows_room("lobby2"));
    let list = with(r#""room":["lobby","team-7:*"]"#).expect("a list");
    assert!(list.allows_room("lobby") && list.allows_room("team-7:a"));
    assert!(!list.allows_room("team-8:a"));
    let all = with(r#""room":"*""#).expect("a wildcard");
    assert!(all.allows_room("anything"));
    assert!(
        !with(r#""room":[]"#)
            .expect("an empty list")
            .allows_room("lobby")
    );
    for wrong in ["null", "7", "{}", r#"["a",7]"#, r#"[["a"]]"#, "true"] {
        assert_invalid(with(&format!(r#""room":{wrong}"#)), wrong);
    }
}

#[test]
fn t2_room_has_at_most_100_entries() {
    let rooms = |count: usize| {
        with(&format!(
            r#""room":["last"{}]"#,
            r#","x""#.repeat(count - 1)
        ))
    };
    assert!(rooms(100).is_ok_and(|claims| claims.allows_room("last")));
    assert_invalid(rooms(101), "101 rooms");
}

#[test]
fn t2_can_is_a_list_of_which_unknown_names_give_nothing() {
    let can = |can: &str| with(&format!(r#""can":{can}"#)).map(|claims| claims.can);
    assert_eq!(can("[]"), Ok(Rights::NONE));
    assert_eq!(can(r#"["publish","fly","publish"]"#), Ok(Rights::PUBLISH));
    assert_eq!(can(r#"["admin"]"#), Ok(Rights::ALL));
    for wrong in ["null", r#""admin""#, "{}", "[1]", r#"["admin",null]"#, "31"] {
        assert_invalid(with(&format!(r#""can":{wrong}"#)), wrong);
    }
}

#[test]
fn n3_info_is_an_object_of_at_most_2048_bytes() {
    let info = |info: &str| with(&format!(r#""info":{info}"#)).map(|claims| claims.info);
    let sized = |bytes: usize| format!(r#"{{"n":"{}"}}"#, "x".repeat(bytes - 8));
    assert_eq!(info(&sized(2_048)).map(|info| info.len()), Ok(2_048));
    assert_invalid(with(&format!(r#""info":{}"#, sized(2_049))), "2,049 bytes");
    for wrong in ["null", "[]", "\"ana\"", "7", r#"{"a":"\ud800"}"#] {
        assert_invalid(with(&format!(r#""info":{wrong}"#)), wrong);
    }
}

#[test]
fn m1_info_is_kept_as_it_was_written() {
    let claims = with(r#""info":{"b":1.0e2,"a":"\u00e9"}"#).expect("good claims");
    assert_eq!(claims.info.as_str(), r#"{"b":1.0e2,"a":"\u00e9"}"#);
}

#[test]
fn t2_the_issuer_must_be_the_one_that_is_set() {
    let strict = configure(&[
        ("ROOMFUL_SECRETS", crate::auth::signer::SECRET),
        ("ROOMFUL_ISSUER", "https://issuer.example/"),
    ]);
    let iss = |iss: &str| sign(&format!(r#"{{"sub":"ana","exp":1800003600{iss}}}"#));
    assert!(claims_of(&iss(r#","iss":"https://issuer.example/""#), &strict).is_ok());
    let wrong = [
        "",
        r#","iss":"https://issuer.example""#,
        r#","iss":null"#,
        r#","iss":["https://issuer.example/"]"#,
    ];
    for wrong in wrong {
        assert_invalid(claims_of(&iss(wrong), &strict), wrong);
        assert!(
            claims_of(&iss(wrong), &config()).is_ok(),
            "{wrong} where none is set"
        );
    }
}

#[test]
fn t2_the_audience_must_be_the_one_that_is_set() {
    let strict = configure(&[
        ("ROOMFUL_SECRETS", crate::auth::signer::SECRET),
        ("ROOMFUL_AUDIENCE", "rooms"),
    ]);
    let aud = |aud: &str| sign(&format!(r#"{{"sub":"ana","exp":1800003600{aud}}}"#));
    for right in [r#","aud":"rooms""#, r#","aud":["other","rooms"]"#] {
        assert!(claims_of(&aud(right), &strict).is_ok(), "{right}");
    }
    let wrong = [
        "",
        r#","aud":"room""#,
        r#","aud":[]"#,
        r#","aud":["rooms",1]"#,
        r#","aud":null"#,
    ];
    for wrong in wrong {
        assert_invalid(claims_of(&aud(wrong), &strict), wrong);
        assert!(
            claims_of(&aud(wrong), &config()).is_ok(),
            "{wrong} where none is set"
        );
    }
}

#[test]
fn t4_a_grant_is_for_a_room_that_the_token_reaches() {
    let claims = with(r#""room":"lobby","can":["subscribe"],"info":{"n":1}"#).expect("good claims");
    let grant = claims.grant("lobby").expect("a grant");
    assert_eq!(&*grant.user, "ana");
    assert_eq!(grant.info.as_str(), r#"{"n":1}"#);
    assert_eq!(grant.can, Rights::SUBSCRIBE);
    assert_eq!(grant.expires_at, claims.expires_at);
    let error = claims.grant("attic").expect_err("another room");
    assert_eq!(error.code, ErrorCode::Forbidden);
}

#[test]
fn t6_somebody_anonymous_may_do_everything() {
    let claims = Claims::anonymous("guest-1").expect("a user id");
    assert_eq!(claims.expires_at, None);
    assert!(
        claims
            .grant("any")
            .is_ok_and(|grant| grant.can == Rights::ALL)
    );
    for wrong in ["", &"a".repeat(129), "a\nb"] {
        assert_invalid(Claims::anonymous(wrong), wrong);
    }
}
