use proptest::prelude::*;

use super::*;

fn offering(protocols: &str) -> Credentials {
    Credentials::from_request(Some(protocols), None, None)
}

#[test]
fn t3_a_token_travels_as_a_subprotocol() {
    let credentials = offering("roomful.v1, roomful.token.a.b-c.d_e");
    assert_eq!(credentials.protocol, OfferedProtocol::V1);
    assert_eq!(credentials.token.as_deref(), Some("a.b-c.d_e"));
    assert_eq!(credentials.session, None);
}

#[test]
fn t3_a_token_travels_as_a_bearer() {
    let of = |header| Credentials::from_request(None, Some(header), None).token;
    for header in [
        "Bearer a.b.c",
        "bearer a.b.c",
        "BEARER   a.b.c ",
        "Bearer\ta.b.c",
    ] {
        assert_eq!(of(header).as_deref(), Some("a.b.c"), "{header:?}");
    }
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "a.b.c",
        "Basic a.b.c",
        "Bearera.b.c",
        "Token a.b.c",
    ] {
        assert_eq!(of(header), None, "{header:?}");
    }
}

#[test]
fn t3_a_token_travels_in_the_query() {
    let of = |query| Credentials::from_request(None, None, Some(query)).token;
    for query in [
        "token=a.b.c",
        "x=1&token=a.b.c&y",
        "token=&token=a.b.c&token=d.e.f",
        "?token=a.b.c",
    ] {
        assert_eq!(of(query).as_deref(), Some("a.b.c"), "{query}");
    }
    for query in [
        "",
        "token",
        "token=",
        "Token=a.b.c",
        "mytoken=a.b.c",
        "x=token=a.b.c",
    ] {
        assert_eq!(of(query), None, "{query}");
    }
}

#[test]
fn t3_the_subprotocol_comes_before_the_header_and_that_before_the_query() {
    let (protocols, header, query) = ("roomful.token.first", "Bearer second", "token=third");
    let token = |protocols, header| {
        Credentials::from_request(protocols, header, Some(query))
            .token
            .unwrap_or_default()
    };
    assert_eq!(token(Some(protocols), Some(header)), "first");
    assert_eq!(token(Some("roomful.v1"), Some(header)), "second");
    assert_eq!(
        token(Some("roomful.v1, roomful.token."), Some("Basic x")),
        "third"
    );
}

#[test]
fn t3_of_several_the_first_counts() {
    let credentials = offering(
        "roomful.token.,roomful.token.a,roomful.v1,roomful.session.s,roomful.token.b,roomful.v1,roomful.session.t",
    );
    assert_eq!(credentials.token.as_deref(), Some("a"));
    assert_eq!(credentials.session.as_deref(), Some("s"));
    assert_eq!(credentials.protocol, OfferedProtocol::V1);
}

#[test]
fn t3_spaces_and_empty_entries_make_no_difference() {
    let credentials = offering(" ,,roomful.token.a ,\troomful.v1\t,  ,");
    assert_eq!(credentials.token.as_deref(), Some("a"));
    assert_eq!(credentials.protocol, OfferedProtocol::V1);
    assert_eq!(offering(""), Credentials::default());
    assert_eq!(offering(" , ,"), Credentials::default());
}

#[test]
fn t3_what_cannot_be_a_subprotocol_is_passed_over() {
    for entry in [
        "roomful.token.a b",
        "roomful.token.a=",
        "roomful.token.\"a\"",
        "roomful.token.é",
    ] {
        assert_eq!(offering(entry), Credentials::default(), "{entry}");
    }
    for entry in ["roomful.v2 x", "roomful.v2\r\nX: y", "roomful.v(2)"] {
        assert_eq!(offering(entry).protocol, OfferedProtocol::None, "{entry:?}");
    }
}

#[test]
fn t3_the_answer_is_v1_and_never_the_token() {
    assert_eq!(
        offering("roomful.token.a, roomful.v1").protocol.answer(),
        Some("roomful.v1")
    );
    assert_eq!(
        offering("roomful.v2, roomful.v1").protocol.answer(),
        Some("roomful.v1")
    );
    assert_eq!(offering("roomful.token.a").protocol.answer(), None);
    assert_eq!(offering("graphql-ws, chat").protocol.answer(), None);
    assert_eq!(offering("ROOMFUL.V1").protocol.answer(), None);
}

#[test]
fn t4_another_version_is_answered_so_that_the_refusal_can_be_read() {
    let protocol = offering("roomful.v3, roomful.v2, roomful.token.a").protocol;
    assert_eq!(protocol.answer(), Some("roomful.v3"));
    assert_eq!(
        protocol.check().map_err(|error| error.code),
        Err(ErrorCode::UnsupportedProtocol)
    );
    for other in ["roomful.v10", "roomful.v1.1", "roomful.vNext"] {
        assert_eq!(
            offering(other).protocol,
            OfferedProtocol::Other(other.to_owned())
        );
    }
    for none in ["roomful.v", "roomful", "xroomful.v1"] {
        assert_eq!(offering(none).protocol, OfferedProtocol::None);
    }
    assert_eq!(OfferedProtocol::V1.check(), Ok(()));
    assert_eq!(OfferedProtocol::None.check(), Ok(()));
}

#[test]
fn r1_a_session_travels_as_a_subprotocol_or_in_the_query() {
    let session = |protocols, query| Credentials::from_request(protocols, None, query).session;
    assert_eq!(
        session(Some("roomful.v1, roomful.session.a.b.c"), None).as_deref(),
        Some("a.b.c")
    );
    assert_eq!(
        session(None, Some("epoch=e&session=a.b.c")).as_deref(),
        Some("a.b.c")
    );
    assert_eq!(
        session(Some("roomful.session.first"), Some("session=second")).as_deref(),
        Some("first")
    );
    assert_eq!(session(Some("roomful.v1"), Some("epoch=e&offset=1")), None);
}

#[test]
fn t4_a_missing_token_is_an_invalid_one() {
    let error = Credentials::default()
        .require_token()
        .expect_err("no token");
    assert_eq!(
        (error.code, error.code.status()),
        (ErrorCode::InvalidToken, 401)
    );
    assert_eq!(offering("roomful.token.a").require_token(), Ok("a"));
}

#[test]
fn e4_printed_credentials_show_no_secret() {
    let printed = format!(
        "{:?}",
        offering("roomful.v1, roomful.token.hush, roomful.session.hush")
    );
    assert!(!printed.contains("hush"), "{printed}");
}

proptest! {
    #[test]
    fn t3_no_header_does_harm(protocols in ".{0,60}", header in ".{0,30}", query in ".{0,60}") {
        let credentials = Credentials::from_request(Some(&protocols), Some(&header), Some(&query));
        if let Some(answer) = credentials.protocol.answer() {
            prop_assert!(answer.starts_with("roomful.v") && !answer.contains([' ', ',', '\r', '\n']));
        }
    }
}
