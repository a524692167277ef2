use super::{Disconnect, Target, decode_batch, decode_disconnect, decode_publish};
use crate::protocol::{ConnectionId, ErrorCode, Recipient};

#[test]
fn h1_a_body_is_a_publish_without_type() {
    let body = r#"{"event":"chat","data":{ "n" : 1.0 },"id":"m1","to":["user:ana"],"except":["2n9c","NOBODY"],"echo":7}"#;
    let publish = decode_publish(body).unwrap();
    assert_eq!(publish.event, "chat");
    assert_eq!(publish.data.as_str(), r#"{"n":1.0}"#);
    assert_eq!(publish.id.as_deref(), Some("m1"));
    assert_eq!(publish.to, Some(vec![Recipient::User("ana".into())]));
    assert_eq!(publish.except, [ConnectionId::parse("2n9c").unwrap()]);
    assert!(publish.ephemeral && publish.echo);
}

#[test]
fn h1_a_bad_body_is_refused_as_a_message_is() {
    let deep = format!(
        r#"{{"event":"a","data":{}}}"#,
        "[".repeat(64) + &"]".repeat(64)
    );
    for (body, message) in [
        ("", "not JSON at byte 0: expected a value"),
        ("[]", "must be a JSON object"),
        ("{} {}", "not JSON at byte 3: expected the end"),
        (r#"{"data":1}"#, "\"event\" is missing"),
        (r#"{"event":"a","event":"b"}"#, "duplicate key \"event\""),
        (
            r#"{"event":"a","data":"\ud800"}"#,
            "a string holds half a surrogate pair",
        ),
        (&deep, "nested more than 64 levels deep"),
        (
            r#"{"event":"roomful:a"}"#,
            "\"event\" is reserved: it starts with \"roomful:\"",
        ),
        (
            r#"{"event":"a","except":"x"}"#,
            "\"except\" must be a list of strings",
        ),
    ] {
        let error = decode_publish(body).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadMessage);
        assert_eq!(error.message, message, "{body}");
    }
    let error = decode_publish(r#"{"id":"m1"}"#).unwrap_err();
    assert_eq!(error.id.as_deref(), Some("m1"));
}

#[test]
fn n2_exceptions_are_at_most_a_hundred() {
    let body = |count: usize| {
        format!(
            r#"{{"event":"a","except":[{}]}}"#,
            vec!["\"a\""; count].join(",")
        )
    };
    assert_eq!(decode_publish(&body(100)).unwrap().except.len(), 100);
    let error = decode_publish(&body(101)).unwrap_err();
    assert_eq!(error.message, "\"except\" has more than 100 entries");
}

#[test]
fn h2_one_refused_message_does_not_stop_the_others() {
    let deep = "[".repeat(64) + &"]".repeat(64);
    let body = format!(
        r#"{{"messages":[{{"room":"a","event":"x","data":1}},{{"room":"a b","event":"x"}},{{"event":"x"}},{{"room":"a"}},7,{{"room":"a","event":"x","data":{deep}}},{{"room":"a","event":"x","data":"\ud800"}},{{"room":"b","event":"x"}}]}}"#
    );
    let entries = decode_batch(&body).unwrap();
    let outcome: Vec<_> = entries
        .iter()
        .map(|entry| {
            let room = entry.room.as_ref().map_err(|error| error.code.as_str());
            let publish = entry.publish.as_ref().map_err(|error| error.code.as_str());
            (
                room.map(String::as_str),
                publish.map(|publish| &*publish.event),
            )
        })
        .collect();
    let bad = "bad_message";
    assert_eq!(
        outcome,
        [
            (Ok("a"), Ok("x")),
            (Err("invalid_room"), Ok("x")),
            (Err(bad), Ok("x")),
            (Ok("a"), Err(bad)),
            (Err(bad), Err(bad)),
            (Ok("a"), Err(bad)),
            (Ok("a"), Err(bad)),
            (Ok("b"), Ok("x")),
        ]
    );
    assert_eq!(entries[0].text, r#"{"room":"a","event":"x","data":1}"#);
    assert!(decode_publish(entries[0].text).is_ok());
}

#[test]
fn h2_a_batch_has_1_to_100_messages() {
    let message = r#"{"room":"a","event":"x"}"#;
    let body = |count: usize| format!(r#"{{"messages":[{}]}}"#, vec![message; count].join(","));
    assert_eq!(decode_batch(&body(100)).unwrap().len(), 100);
    for body in [
        &body(101),
        &body(0),
        "{}",
        "[]",
        r#"{"messages":null}"#,
        r#"{"messages":{}}"#,
        r#"{"messages":[1],"messages":[2]}"#,
        r#"{"messages":["#,
    ] {
        assert_eq!(decode_batch(body).unwrap_err().code, ErrorCode::BadMessage);
    }
}

#[test]
fn h4_a_disconnect_names_a_user_or_a_connection() {
    let user = decode_disconnect(r#"{"user":"ana","ban_seconds":60,"reason":"spam"}"#).unwrap();
    let expected = Disconnect {
        target: Target::User("ana".into()),
        ban_seconds: Some(60),
        reason: Some("spam".into()),
    };
    assert_eq!(user, expected);
    let target = |body: &str| decode_disconnect(body).map(|disconnect| disconnect.target);
    let connection = ConnectionId::parse("2n9c").unwrap();
    assert_eq!(
        target(r#"{"connection":"2n9c","user":null}"#),
        Ok(Target::Connection(connection))
    );
    assert_eq!(target(r#"{"connection":"no-such-id"}"#), Ok(Target::Nobody));
    assert_eq!(
        decode_disconnect(r#"{"user":"a","ban_seconds":0}"#)
            .unwrap()
            .ban_seconds,
        Some(0)
    );
    for body in [
        "{}",
        "[]",
        r#"{"user":"a","connection":"b"}"#,
        r#"{"user":""}"#,
        r#"{"user":7}"#,
        r#"{"user":"a","ban_seconds":-1}"#,
        r#"{"user":"a","ban_seconds":1.5}"#,
        r#"{"user":"a","reason":7}"#,
        r#"{"user":"a","user":"b"}"#,
    ] {
        assert_eq!(
            target(body).unwrap_err().code,
            ErrorCode::BadMessage,
            "{body}"
        );
    }
}

#[test]
fn h4_a_reason_is_cut_to_123_bytes_of_whole_characters() {
    let reason = |text: &str| {
        let body = format!(r#"{{"user":"a","reason":"{text}"}}"#);
        decode_disconnect(&body).unwrap().reason.unwrap()
    };
    assert_eq!(&*reason(&"a".repeat(124)), "a".repeat(123));
    assert_eq!(&*reason(&"é".repeat(62)), "é".repeat(61));
    assert_eq!(&*reason(&"a".repeat(123)), "a".repeat(123));
    assert_eq!(&*reason(""), "");
}
