//! What else decides who gets in: published keys, headers, the operator's variables, sessions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roomful::auth::{
    AuthConfig, Credentials, Grant, JwksCache, Lookup, Mode, OfferedProtocol, PublicKeyAlgorithm,
    SessionKey, origin_allowed, verify,
};
use roomful::protocol::{ConnectionId, ErrorCode, Json};
use roomful::variables::{NAMES, Placement, misspelt};
use serde_json::Value;

use crate::token::{NOW, SECRET, variables};

/// A published key set.
pub fn key_set(text: &str) {
    let mut cache = JwksCache::new();
    if cache.store(text, NOW).is_err() {
        assert_eq!(
            cache.lookup(None, PublicKeyAlgorithm::Es256, NOW),
            Lookup::Unavailable
        );
        return;
    }
    let set: Value = serde_json::from_str(text).unwrap_or_default();
    let kids = set["keys"].as_array().into_iter().flatten();
    let kids = kids.filter_map(|key| key["kid"].as_str()).map(Some);
    for kid in kids.take(20).chain([None, Some("no such key")]) {
        for algorithm in [
            PublicKeyAlgorithm::Es256,
            PublicKeyAlgorithm::EdDsa,
            PublicKeyAlgorithm::Rs256,
        ] {
            match cache.lookup(kid, algorithm, NOW) {
                Lookup::Key(key) => {
                    assert_eq!(key.algorithm(), algorithm);
                    assert!(kid.is_none() || key.kid() == kid);
                    let json: Value = serde_json::from_str(key.json()).expect("a key is JSON");
                    let members = json.as_object().expect("a key is an object").keys();
                    assert!(
                        members
                            .into_iter()
                            .all(|it| "kty crv x y n e".contains(&**it))
                    );
                    let kty = match algorithm {
                        PublicKeyAlgorithm::Es256 => "EC",
                        PublicKeyAlgorithm::EdDsa => "OKP",
                        PublicKeyAlgorithm::Rs256 => "RSA",
                    };
                    assert_eq!(json["kty"], kty);
                }
                Lookup::Unknown => {}
                other => panic!("the keys were fetched just now: {other:?}"),
            }
        }
    }
}

/// `Sec-WebSocket-Protocol`, `Authorization`, the query and `Origin`, a line each.
pub fn headers(text: &str) {
    let mut lines = text.split('\n');
    let (protocols, authorization, query) = (lines.next(), lines.next(), lines.next());
    let read = Credentials::from_request(protocols, authorization, query);
    let whole = [protocols, authorization, query];
    for secret in [&read.token, &read.session].into_iter().flatten() {
        assert!(whole.iter().flatten().any(|line| line.contains(&**secret)));
        // Short ones, and what is no secret as well, may be in there.
        let open = secret.len() < 20 || format!("{:?}", read.protocol).contains(&**secret);
        assert!(open || !format!("{read:?}").contains(&**secret));
    }
    if let OfferedProtocol::Other(name) = &read.protocol {
        assert!(name.starts_with("roomful.v") && read.protocol.check().is_err());
    }
    if let Some(answer) = read.protocol.answer() {
        assert!(protocols.is_some_and(|offered| offered.contains(answer)));
        // The answer goes into a header.
        assert!(answer.chars().all(|char| !char.is_control() && char != ','));
    }
    let list = [
        ("ROOMFUL_SECRETS", SECRET),
        (
            "ALLOWED_ORIGINS",
            "https://a.example, http://localhost:3000, https://w-*.b.example",
        ),
    ];
    let config = AuthConfig::from_variables(variables(&list)).expect("valid");
    let origin = lines.next();
    match origin_allowed(origin, "https://rooms.example", &config) {
        Ok(allowed) => {
            assert_eq!(allowed, origin);
            let known = ["https://a.example", "http://localhost:3000"];
            let is_known = |origin: &str| known.iter().any(|it| it.eq_ignore_ascii_case(origin));
            let is_one_name = |origin: &str| {
                let host = origin.to_ascii_lowercase().replacen("https://", "", 1);
                host.starts_with("w-")
                    && host.ends_with(".b.example")
                    && host.matches('.').count() == 2
                    && !host.contains(|it: char| it.is_control() || "/\\@:?#[]% *".contains(it))
            };
            assert!(
                origin.is_none_or(|it| is_known(it) || is_one_name(it)),
                "{origin:?}"
            );
        }
        Err(error) => assert_eq!(error.code, ErrorCode::ForbiddenOrigin),
    }
}

/// The operator's variables as [`NAMES`] lists them, a line each, then an origin.
pub fn config(text: &str) {
    let mut lines = text.split('\n');
    let set: Vec<(&str, &str)> = NAMES.into_iter().zip(lines.by_ref()).collect();
    let value = |name| {
        let found = set.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.trim())
    };
    for (_, value) in &set {
        if let Some(found) = misspelt(value) {
            assert!(!NAMES.contains(value) && found.meant != Some(value));
        }
    }
    match Placement::from_variables(variables(&set)) {
        Ok(placed) => {
            let (jurisdiction, location) = (placed.jurisdiction, placed.location);
            assert_eq!(jurisdiction.unwrap_or_default(), value("ROOM_JURISDICTION"));
            assert_eq!(location.unwrap_or_default(), value("ROOM_LOCATION"));
        }
        Err(invalid) => assert!(!value(invalid.name).is_empty()),
    }
    let config = match AuthConfig::from_variables(variables(&set)) {
        Ok(config) => config,
        Err(invalid) => return assert!(!value(invalid.name).is_empty()),
    };
    let list = value("ROOMFUL_SECRETS");
    let alone = AuthConfig::from_variables(variables(&[("ROOMFUL_SECRETS", list)]));
    let shown = format!("{alone:?}");
    for entry in list.split(',') {
        let secret = entry.split_once(':').map_or(entry, |(_, secret)| secret);
        let secret = secret.trim();
        assert!(secret.len() < 32 || !shown.contains(secret), "{shown}");
    }
    // A list without entries is none.
    let given = |name| value(name).split(',').any(|entry| !entry.trim().is_empty());
    let keys = given("ROOMFUL_SECRETS") || given("ROOMFUL_JWKS_URL");
    match config.mode() {
        Mode::Anonymous => assert!(!keys && given("ROOMFUL_ANONYMOUS")),
        Mode::Tokens(_) => assert!(keys),
        Mode::NotConfigured(_) => assert!(config.check().is_err()),
    }
    let token = "eyJhbGciOiJub25lIn0.e30.";
    assert!(verify(token, &config, NOW).is_err());
    if let Ok(allowed) = origin_allowed(lines.next(), "http://localhost", &config) {
        let listed = given("ALLOWED_ORIGINS") || matches!(config.mode(), Mode::Anonymous);
        assert!(allowed.is_none() || listed);
    }
}

/// R1: a session secret that this key did not issue is nobody's.
pub fn session(text: &str) {
    let key = SessionKey::new([7; 32]);
    let (secret, user) = text.split_once('\n').unwrap_or((text, "ana"));
    assert_eq!(key.verify(secret, "epoch", user), None);
    let number = text.bytes().fold(0_u64, |number, byte| {
        number.wrapping_mul(251).wrapping_add(byte.into())
    });
    let connection = ConnectionId::new(number % 36_u64.pow(10)).expect("small enough");
    let issued = key.issue("epoch", connection, user, number);
    assert!(issued.len() <= 68);
    assert_eq!(
        key.verify(&issued, "epoch", user),
        Some((connection, number))
    );
    assert_eq!(key.verify(&issued, "epocH", user), None);
    assert_eq!(key.verify(&issued, "epoch", &format!("{user}x")), None);
}

/// What the Worker tells a room of a bearer.
pub fn grant(text: &str) {
    for encoded in [text.to_owned(), URL_SAFE_NO_PAD.encode(text)] {
        if let Some(grant) = Grant::decode(&encoded) {
            assert!(Json::parse(grant.info.as_str()).is_ok());
            assert_eq!(Grant::decode(&grant.encode()), Some(grant));
        }
    }
}
