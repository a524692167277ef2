use super::*;

/// 32 bytes, as a coordinate or an Ed25519 key.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A 2,048-bit modulus.
fn modulus() -> String {
    base64url::encode(&[0xc5; 256])
}

fn parse(text: &str) -> Option<Jwk> {
    Jwk::parse(&Object::parse(text).expect("an object"))
}

fn ec(more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{X}"{more}}}"#)
}

fn okp(more: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{more}}}"#)
}

fn rsa(more: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"{more}}}"#, modulus())
}

#[test]
fn t1_a_key_is_for_the_one_algorithm_of_its_type() {
    let cases = [
        (ec(""), PublicKeyAlgorithm::Es256),
        (okp(""), PublicKeyAlgorithm::EdDsa),
        (rsa(""), PublicKeyAlgorithm::Rs256),
        (
            ec(r#","alg":"ES256","use":"sig","kid":"k""#),
            PublicKeyAlgorithm::Es256,
        ),
        (
            okp(r#","alg":"EdDSA","key_ops":["verify"]"#),
            PublicKeyAlgorithm::EdDsa,
        ),
        (okp(r#","alg":"Ed25519""#), PublicKeyAlgorithm::EdDsa),
        (
            rsa(r#","alg":"RS256","x5c":["…"]"#),
            PublicKeyAlgorithm::Rs256,
        ),
    ];
    for (text, algorithm) in cases {
        assert_eq!(
            parse(&text).map(|key| key.algorithm()),
            Some(algorithm),
            "{text}"
        );
    }
}

#[test]
fn t1_a_key_for_something_else_is_passed_over() {
    let texts = [
        ec(r#","alg":"RS256""#),
        ec(r#","alg":"HS256""#),
        okp(r#","alg":"ES256""#),
        rsa(r#","alg":"RS512""#),
        rsa(r#","alg":"PS256""#),
        rsa(r#","alg":7"#),
        rsa(r#","use":"enc""#),
        rsa(r#","use":null"#),
        rsa(r#","key_ops":["encrypt"]"#),
        rsa(r#","key_ops":"verify""#),
        rsa(r#","kid":7"#),
        r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
        r#"{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#.to_owned(),
        ec("").replace("P-256", "P-384"),
        ec("").replace("P-256", "secp256k1"),
        okp("").replace("Ed25519", "X25519"),
        ec("").replace("EC", "ec"),
        r#"{"kty":"EC","crv":"P-256"}"#.to_owned(),
        "{}".to_owned(),
    ];
    for text in texts {
        assert_eq!(parse(&text), None, "{text}");
    }
}

#[test]
fn t1_a_key_of_the_wrong_size_is_passed_over() {
    let short = base64url::encode(&[1; 31]);
    let long = base64url::encode(&[1; 33]);
    for coordinate in [short.as_str(), &long, "", "not base64!", &format!("{X}=")] {
        assert_eq!(parse(&okp("").replace(X, coordinate)), None, "{coordinate}");
        assert_eq!(parse(&ec("").replace(X, coordinate)), None, "{coordinate}");
    }
    for bytes in [128, 255, 1_025] {
        let weak = rsa("").replace(&modulus(), &base64url::encode(&vec![0xc5; bytes]));
        assert_eq!(parse(&weak), None, "{bytes} bytes");
    }
    let mut padded = vec![0; 128];
    padded.extend([0xc5; 128]);
    assert_eq!(
        parse(&rsa("").replace(&modulus(), &base64url::encode(&padded))),
        None
    );
}

#[test]
fn t1_an_rsa_exponent_under_which_anything_is_signed_is_passed_over() {
    for exponent in ["AQ", "AA", "AAE", ""] {
        assert_eq!(
            parse(&rsa("").replace("AQAB", exponent)),
            None,
            "{exponent}"
        );
    }
}

#[test]
fn t1_only_the_public_members_are_passed_on() {
    let key = parse(&okp(
        r#","key_ops":["sign","verify"],"ext":false,"kid":"k""#,
    ));
    let key = key.expect("a key");
    assert_eq!(key.json(), okp(""));
    assert_eq!(key.kid(), Some("k"));
    assert_eq!(
        parse(&rsa(r#","p":"x""#)).map(|key| key.json().to_owned()),
        Some(rsa(""))
    );
}

#[test]
fn t1_a_key_that_was_published_with_its_private_part_verifies_nothing() {
    for private in [
        format!(r#","d":"{X}""#),
        r#","d":"""#.to_owned(),
        r#","d":null"#.to_owned(),
    ] {
        assert_eq!(parse(&okp(&private)), None);
        assert_eq!(parse(&ec(&private)), None);
        assert_eq!(parse(&rsa(&private)), None);
    }
}
