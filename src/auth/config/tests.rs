use crate::auth::signer::{SECRET, configure};

use super::*;

const URL: (&str, &str) = (
    "ROOMFUL_JWKS_URL",
    "https://issuer.example/.well-known/jwks.json",
);
const SECRETS: (&str, &str) = ("ROOMFUL_SECRETS", SECRET);
const ANONYMOUS: (&str, &str) = ("ROOMFUL_ANONYMOUS", "true");
const AUDIENCE: (&str, &str) = ("ROOMFUL_AUDIENCE", "rooms");

fn read(variables: &[(&str, &str)]) -> Result<AuthConfig, InvalidVariable> {
    AuthConfig::from_variables(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn assert_not_configured(variables: &[(&str, &str)], hint: &str) {
    let config = configure(variables);
    assert!(
        matches!(config.mode(), Mode::NotConfigured(_)),
        "{:?}",
        config.mode()
    );
    let error = config.check().expect_err("not configured");
    assert_eq!(
        (error.code, error.code.status()),
        (ErrorCode::NotConfigured, 500)
    );
    assert!(error.message.contains(hint), "{}", error.message);
}

#[test]
fn t6_nothing_set_is_not_configured() {
    assert_not_configured(&[], "ROOMFUL_SECRETS");
    let blank = [
        ("ROOMFUL_SECRETS", " \n"),
        ("ROOMFUL_JWKS_URL", ""),
        ("ROOMFUL_ANONYMOUS", " "),
    ];
    assert_not_configured(&blank, "ROOMFUL_SECRETS");
    assert_not_configured(&[("ROOMFUL_ANONYMOUS", "false")], "ROOMFUL_SECRETS");
    assert_not_configured(&[AUDIENCE], "ROOMFUL_SECRETS");
}

#[test]
fn t6_anonymous_alone_is_anonymous() {
    assert!(matches!(configure(&[ANONYMOUS]).mode(), Mode::Anonymous));
    assert_eq!(configure(&[ANONYMOUS]).check(), Ok(()));
}

#[test]
fn t6_anonymous_beside_keys_is_not_configured() {
    assert_not_configured(&[ANONYMOUS, SECRETS], "must not stand beside");
    assert_not_configured(&[ANONYMOUS, URL, AUDIENCE], "must not stand beside");
    assert_not_configured(&[ANONYMOUS, URL], "must not stand beside");
}

#[test]
fn t6_a_list_of_secrets_without_any_is_an_error_beside_whatever() {
    for list in [",", " , ", ",,\n,"] {
        let secrets = ("ROOMFUL_SECRETS", list);
        for others in [&[][..], &[ANONYMOUS], &[URL, AUDIENCE]] {
            let error = read(&[&[secrets], others].concat()).expect_err(list);
            assert_eq!(error.name, "ROOMFUL_SECRETS", "{list:?} {others:?}");
        }
    }
}

#[test]
fn t6_anonymous_is_true_or_false() {
    for value in ["1", "yes", "TRUE", "on"] {
        let error = read(&[("ROOMFUL_ANONYMOUS", value)]).expect_err(value);
        assert_eq!(error.name, "ROOMFUL_ANONYMOUS");
    }
}

#[test]
fn t1_secrets_or_a_key_set_mean_tokens() {
    for variables in [&[SECRETS][..], &[URL, AUDIENCE], &[SECRETS, URL, AUDIENCE]] {
        let config = configure(variables);
        assert!(matches!(config.mode(), Mode::Tokens(_)), "{variables:?}");
        assert_eq!(config.check(), Ok(()));
    }
    match configure(&[URL, AUDIENCE, ("ROOMFUL_ISSUER", "me")]).mode() {
        Mode::Tokens(rules) => {
            assert_eq!(rules.jwks_url(), Some(URL.1));
            assert_eq!(
                (rules.issuer(), rules.audience()),
                (Some("me"), Some("rooms"))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t1_a_key_set_needs_an_audience() {
    assert_not_configured(&[URL], "ROOMFUL_AUDIENCE");
    assert_not_configured(&[URL, SECRETS], "ROOMFUL_AUDIENCE");
    assert_not_configured(&[URL, ("ROOMFUL_AUDIENCE", " ")], "ROOMFUL_AUDIENCE");
}

#[test]
fn t6_the_example_of_a_configuration_lets_nobody_in_before_it_has_a_secret() {
    let example = include_str!("../../../.dev.vars.example").lines();
    let variables: Vec<_> = example
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    assert!(variables.iter().any(|(name, _)| *name == "ROOMFUL_SECRETS"));
    assert_not_configured(&variables, "ROOMFUL_SECRETS");
}

#[test]
fn t1_a_key_set_comes_over_https_or_from_the_same_machine() {
    let accepts = |url| read(&[("ROOMFUL_JWKS_URL", url), AUDIENCE]).is_ok();
    let good = [
        "https://issuer.example",
        "https://issuer.example:8443/keys?v=1",
        "HTTPS://issuer.example/",
        "http://localhost:8080/keys",
        "http://127.0.0.1/keys",
        "http://[::1]:8080/keys",
    ];
    for url in good {
        assert!(accepts(url), "{url}");
    }
    let bad = [
        "issuer.example",
        "http://issuer.example/keys",
        "https://",
        "https:///keys",
        "ftp://issuer.example",
        "https://user:password@issuer.example/",
        "https://issuer.example/a b",
        "file:///keys",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "https://issuer.example:port/",
    ];
    for url in bad {
        assert!(!accepts(url), "{url}");
    }
}

#[test]
fn e4_an_invalid_variable_shows_no_secret() {
    let short = "hunter2";
    let error = read(&[("ROOMFUL_SECRETS", short)]).expect_err("too short");
    assert_eq!(error.name, "ROOMFUL_SECRETS");
    assert!(!format!("{error} {error:?}").contains(short));
    let error = read(&[("ROOMFUL_JWKS_URL", "http://user:hunter2@issuer.example")]);
    assert!(!format!("{error:?}").contains(short));
}

#[test]
fn t7_a_wrong_list_of_origins_is_an_invalid_variable() {
    let error = read(&[SECRETS, ("ALLOWED_ORIGINS", "app.example")]).expect_err("no origin");
    assert_eq!(error.name, "ALLOWED_ORIGINS");
    assert_eq!(
        configure(&[SECRETS, ("ALLOWED_ORIGINS", "*")]).origins(),
        &Origins::Any
    );
    assert_eq!(
        configure(&[SECRETS, ("ALLOWED_ORIGINS", " ")]).origins(),
        &Origins::Unset
    );
}
