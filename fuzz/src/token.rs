//! Everything that decides who gets in (T1 to T7, R1). The first byte says what the rest is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use roomful::auth::{
    AuthConfig, Claims, Grant, LEEWAY_MS, PublicKeyAlgorithm, Rooms, Verification, verify,
};
use roomful::protocol::{Error, ErrorCode, MAX_INFO_BYTES, names};
use sha2::Sha256;

use crate::door;
use crate::text;

pub const NOW: u64 = 1_800_000_000_000;
pub const SECRET: &str = "an only secret of 32 bytes or more";

pub fn check(input: &str) {
    let Some(kind) = input.chars().next() else {
        return;
    };
    let rest = &input[kind.len_utf8()..];
    match kind {
        't' => whole(rest),
        's' => signed(rest),
        'k' => door::key_set(rest),
        'h' => door::headers(rest),
        'c' => door::config(rest),
        'e' => door::session(rest),
        'g' => door::grant(rest),
        _ => {}
    }
}

pub fn variables<'v>(set: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
    |name| {
        let found = set.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

fn secrets() -> AuthConfig {
    let set = format!("a:{SECRET},b:another secret of 32 bytes or more");
    AuthConfig::from_variables(variables(&[("ROOMFUL_SECRETS", &set)])).expect("valid")
}

fn keys() -> AuthConfig {
    let set = [
        ("ROOMFUL_JWKS_URL", "https://issuer.example/keys"),
        ("ROOMFUL_AUDIENCE", "rooms"),
    ];
    AuthConfig::from_variables(variables(&set)).expect("valid")
}

/// A token as it arrives. Nobody signs here, so it does not pass.
fn whole(token: &str) {
    match verify(token, &secrets(), NOW) {
        Ok(passed) => panic!("{token} passes unsigned: {passed:?}"),
        Err(error) => refused(&error),
    }
    match verify(token, &keys(), NOW) {
        Ok(Verification::Done(claims)) => panic!("{token} passes unsigned: {claims:?}"),
        Ok(Verification::NeedsKey(pending)) => {
            assert!(token.as_bytes().starts_with(pending.signing_input()));
            let (_, signature) = token.rsplit_once('.').expect("it has parts");
            assert_eq!(URL_SAFE_NO_PAD.encode(pending.signature()), signature);
            refused(
                &pending
                    .finish(false, &keys(), NOW)
                    .expect_err("a bad signature"),
            );
        }
        Err(error) => refused(&error),
    }
}

/// A header and, from the first line feed on, claims, signed by somebody who may.
fn signed(texts: &str) {
    let (header, claims) = texts.split_once('\n').unwrap_or((HS256, texts));
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let input = input.join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length is fine");
    mac.update(input.as_bytes());
    let mac = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    match verify(&format!("{input}.{mac}"), &secrets(), NOW) {
        Ok(Verification::Done(read)) => {
            assert_eq!(string(header, "alg").as_deref(), Some("HS256"));
            assert_eq!(member(header, "crit"), None);
            assert!(string(header, "kid").is_none_or(|kid| kid == "a"));
            judge(&read, claims);
        }
        Ok(Verification::NeedsKey(_)) => panic!("there are no published keys"),
        Err(error) => refused(&error),
    }
    let token = format!("{input}.{}", "A".repeat(86));
    match verify(&token, &keys(), NOW) {
        Ok(Verification::Done(_)) => panic!("there are no secrets"),
        Ok(Verification::NeedsKey(pending)) => {
            assert_ne!(pending.algorithm(), PublicKeyAlgorithm::Rs256);
            match pending.finish(true, &keys(), NOW) {
                Ok(read) => {
                    let aud = member(claims, "aud").expect("an audience");
                    let list: Vec<String> = serde_json::from_str(aud).unwrap_or_default();
                    assert!(
                        text::meaning(aud)
                            .into_iter()
                            .chain(list)
                            .any(|it| it == "rooms")
                    );
                    judge(&read, claims);
                }
                Err(error) => refused(&error),
            }
        }
        Err(error) => refused(&error),
    }
}

const HS256: &str = r#"{"alg":"HS256"}"#;

/// T2: what was read is what the claims say.
fn judge(read: &Claims, claims: &str) {
    let claim = |name| member(claims, name);
    assert_eq!(string(claims, "sub").as_deref(), Some(&*read.user));
    assert!(names::is_user_id(&read.user));

    let number = |text| serde_json::from_str::<f64>(text).expect("a number");
    let exp = claim("exp").map(number).expect("it is needed");
    let ends = read.expires_at.expect("a token ends");
    assert!(ends + LEEWAY_MS > NOW && ends as f64 <= exp * 1_000.0);
    if let Some(nbf) = claim("nbf") {
        assert!(number(nbf).trunc() * 1_000.0 <= (NOW + LEEWAY_MS) as f64);
    }

    let info = text::Facts::of(claim("info").unwrap_or("{}"));
    assert_eq!(info.compact, read.info.as_str());
    assert!(read.info.is_object() && read.info.len() <= MAX_INFO_BYTES);
    assert!(info.unicode && info.depth <= 64);

    if let Some(can) = claim("can") {
        let asked: Vec<String> = serde_json::from_str(can).expect("a list");
        let admin = asked.iter().any(|name| name == "admin");
        assert!(
            read.can
                .names()
                .all(|name| admin || asked.iter().any(|it| it == name))
        );
    } else {
        assert!(!read.can.has(roomful::auth::Rights::ADMIN));
    }

    let entries: Vec<String> = match claim("room") {
        None => Vec::new(),
        Some(list) if list.starts_with('[') => serde_json::from_str(list).expect("a list"),
        Some(one) => vec![text::meaning(one).expect("a string")],
    };
    for room in ["lobby", "a", "team-7:plans"] {
        let reached = entries.iter().any(|entry| match entry.strip_suffix('*') {
            Some(prefix) => room.starts_with(prefix),
            None => room == entry,
        });
        assert_eq!(read.allows_room(room), reached);
        assert_eq!(Rooms::new(&entries).contains(room), reached);
        match read.grant(room) {
            Ok(grant) => assert_eq!(Grant::decode(&grant.encode()), Some(grant)),
            Err(error) => assert!(!reached && error.code == ErrorCode::Forbidden),
        }
    }
}

/// A member of an object that has it once.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let fields = text::fields(object).expect("what passes is an object");
    let mut named = fields
        .into_iter()
        .filter(|(key, _)| text::meaning(key).as_deref() == Some(name));
    let first = named.next().map(|(_, value)| value);
    assert!(named.next().is_none(), "{name} stands twice");
    first
}

fn string(object: &str, name: &str) -> Option<String> {
    member(object, name).and_then(text::meaning)
}

fn refused(error: &Error) {
    let expected = [ErrorCode::InvalidToken, ErrorCode::TokenExpired];
    assert!(expected.contains(&error.code), "{error}");
    crate::frame::check_error(error, error.code.as_str());
    assert!(!error.message.contains(SECRET));
}
