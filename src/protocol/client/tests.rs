use crate::protocol::{
    ClientMessage, ConnectionId, Error, ErrorCode, HistoryQuery, Json, Publish, Recipient,
    StateChange, decode_frame,
};

fn decode(frame: &str) -> Result<ClientMessage<'_>, Error> {
    let elements = decode_frame(frame)?;
    assert_eq!(elements.len(), 1, "{frame}");
    elements[0].decode()
}

fn publish(frame: &str) -> Publish<'_> {
    match decode(frame) {
        Ok(ClientMessage::Publish(publish)) => publish,
        other => panic!("{frame} gave {other:?}"),
    }
}

/// The text of a `bad_message`.
fn bad(frame: &str) -> String {
    let error = decode(frame).unwrap_err();
    assert_eq!(error.code, ErrorCode::BadMessage, "{frame}");
    error.message.into_owned()
}

#[test]
fn c6_wrong_fields_are_named() {
    for (fields, message) in [
        (r#""type":null"#, r#""type" is missing"#),
        (r#""x":1"#, r#""type" is missing"#),
        (r#""type":7"#, r#""type" must be a string"#),
        (r#""type":["publish"]"#, r#""type" must be a string"#),
        (r#""type":"publish""#, r#""event" is missing"#),
        (
            r#""type":"publish","event":1"#,
            r#""event" must be a string"#,
        ),
        (
            r#""type":"publish","event":"a","id":1"#,
            r#""id" must be a string"#,
        ),
        (
            r#""type":"publish","event":"a","ephemeral":1"#,
            r#""ephemeral" must be true or false"#,
        ),
        (
            r#""type":"publish","event":"a","echo":"no""#,
            r#""echo" must be true or false"#,
        ),
        (
            r#""type":"publish","event":"a","to":"x""#,
            r#""to" must be a list of strings"#,
        ),
        (
            r#""type":"publish","event":"a","to":["x",1]"#,
            r#""to" must be a list of strings"#,
        ),
        (
            r#""type":"publish","event":"a","to":[["x"]]"#,
            r#""to" must be a list of strings"#,
        ),
        (r#""type":"state""#, r#""state" or "patch" is missing"#),
        (
            r#""type":"state","patch":null"#,
            r#""state" or "patch" is missing"#,
        ),
        (
            r#""type":"state","state":1,"patch":{}"#,
            r#"either "state" or "patch", not both"#,
        ),
        (
            r#""type":"state","state":null,"patch":{}"#,
            r#"either "state" or "patch", not both"#,
        ),
        (
            r#""type":"state","patch":[1]"#,
            r#""patch" must be an object"#,
        ),
        (
            r#""type":"state","patch":{"a":1,"a":2}"#,
            r#"duplicate key "a""#,
        ),
        (
            r#""type":"state","state":1,"id":"""#,
            r#""id" must have 1 to 64 characters"#,
        ),
        (r#""type":"auth""#, r#""token" is missing"#),
        (r#""type":"auth","token":{}"#, r#""token" must be a string"#),
        (
            r#""type":"history","limit":0"#,
            r#""limit" must be at least 1"#,
        ),
    ] {
        assert_eq!(bad(&format!("{{{fields}}}")), message, "{fields}");
    }
}

#[test]
fn c6_offsets_are_whole_numbers_that_javascript_can_hold() {
    let history =
        |before: &str| decode_owned(&format!(r#"{{"type":"history","before":{before}}}"#));
    assert_eq!(history("0").unwrap().before, Some(0));
    assert_eq!(
        history("9007199254740991").unwrap().before,
        Some(9_007_199_254_740_991)
    );
    for before in [
        "9007199254740992",
        "18446744073709551616",
        "1e400",
        "-1",
        "-0",
        "1.0",
        "1e3",
        "\"1\"",
        "true",
        "[]",
    ] {
        let error = history(before).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadMessage);
        assert_eq!(
            error.message,
            "\"before\" must be a whole number from 0 to 9007199254740991"
        );
    }
}

fn decode_owned(frame: &str) -> Result<HistoryQuery, Error> {
    match decode(frame)? {
        ClientMessage::History(query) => Ok(query),
        other => panic!("{other:?}"),
    }
}

#[test]
fn n2_reserved_events_are_refused() {
    for event in ["roomful:", "roomful:x", "\\u0072oomful:x"] {
        let message = bad(&format!(r#"{{"type":"publish","event":"{event}"}}"#));
        assert_eq!(
            message,
            "\"event\" is reserved: it starts with \"roomful:\""
        );
    }
    for event in ["roomful", "Roomful:x", "x-roomful:"] {
        let frame = format!(r#"{{"type":"publish","event":"{event}"}}"#);
        assert_eq!(publish(&frame).event, event);
    }
}

#[test]
fn n2_event_names_and_ids_have_their_lengths() {
    let event = |name: &str| format!(r#"{{"type":"publish","event":"{name}"}}"#);
    let long = "é".repeat(128);
    assert_eq!(publish(&event(&long)).event, long);
    let message = "\"event\" must have 1 to 128 characters, none a control character";
    for name in [
        "",
        &"a".repeat(129),
        &"é".repeat(129),
        "a\\nb",
        "\\u0000",
        "\\u0085",
        "\u{7f}",
    ] {
        assert_eq!(bad(&event(name)), message);
    }
    let id = |id: &str| format!(r#"{{"type":"publish","event":"a","id":"{id}"}}"#);
    let long = "é".repeat(64);
    assert_eq!(publish(&id(&long)).id.as_deref(), Some(&*long));
    for text in [String::new(), "a".repeat(65)] {
        assert_eq!(bad(&id(&text)), "\"id\" must have 1 to 64 characters");
    }
}

#[test]
fn n2_recipients_are_at_most_a_hundred() {
    let frame = |count: usize| {
        let to = vec![r#""a""#; count].join(" , ");
        format!(r#"{{"type":"publish","event":"a","to":[ {to} ]}}"#)
    };
    assert_eq!(publish(&frame(100)).to.unwrap().len(), 100);
    assert_eq!(bad(&frame(101)), "\"to\" has more than 100 entries");
}

#[test]
fn m1_data_is_kept_as_text() {
    let data = r#"{"n":1.0,"big":9007199254740993,"s":"\u0041 b","e":1e400}"#;
    let frame = format!(r#"{{"type":"publish","event":"a","data":{data}}}"#);
    assert_eq!(publish(&frame).data.as_str(), data);
    let spaced = r#"{"type":"publish","event":"a","data": { "a b" : [ 1 , " x " ] } }"#;
    assert_eq!(publish(spaced).data.as_str(), r#"{"a b":[1," x "]}"#);
}

#[test]
fn m1_absent_data_is_null() {
    let expected = Publish {
        id: None,
        event: "a".into(),
        data: Json::NULL,
        ephemeral: false,
        to: None,
        echo: true,
        except: Vec::new(),
    };
    assert_eq!(publish(r#"{"type":"publish","event":"a"}"#), expected);
    let nulls = r#"{"type":"publish","event":"a","data":null,"id":null,"ephemeral":null,"to":null,"echo":null}"#;
    assert_eq!(publish(nulls), expected);
}

#[test]
fn m2_m3_flags_are_read() {
    let message = publish(r#"{"type":"publish","event":"a","ephemeral":true,"echo":false}"#);
    assert!(message.ephemeral && !message.echo);
}

#[test]
fn m3_recipients_are_connections_and_users() {
    let frame = r#"{"type":"publish","event":"a","ephemeral":false,"to":["2n9c","user:ana","user:\u00e9","A","","user:","02","12345678901"]}"#;
    let message = publish(frame);
    assert!(message.ephemeral, "private messages are ephemeral");
    let to = message.to.unwrap();
    assert_eq!(
        to,
        [
            Recipient::Connection(ConnectionId::parse("2n9c").unwrap()),
            Recipient::User("ana".into()),
            Recipient::User("é".into()),
        ]
    );
    let nobody = publish(r#"{"type":"publish","event":"a","to":[]}"#);
    assert_eq!(nobody.to, Some(Vec::new()));
}

#[test]
fn p1_a_state_is_set_or_patched() {
    let set = decode(r#"{"type":"state","state":null,"id":"s"}"#).unwrap();
    assert_eq!(set.id(), Some("s"));
    assert!(
        matches!(set, ClientMessage::State { change: StateChange::Set(state), .. } if state.is_null())
    );
    let set = decode(r#"{"type":"state","state":[ 1 ],"patch":null}"#).unwrap();
    assert!(
        matches!(set, ClientMessage::State { change: StateChange::Set(state), .. } if state.as_str() == "[1]")
    );
    let patch = decode(r#"{"type":"state","patch":{"a": 1,"b":null}}"#).unwrap();
    assert!(
        matches!(patch, ClientMessage::State { change: StateChange::Patch(patch), .. } if patch.as_json().as_str() == r#"{"a":1,"b":null}"#)
    );
}

#[test]
fn t5_auth_carries_the_token() {
    let auth = decode(r#"{"type":"auth","token":"a.b\u002ec"}"#).unwrap();
    assert_eq!(
        auth,
        ClientMessage::Auth {
            id: None,
            token: "a.b.c".into()
        }
    );
}

#[test]
fn r6_history_has_a_limit_of_100_unless_it_is_given() {
    let query = |fields: &str| decode_owned(&format!(r#"{{"type":"history"{fields}}}"#)).unwrap();
    let all = HistoryQuery {
        id: None,
        before: None,
        after: None,
        limit: 100,
    };
    assert_eq!(query(""), all);
    assert_eq!(query(r#","limit":null,"before":null,"after":null"#), all);
    assert_eq!(query(r#","limit":500"#).limit, 500);
    assert_eq!(query(r#","limit":501"#).limit, 500);
    assert_eq!(query(r#","limit":9007199254740991"#).limit, 500);
    let both = query(r#","id":"h1","before":9,"after":3,"limit":1"#);
    assert_eq!(
        both,
        HistoryQuery {
            id: Some("h1".into()),
            before: Some(9),
            after: Some(3),
            limit: 1
        }
    );
}
