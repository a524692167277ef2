use proptest::prelude::*;

use crate::protocol::{
    ClientMessage, ConnectionId, Error, ErrorCode, HistoryQuery, Json, Patch, Publish, Recipient,
    StateChange, decode_frame, write_string,
};

fn decode(frame: &str) -> Result<ClientMessage<'_>, Error> {
    let elements = decode_frame(frame)?;
    assert_eq!(elements.len(), 1, "{frame}");
    elements[0].decode()
}

/// A message as a client could have written it.
fn encode(message: &ClientMessage<'_>) -> String {
    let mut out = String::from("{\"type\":");
    let string = |out: &mut String, key: &str, text: &str| {
        out.push_str(key);
        write_string(out, text);
    };
    match message {
        ClientMessage::Publish(publish) => {
            string(&mut out, "\"publish\",\"event\":", &publish.event);
            out += &format!(
                ",\"data\":{},\"ephemeral\":{},\"echo\":{}",
                publish.data, publish.ephemeral, publish.echo
            );
            for (place, recipient) in publish.to.iter().flatten().enumerate() {
                out.push_str(if place == 0 { ",\"to\":[" } else { "," });
                match recipient {
                    Recipient::Connection(id) => string(&mut out, "", &id.to_string()),
                    Recipient::User(user) => string(&mut out, "", &format!("user:{user}")),
                }
            }
            match publish.to.as_deref() {
                None => {}
                Some([]) => out.push_str(",\"to\":[]"),
                Some(_) => out.push(']'),
            }
        }
        ClientMessage::State {
            change: StateChange::Set(state),
            ..
        } => {
            out += &format!("\"state\",\"state\":{state}");
        }
        ClientMessage::State {
            change: StateChange::Patch(patch),
            ..
        } => {
            out += &format!("\"state\",\"patch\":{}", patch.as_json());
        }
        ClientMessage::Auth { token, .. } => string(&mut out, "\"auth\",\"token\":", token),
        ClientMessage::History(query) => {
            out += &format!("\"history\",\"limit\":{}", query.limit);
            for (key, offset) in [("before", query.before), ("after", query.after)] {
                if let Some(offset) = offset {
                    out += &format!(",\"{key}\":{offset}");
                }
            }
        }
    }
    if let Some(id) = message.id() {
        string(&mut out, ",\"id\":", id);
    }
    out.push('}');
    out
}

fn json() -> impl Strategy<Value = Json<'static>> {
    let texts = [
        "null",
        "1.0",
        "[]",
        "{}",
        r#"{"a":[1,{"b":null}],"\u0061":"x"}"#,
        r#""\ud83d\ude00 ""#,
    ];
    prop_oneof![
        prop::sample::select(texts.to_vec()).prop_map(|text| Json::parse(text).unwrap()),
        any::<String>().prop_map(|text| {
            let mut out = String::new();
            write_string(&mut out, &text);
            Json::parse(&out).unwrap().into_owned()
        }),
    ]
}

fn message() -> impl Strategy<Value = ClientMessage<'static>> {
    let id = || prop::option::of("\\PC{1,64}".prop_map(Box::<str>::from));
    let offset = || prop::option::of(0..=9_007_199_254_740_991_u64);
    let recipient = prop_oneof![
        (0..3_656_158_440_062_976_u64)
            .prop_map(|number| Recipient::Connection(ConnectionId::new(number).unwrap())),
        "\\PC{1,128}".prop_map(|user| Recipient::User(user.into())),
    ];
    let to = prop::option::of(prop::collection::vec(recipient, 0..4));
    let publish = (
        id(),
        "\\PC{1,128}",
        json(),
        any::<bool>(),
        to,
        any::<bool>(),
    )
        .prop_filter("reserved", |fields| !fields.1.starts_with("roomful:"))
        .prop_map(|(id, event, data, ephemeral, to, echo)| {
            ClientMessage::Publish(Publish {
                id,
                event: event.into(),
                data,
                ephemeral: ephemeral || to.is_some(),
                to,
                echo,
                except: Vec::new(),
            })
        });
    let patch = prop::collection::btree_map("[a-c\"\\\\ é]{0,3}", json(), 0..4).prop_map(|map| {
        let mut text = String::new();
        for (key, value) in map {
            text.push_str(if text.is_empty() { "{" } else { "," });
            write_string(&mut text, &key);
            text += &format!(":{value}");
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        StateChange::Patch(
            Patch::parse(Json::parse(&text).unwrap())
                .unwrap()
                .into_owned(),
        )
    });
    let change = prop_oneof![json().prop_map(StateChange::Set), patch];
    prop_oneof![
        publish,
        (id(), change).prop_map(|(id, change)| ClientMessage::State { id, change }),
        (id(), any::<String>()).prop_map(|(id, token)| ClientMessage::Auth {
            id,
            token: token.into()
        }),
        (id(), offset(), offset(), 1..=500_u32).prop_map(|(id, before, after, limit)| {
            ClientMessage::History(HistoryQuery {
                id,
                before,
                after,
                limit,
            })
        }),
    ]
}

/// A frame made of the words of the protocol, in any order.
fn nearly_frame() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"type\":",
        "\"publish\"",
        "\"state\"",
        "\"history\"",
        "\"auth\"",
        "\"event\":",
        "\"data\":",
        "\"id\":",
        "\"to\":",
        "\"patch\":",
        "\"token\":",
        "\"before\":",
        "\"limit\":",
        "\"echo\":",
        "\"a\"",
        "\"user:x\"",
        "1",
        "-1",
        "true",
        "null",
        "{\"type\":\"publish\",\"event\":\"e\"",
        "{\"type\":\"state\",\"state\":",
        "\"\\ud800\"",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..24)
        .prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn c1_what_is_written_is_read(message in message()) {
        let frame = encode(&message);
        prop_assert_eq!(decode(&frame), Ok(message), "{}", frame);
    }

    #[test]
    fn c6_any_text_gives_an_answer(text in any::<String>()) {
        for element in decode_frame(&text).unwrap_or_default() {
            let _ = (element.decode(), element.id());
        }
    }

    #[test]
    fn c6_what_is_accepted_can_be_written_again(frame in nearly_frame()) {
        for element in decode_frame(&frame).unwrap_or_default() {
            match element.decode() {
                Ok(message) => {
                    let again = encode(&message);
                    prop_assert_eq!(decode(&again), Ok(message.clone()), "{}", frame);
                }
                Err(error) => prop_assert!(matches!(
                    error.code,
                    ErrorCode::BadMessage | ErrorCode::UnknownType
                )),
            }
        }
    }
}
