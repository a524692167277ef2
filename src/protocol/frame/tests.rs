use crate::protocol::{ClientMessage, Error, ErrorCode, Publish, decode_frame};

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

fn refused(frame: &str) -> Error {
    match decode(frame) {
        Err(error) => error,
        Ok(message) => panic!("{frame} gave {message:?}"),
    }
}

/// The text of a `bad_message`.
fn bad(frame: &str) -> String {
    let error = refused(frame);
    assert_eq!(error.code, ErrorCode::BadMessage, "{frame}");
    error.message.into_owned()
}

#[test]
fn c1_an_array_holds_messages_in_order() {
    let frame = r#" [ {"type":"publish","event":"a"} , {"type":"publish","event":"b"} ] "#;
    let elements = decode_frame(frame).unwrap();
    let events: Vec<_> = elements
        .iter()
        .map(|element| match element.decode() {
            Ok(ClientMessage::Publish(publish)) => publish.event.into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(events, ["a", "b"]);
    assert_eq!(elements[0].text(), r#"{"type":"publish","event":"a"}"#);
}

#[test]
fn c1_an_empty_array_has_no_messages() {
    assert!(decode_frame(" [ ] ").unwrap().is_empty());
}

#[test]
fn c6_a_frame_is_an_object_or_an_array() {
    for frame in ["1", "\"publish\"", "null", " true "] {
        assert_eq!(
            bad(frame),
            "a frame must be a JSON object or an array of them"
        );
    }
}

#[test]
fn c6_a_bad_element_does_not_spoil_the_others() {
    let deep = "[".repeat(64) + &"]".repeat(64);
    let frame = format!(
        r#"[1,[],{{"type":"publish","event":"ok"}},{{"type":"publish"}},{{"type":"x","id":"i"}},{{"type":"publish","event":"e","data":{deep}}},{{"type":"publish","event":"\ud800"}},{{"type":"publish","event":"e","event":"e"}},{{"type":"publish","event":"ok"}}]"#
    );
    let elements = decode_frame(&frame).unwrap();
    let results: Vec<_> = elements
        .iter()
        .map(|element| element.decode().map_err(|error| error.code.as_str()).err())
        .collect();
    let bad = Some("bad_message");
    let unknown = Some("unknown_type");
    assert_eq!(results, [bad, bad, None, bad, unknown, bad, bad, bad, None]);
}

#[test]
fn c6_malformed_json_spoils_the_whole_frame() {
    let frame = r#"[{"type":"publish","event":"a"},{"type":"#;
    let error = decode_frame(frame).unwrap_err();
    assert_eq!(error.code, ErrorCode::BadMessage);
    assert_eq!(error.message, "not JSON at byte 40: expected a value");
    assert!(decode_frame(r#"{"type":"publish","event":"a"} x"#).is_err());
    assert!(decode_frame("").is_err());
}

#[test]
fn c6_a_hundred_elements_are_taken_and_no_more() {
    let element = r#"{"type":"publish","event":"a"}"#;
    let frame = |count: usize| format!("[{}]", vec![element; count].join(","));
    assert_eq!(decode_frame(&frame(100)).unwrap().len(), 100);
    let error = decode_frame(&frame(101)).unwrap_err();
    assert_eq!(error.code, ErrorCode::BadMessage);
    assert_eq!(error.message, "more than 100 messages at once");
}

#[test]
fn c6_nesting_counts_from_the_message() {
    let nested = |levels: usize| {
        let data = "[".repeat(levels) + &"]".repeat(levels);
        format!(r#"{{"type":"publish","event":"a","data":{data}}}"#)
    };
    assert!(decode(&nested(63)).is_ok());
    assert_eq!(bad(&nested(64)), "nested more than 64 levels deep");
    assert_eq!(bad(&nested(1_000_000)), "nested more than 64 levels deep");
    let in_array = format!("[{}]", nested(63));
    assert!(decode(&in_array).is_ok());
    let in_unknown_field = nested(64).replace("data", "other");
    assert_eq!(bad(&in_unknown_field), "nested more than 64 levels deep");
}

#[test]
fn c6_a_key_twice_in_the_envelope_is_refused() {
    for (frame, key) in [
        (r#"{"type":"publish","event":"a","event":"b"}"#, "event"),
        (r#"{"type":"publish","event":"a","\u0074ype":"x"}"#, "type"),
        (r#"{"type":"publish","event":"a","x":1,"x":1}"#, "x"),
        (r#"{"type":"nonsense","x":1,"\u0078":2}"#, "x"),
        (r#"{"type":"publish","event":"a","é":1,"\u00e9":1}"#, "é"),
    ] {
        assert_eq!(bad(frame), format!("duplicate key \"{key}\""));
    }
    let many: String = (0..40).map(|key| format!(r#""k{key}":1,"#)).collect();
    let frame = format!(r#"{{{many}"type":"publish","event":"a"}}"#);
    assert!(decode(&frame).is_ok());
    let frame = format!(r#"{{{many}"type":"publish","event":"a","k\u0037":1}}"#);
    assert_eq!(bad(&frame), "duplicate key \"k7\"");
    // Further in, keys are the sender's own affair.
    let data = r#"{"a":1,"a":2}"#;
    let frame = format!(r#"{{"type":"publish","event":"a","data":{data}}}"#);
    assert_eq!(publish(&frame).data.as_str(), data);
}

#[test]
fn c6_a_lone_surrogate_is_refused_wherever_it_is() {
    for frame in [
        r#"{"type":"publish","event":"a","data":"\ud800"}"#,
        r#"{"type":"publish","event":"a","data":{"x":["\udc00"]}}"#,
        r#"{"type":"publish","event":"a","data":{"\udbff":1}}"#,
        r#"{"type":"publish","event":"\ud83d"}"#,
        r#"{"type":"publish","event":"a","id":"\udead"}"#,
        r#"{"type":"publish","event":"a","to":["user:\udead"]}"#,
        r#"{"type":"publish","event":"a","\udc00":1}"#,
        r#"{"type":"nonsense","other":"\ud800x"}"#,
    ] {
        assert_eq!(
            bad(frame),
            "a string holds half a surrogate pair",
            "{frame}"
        );
    }
    let frame = r#"{"type":"publish","event":"a","data":"\ud83d\ude00"}"#;
    assert_eq!(publish(frame).data.as_str(), r#""\ud83d\ude00""#);
}

#[test]
fn c5_an_unknown_type_is_said_to_be_unknown() {
    let error = refused(r#"{"type":"subscribe","id":"s1","event":7}"#);
    assert_eq!(error.code, ErrorCode::UnknownType);
    assert_eq!(error.message, "unknown type \"subscribe\"");
    assert_eq!(error.id.as_deref(), Some("s1"));
    assert_eq!(refused(r#"{"type":"x","id":7}"#).id, None);
    assert_eq!(refused(r#"{"type":""}"#).code, ErrorCode::UnknownType);
    assert_eq!(
        refused(r#"{"type":"Publish"}"#).code,
        ErrorCode::UnknownType
    );
}

#[test]
fn c5_unknown_fields_are_ignored() {
    let frame = r#"{"type":"publish","event":"a","from":"me","user":[],"except":7,"room":1}"#;
    assert!(publish(frame).except.is_empty());
}

#[test]
fn e4_an_error_repeats_32_characters_at_most() {
    let long = "é".repeat(33);
    let error = refused(&format!(r#"{{"type":"{long}"}}"#));
    assert_eq!(
        error.message,
        format!("unknown type \"{}…\"", "é".repeat(32))
    );
    let message = bad(&format!(r#"{{"type":"publish","{long}":1,"{long}":1}}"#));
    assert_eq!(message, format!("duplicate key \"{}…\"", "é".repeat(32)));
    let exact = "é".repeat(32);
    let error = refused(&format!(r#"{{"type":"{exact}"}}"#));
    assert_eq!(error.message, format!("unknown type \"{exact}\""));
}

#[test]
fn e1_an_error_carries_the_id_of_its_message() {
    for frame in [
        r#"{"type":"publish","id":"m1"}"#,
        r#"{"id":"m1","type":"publish","event":"a","x":1,"x":1}"#,
        r#"{"type":"publish","event":"a","data":"\ud800","id":"m1"}"#,
        r#"{"type":"state","id":"m1"}"#,
        r#"{"id":"m1"}"#,
    ] {
        assert_eq!(refused(frame).id.as_deref(), Some("m1"), "{frame}");
    }
    assert_eq!(
        decode_frame(r#"[7,{"id":"m"},{"id":7},{}]"#).unwrap()[1]
            .id()
            .as_deref(),
        Some("m")
    );
}

#[test]
fn n8_an_element_is_as_long_as_its_bytes() {
    let frame = " [ {\"id\":\"é\" } ,1]";
    let lengths: Vec<_> = decode_frame(frame)
        .unwrap()
        .iter()
        .map(|e| e.len())
        .collect();
    assert_eq!(lengths, [12, 1]);
}
