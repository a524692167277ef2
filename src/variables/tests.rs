use super::*;

fn meant(name: &str) -> Option<Option<&'static str>> {
    misspelt(name).map(|it| it.meant)
}

#[test]
fn t6_a_misspelt_variable_is_noticed_with_what_was_meant() {
    let slips = [
        ("ROOMFUL_SECRET", "ROOMFUL_SECRETS"),
        ("roomful_secrets", "ROOMFUL_SECRETS"),
        ("ROOMFULL_SECRETS", "ROOMFUL_SECRETS"),
        ("ROOMFUL_JWKS_URI", "ROOMFUL_JWKS_URL"),
        ("ROOMFUL_AUDEINCE", "ROOMFUL_AUDIENCE"),
        ("ROOMFUL_ISUER", "ROOMFUL_ISSUER"),
        ("ROOMFUL_ANONYMUS", "ROOMFUL_ANONYMOUS"),
        ("ROOMFUL_ALLOWED_ORIGINS", "ALLOWED_ORIGINS"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("ALOWED_ORIGINS", "ALLOWED_ORIGINS"),
        ("ROOMFUL_MAX_CONNECTIONS", "MAX_CONNECTIONS"),
        ("MAX_CONECTIONS", "MAX_CONNECTIONS"),
        ("MAX_CONNECTIONS_PER_USERS", "MAX_CONNECTIONS_PER_USER"),
        ("ROOM_JURISDICTON", "ROOM_JURISDICTION"),
        ("ROOM_LOCATIONS", "ROOM_LOCATION"),
        ("HISTORY_SECOND", "HISTORY_SECONDS"),
    ];
    for (name, expected) in slips {
        assert_eq!(meant(name), Some(Some(expected)), "{name}");
    }
    assert_eq!(
        meant("ROOMFUL_COLOUR"),
        Some(None),
        "ours, and like none of them"
    );
}

#[test]
fn t6_a_variable_that_is_read_or_somebody_else_s_is_none_of_our_business() {
    for name in NAMES {
        assert_eq!(meant(name), None, "{name}");
    }
    for variable in Limits::VARIABLES {
        assert_eq!(meant(variable.name), None, "{}", variable.name);
    }
    for name in [
        "",
        "A",
        "DATABASE_URL",
        "AUDIENCE",
        "SECRETS",
        "JWKS_URL",
        "ROOM",
        "ORIGINS",
        "MAX_AGE",
        "GRACE",
        "ROOMS",
        "ПЕРЕМЕННАЯ",
        "ROOMFU\u{10ffff}",
    ] {
        assert_eq!(meant(name), None, "{name}");
    }
}

#[test]
fn h8_a_place_that_cloudflare_does_not_have_is_refused_with_those_that_it_has() {
    let read = |name: &'static str, value: &'static str| {
        Placement::from_variables(|asked| (asked == name).then(|| value.to_owned()))
    };
    for place in ["eu", "us", "fedramp", "fedramp-high", " eu\n"] {
        let placement = read("ROOM_JURISDICTION", place).expect("a jurisdiction");
        assert_eq!(placement.jurisdiction.as_deref(), Some(place.trim()));
    }
    let hints = [
        "wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me",
    ];
    for place in hints {
        let placement = read("ROOM_LOCATION", place).expect("a location");
        assert_eq!(placement.location.as_deref(), Some(place));
    }
    for name in ["ROOM_JURISDICTION", "ROOM_LOCATION"] {
        assert_eq!(read(name, " "), Ok(Placement::default()));
        for place in [
            "europe",
            "EU",
            "must",
            "one",
            "eu,us",
            ",",
            "weur eeur",
            "of",
        ] {
            let error = read(name, place).expect_err(place);
            assert_eq!(error.name, name);
            assert!(error.reason.contains(", "), "{error}");
            assert!(!error.reason.contains("europe"));
        }
    }
    assert!(read("ROOM_JURISDICTION", "weur").is_err());
    assert!(read("ROOM_LOCATION", "eu").is_err());
}
