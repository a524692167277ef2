//! The wire, byte for byte: `tests/fixtures/` says what a client may send and what it is told, and
//! the TypeScript client's tests read the same files.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use roomful::protocol::server::{self, MemberView, Message, Occupancy, Welcome};
use roomful::protocol::{ConnectionId, Error, ErrorCode, Json, decode_frame, reply};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct ClientCase {
    name: String,
    rule: String,
    frame: String,
    /// `ok` or an error code; a list of them for the elements of an array that could be read.
    expect: Value,
    /// The id in the error.
    id: Option<String>,
    /// The text of the error.
    message: Option<String>,
}

#[test]
fn c6_client_messages_are_taken_or_refused_as_the_fixtures_say() {
    let text = include_str!("fixtures/client-messages.json");
    let cases: Vec<ClientCase> = serde_json::from_str(text).unwrap();
    for case in cases {
        let about = format!("{} {}", case.rule, case.name);
        let outcomes = decode_frame(&case.frame).map(|elements| {
            let outcomes = elements.iter().map(|element| element.decode().err());
            outcomes.collect::<Vec<_>>()
        });
        let code = |error: &Option<Error>| match error {
            Some(error) => Value::from(error.code.as_str()),
            None => Value::from("ok"),
        };
        match (&case.expect, outcomes) {
            (Value::Array(_), Ok(errors)) => {
                let codes: Vec<_> = errors.iter().map(code).collect();
                assert_eq!(Value::from(codes), case.expect, "{about}");
            }
            (_, Ok(errors)) => {
                assert_eq!(errors.len(), 1, "{about}");
                check(&about, &case, &code(&errors[0]), errors[0].as_ref());
            }
            (_, Err(error)) => check(&about, &case, &error.code.as_str().into(), Some(&error)),
        }
    }
}

fn check(about: &str, case: &ClientCase, code: &Value, error: Option<&Error>) {
    assert_eq!(code, &case.expect, "{about}");
    let id = error.and_then(|error| error.id.as_deref());
    assert_eq!(id, case.id.as_deref(), "{about}");
    let message = error.map(|error| &*error.message);
    assert_eq!(message, case.message.as_deref(), "{about}");
}

#[derive(Deserialize)]
struct ServerCase {
    name: String,
    rule: String,
    r#type: String,
    input: Value,
    text: String,
}

#[test]
fn c2_server_messages_are_written_as_the_fixtures_say() {
    let text = include_str!("fixtures/server-messages.json");
    let cases: Vec<ServerCase> = serde_json::from_str(text).unwrap();
    for case in cases {
        let mut out = String::new();
        write(&mut out, &case.r#type, &case.input);
        assert_eq!(out, case.text, "{} {}", case.rule, case.name);
        assert!(Json::parse(&out).is_ok_and(|json| json.as_str() == out));
    }
}

fn write(out: &mut String, kind: &str, input: &Value) {
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let optional_text = |name: &str| input[name].as_str();
    let number = |name: &str| input[name].as_u64().unwrap();
    let optional = |name: &str| input[name].as_u64();
    let size = |name: &str| usize::try_from(number(name)).unwrap();
    let list = members(&input["members"]);
    match kind {
        "welcome" => {
            let can = strings(&input["can"]);
            let list = list.map(|list| {
                list.iter().fold(String::new(), |mut text, member| {
                    server::list_member(&mut text, member);
                    text
                })
            });
            server::welcome(
                out,
                &Welcome {
                    room: text("room"),
                    connection: connection(&input["connection"]).unwrap(),
                    session: optional_text("session"),
                    user: text("user"),
                    info: text("info"),
                    can: &can,
                    expires_in: optional("expires_in"),
                    epoch: text("epoch"),
                    offset: number("offset"),
                    recovered: input["recovered"].as_bool(),
                    members: list.as_deref(),
                    occupancy: occupancy(&input["occupancy"]),
                    ping: number("ping"),
                    message_bytes: size("message_bytes"),
                    state_bytes: size("state_bytes"),
                    rate_per_second: u32::try_from(number("rate_per_second")).unwrap(),
                },
            );
        }
        "message" => server::message(
            out,
            &Message {
                event: text("event"),
                data: &Json::parse(text("data")).unwrap(),
                from: connection(&input["from"]),
                user: text("user"),
                offset: optional("offset"),
                at: optional("at"),
                private: input["private"] == true,
            },
        ),
        "skip" => server::skip(out, number("offset")),
        "ack" => server::ack(out, text("id"), optional("offset")),
        "join" => server::join(out, &member(input)),
        "leave" => server::leave(out, connection(&input["connection"]).unwrap(), text("user")),
        "states" => server::states(out, states(&input["states"]), states(&input["patches"])),
        "members" => server::members(out, &list.unwrap()),
        "occupancy" => server::occupancy(out, occupancy(input).unwrap()),
        "auth" => server::auth(out, optional("expires_in"), &strings(&input["can"])),
        "history" => server::history(
            out,
            optional_text("id"),
            text("messages"),
            text("epoch"),
            input["more"] == true,
        ),
        "error" => out.push_str(&error(input).to_frame()),
        "http_error" => out.push_str(&error(input).to_http_body()),
        "published" => reply::published(out, optional("offset"), text("epoch")),
        "results" => reply::results(out, strings(&input["results"])),
        "presence" => reply::presence(
            out,
            list.as_deref(),
            occupancy(&input["occupancy"]).unwrap(),
        ),
        "room" => reply::room(
            out,
            &reply::RoomSummary {
                room: text("room"),
                epoch: text("epoch"),
                offset: number("offset"),
                occupancy: occupancy(&input["occupancy"]).unwrap(),
                messages: number("messages"),
                bytes: number("bytes"),
                first_offset: optional("first_offset"),
                created_at: optional("created_at"),
                awake_since: number("awake_since"),
            },
        ),
        "closed" => reply::closed(out, size("count")),
        other => panic!("no such message: {other}"),
    }
}

fn connection(value: &Value) -> Option<ConnectionId> {
    value.as_str().map(|id| ConnectionId::parse(id).unwrap())
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap()).collect()
}

fn occupancy(value: &Value) -> Option<Occupancy> {
    value.is_object().then(|| Occupancy {
        connections: usize::try_from(value["connections"].as_u64().unwrap()).unwrap(),
        users: usize::try_from(value["users"].as_u64().unwrap()).unwrap(),
    })
}

fn members(value: &Value) -> Option<Vec<MemberView<'_>>> {
    value
        .as_array()
        .map(|list| list.iter().map(member).collect())
}

fn member(value: &Value) -> MemberView<'_> {
    MemberView {
        connection: connection(&value["connection"]).unwrap(),
        user: value["user"].as_str().unwrap(),
        info: value["info"].as_str().unwrap(),
        state: value["state"].as_str().unwrap(),
        at: value["at"].as_u64().unwrap(),
    }
}

fn states(value: &Value) -> Vec<(ConnectionId, &str)> {
    let pairs = value.as_array().unwrap().iter();
    pairs
        .map(|pair| (connection(&pair[0]).unwrap(), pair[1].as_str().unwrap()))
        .collect()
}

fn error(input: &Value) -> Error {
    let mut error = Error::new(ErrorCode::parse(input["code"].as_str().unwrap()).unwrap());
    if let Some(message) = input["message"].as_str() {
        error = error.with_message(message.to_owned());
    }
    if let Some(id) = input["id"].as_str() {
        error = error.with_id(id);
    }
    if let Some(milliseconds) = input["retry_after"].as_u64() {
        error = error.with_retry_after(milliseconds);
    }
    error
}
