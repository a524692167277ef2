use crate::auth::signer::{SECRET, configure};

use super::*;

/// The Worker's own address.
const HERE: &str = "https://rooms.example";

/// What `origin_allowed` makes of an origin where this list is set.
fn judge(list: &str, origin: &str) -> Result<Option<String>, ErrorCode> {
    let config = configure(&[("ROOMFUL_SECRETS", SECRET), ("ALLOWED_ORIGINS", list)]);
    let allowed = origin_allowed(Some(origin), HERE, &config);
    allowed
        .map(|it| it.map(str::to_owned))
        .map_err(|error| error.code)
}

fn passes(list: &str, origin: &str) -> bool {
    match judge(list, origin) {
        Ok(allowed) => allowed.as_deref() == Some(origin),
        Err(code) => {
            assert_eq!(code, ErrorCode::ForbiddenOrigin);
            false
        }
    }
}

#[test]
fn t7_an_origin_in_the_list_is_allowed() {
    let list = "https://app.example, http://localhost:3000,\nhttps://b.example:8443";
    for origin in [
        "https://app.example",
        "http://localhost:3000",
        "https://b.example:8443",
    ] {
        assert!(passes(list, origin), "{origin}");
    }
}

#[test]
fn t7_an_origin_that_only_looks_like_one_in_the_list_is_refused() {
    let list = "https://app.example";
    let origins = [
        "",
        "null",
        "app.example",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://evilapp.example",
        "https://x.app.example",
        "https://app.example/",
        "https://app.example, https://evil.example",
        "https://app.example@evil.example",
        " https://app.example",
        "https://app",
        "*",
    ];
    for origin in origins {
        assert!(!passes(list, origin), "{origin}");
    }
}

#[test]
fn t7_a_list_may_be_written_as_people_write_origins() {
    assert!(passes("HTTPS://App.Example/", "https://app.example"));
    assert!(passes("https://app.example:443", "https://app.example"));
    assert!(passes("http://app.example:80", "http://app.example"));
    assert!(passes("https://app.example:80", "https://app.example:80"));
    assert!(passes("http://[::1]:3000", "http://[::1]:3000"));
    assert!(passes("capacitor://localhost", "capacitor://localhost"));
}

#[test]
fn t7_a_list_that_cannot_be_meant_is_refused() {
    let lists = [
        "null",
        "app.example",
        "https://",
        "https://*.example",
        "https://*",
        "https://*.example:443",
        "*://app.b.example",
        "*.app.b.example",
        "https://*.*.b.example",
        "https://app.b.example:*",
        "https://a.*.example",
        "https://[::*]",
        "https://app.example/path",
        "*,https://app.example",
        "https://app.example;https://b.example",
        "https://user@app.example",
        "https://app.example:",
        "https://app.example:99999",
        "https://app.example:+1",
        "https://[::1",
        "https://app.example?x",
        "1ttp://app.example",
        "https://a b",
        "https://[app.example]",
    ];
    for list in lists {
        let parsed = Origins::parse(list);
        assert!(parsed.is_err(), "{list}: {parsed:?}");
    }
}

#[test]
fn t7_a_star_in_a_host_stands_for_one_name_or_a_part_of_it() {
    let list = "https://App-*-team.vercel.app/, https://*.b.example:8443, http://*.c.example:80";
    let yes = [
        "https://app-git-main-team.vercel.app",
        "https://app-x-team.vercel.app",
        "https://a_1.b.example:8443",
        "http://x.c.example",
    ];
    for origin in yes {
        assert!(passes(list, origin), "{origin}");
    }
    let no = [
        "https://app--team.vercel.app.evil.example",
        "https://app-team.vercel.app",
        "https://app--team.vercel.app",
        "https://app-a.b-team.vercel.app",
        "https://evil.example/app-x-team.vercel.app",
        "https://app-@evil.example#-team.vercel.app",
        "http://app-x-team.vercel.app",
        "https://app-x-team.vercel.app:444",
        "https://b.example:8443",
        "https://.b.example:8443",
        "https://a.a.b.example:8443",
        "https://a.b.example",
        "http://x.c.example:80",
        "https://*.b.example:8443",
        "null",
    ];
    for origin in no {
        assert!(!passes(list, origin), "{origin}");
    }
    // Dots are counted, and not whose names they part: the page of the rule says so.
    assert!(passes("https://*.co.uk", "https://anybody.co.uk"));
}

#[test]
fn t7_a_star_alone_allows_all_of_them() {
    for origin in ["https://any.example", "null", "http://localhost:1"] {
        assert_eq!(judge("*", origin), Ok(Some("*".to_owned())));
    }
}

#[test]
fn t7_without_an_origin_the_rule_does_not_apply() {
    let variables = [
        ("ROOMFUL_SECRETS", SECRET),
        ("ALLOWED_ORIGINS", "https://app.example"),
    ];
    assert_eq!(origin_allowed(None, HERE, &configure(&variables)), Ok(None));
    assert_eq!(
        origin_allowed(None, HERE, &configure(&variables[..1])),
        Ok(None)
    );
}

#[test]
fn t7_unset_allows_no_origin() {
    let config = configure(&[("ROOMFUL_SECRETS", SECRET)]);
    for origin in ["https://app.example", "http://localhost:3000", "null"] {
        let error = origin_allowed(Some(origin), HERE, &config).expect_err("no origin is allowed");
        assert_eq!(error.code, ErrorCode::ForbiddenOrigin);
        assert!(!error.message.contains(origin));
    }
}

#[test]
fn t7_unset_and_anonymous_allows_loopback_origins() {
    let config = configure(&[("ROOMFUL_ANONYMOUS", "true")]);
    let loopback = [
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:8443",
        "http://127.0.0.1:5173",
        "http://127.8.9.1",
        "http://[::1]",
        "http://[::1]:3000",
        "http://app.localhost:3000",
    ];
    for origin in loopback {
        assert_eq!(
            origin_allowed(Some(origin), HERE, &config),
            Ok(Some(origin))
        );
    }
    let others = [
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://evillocalhost",
        "http://localhost:3000@evil.example",
        "http://localhost:x",
        "http://[::2]:3000",
        "http://10.0.0.1",
        "http://0.0.0.0:3000",
        "null",
        "",
        "file://localhost",
        "http://2130706433",
        "http://localhost/",
        "http://[::1].evil.example",
        "http://[::ffff:10.0.0.1]",
        "http://.localhost@evil.example",
    ];
    for origin in others {
        assert!(
            origin_allowed(Some(origin), HERE, &config).is_err(),
            "{origin}"
        );
    }
}

#[test]
fn t7_a_list_counts_while_anonymous_as_well() {
    let config = configure(&[
        ("ROOMFUL_ANONYMOUS", "true"),
        ("ALLOWED_ORIGINS", "https://app.example"),
    ]);
    assert!(origin_allowed(Some("https://app.example"), HERE, &config).is_ok());
    assert!(origin_allowed(Some("http://localhost:3000"), HERE, &config).is_err());
}

#[test]
fn t7_a_list_has_each_origin_as_browsers_write_it_and_no_other_way() {
    let list = "https://app.example, https://xn--bcher-kva.example";
    assert!(passes(list, "https://xn--bcher-kva.example"));
    // Browsers write it in lower case; a scheme and a host in capitals name the same place.
    assert!(passes(list, "HTTPS://APP.example"));
    let origins = [
        "https://bücher.example",
        "https://app.example.",
        "https://app.example:443",
        "https://app.example:0443",
        "https://app.example:",
        "https://user@app.example",
        "https://user:app.example@evil.example",
        "https://app.example\\.evil.example",
        "https://app.example%2eevil.example",
        "https://app.example#.evil.example",
        "https://app.example?.evil.example",
        "https://аpp.example",
        "https:/app.example",
        "https:app.example",
        "//app.example",
        "wss://app.example",
        "https://app.example\t",
        "https://app.example null",
        "null, https://app.example",
    ];
    for origin in origins {
        assert!(!passes(list, origin), "{origin}");
    }
}

#[test]
fn t7_while_anonymous_a_request_without_origin_is_judged_by_its_own_address() {
    let unset = configure(&[("ROOMFUL_ANONYMOUS", "true")]);
    let local = [
        "http://localhost:8787",
        "http://app.localhost:8787",
        "http://127.0.0.1:8787",
        "http://[::1]:8787",
        // Whoever is on the local network may ask a number; no page can call itself that.
        "http://192.168.1.5:8787",
        "http://[fe80::1]:8787",
        "http://0.0.0.0:8787",
    ];
    for address in local {
        assert_eq!(origin_allowed(None, address, &unset), Ok(None), "{address}");
    }
    let names = [
        "http://evil.example:8787",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example:8787",
        "http://localhost.:8787",
        "http://laptop.local:8787",
        "https://rooms.example",
        "",
    ];
    for address in names {
        let error = origin_allowed(None, address, &unset).expect_err(address);
        assert_eq!(error.code, ErrorCode::ForbiddenOrigin);
    }
    // An operator who means it says so.
    let with = |list| configure(&[("ROOMFUL_ANONYMOUS", "true"), ("ALLOWED_ORIGINS", list)]);
    assert_eq!(origin_allowed(None, HERE, &with("*")), Ok(None));
    assert_eq!(origin_allowed(None, HERE, &with(HERE)), Ok(None));
    let other = with("https://app.example");
    assert!(origin_allowed(None, HERE, &other).is_err());
    assert_eq!(
        origin_allowed(None, "http://localhost:8787", &other),
        Ok(None)
    );
}
