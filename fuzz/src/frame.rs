//! A text frame (C1, C5, C6): decoded as [`model`] decodes it.

use roomful::protocol::{ClientMessage, Error, Json, Patch, Recipient, StateChange, decode_frame};
use serde_json::Value;

use crate::model::{self, Message};
use crate::text;

pub fn check(frame: &str) {
    let (elements, texts) = match (decode_frame(frame), model::frame(frame)) {
        (Ok(elements), Some(texts)) => (elements, texts),
        (Err(error), None) => return check_error(&error, "bad_message"),
        (ours, theirs) => panic!("{ours:?} against {theirs:?}"),
    };
    assert_eq!(elements.len(), texts.len());
    let mut state = Json::EMPTY_OBJECT;
    let mut merged: Option<(Json<'static>, Patch<'static>)> = None;
    for (element, text) in elements.iter().zip(texts) {
        assert_eq!((element.text(), element.len()), (text, text.len()));
        match (element.decode(), model::message(text)) {
            (Ok(message), Ok(expected)) => {
                assert_eq!(describe(&message), expected);
                if let ClientMessage::State { change, .. } = message {
                    merge(change, &mut state, &mut merged);
                }
            }
            (Err(error), Err(code)) => {
                check_error(&error, code);
                assert_eq!(error.id, element.id());
            }
            (ours, theirs) => panic!("{text}: {ours:?} against {theirs:?}"),
        }
    }
}

fn describe(message: &ClientMessage<'_>) -> Message {
    let owned = |id: &Option<Box<str>>| id.as_deref().map(str::to_owned);
    match message {
        ClientMessage::Publish(publish) => Message::Publish(describe_publish(publish)),
        ClientMessage::State {
            id,
            change: StateChange::Set(state),
        } => Message::Set {
            id: owned(id),
            state: state.as_str().to_owned(),
        },
        ClientMessage::State {
            id,
            change: StateChange::Patch(patch),
        } => Message::Patch {
            id: owned(id),
            patch: patch.as_json().as_str().to_owned(),
        },
        ClientMessage::Auth { id, token } => Message::Auth {
            id: owned(id),
            token: token.to_string(),
        },
        ClientMessage::History(query) => Message::History(model::History {
            id: owned(&query.id),
            before: query.before,
            after: query.after,
            limit: query.limit.into(),
        }),
    }
}

pub fn describe_publish(publish: &roomful::protocol::Publish<'_>) -> model::Publish {
    let recipient = |recipient: &Recipient| match recipient {
        Recipient::Connection(id) => id.to_string(),
        Recipient::User(user) => format!("user:{user}"),
    };
    model::Publish {
        id: publish.id.as_deref().map(str::to_owned),
        event: publish.event.clone().into_owned(),
        data: publish.data.as_str().to_owned(),
        ephemeral: publish.ephemeral,
        to: publish
            .to
            .as_ref()
            .map(|list| list.iter().map(recipient).collect()),
        echo: publish.echo,
        except: publish.except.iter().map(ToString::to_string).collect(),
    }
}

/// P1: patches one after the other do what they do merged (P2), and that is what a map would do.
fn merge(
    change: StateChange<'_>,
    state: &mut Json<'static>,
    merged: &mut Option<(Json<'static>, Patch<'static>)>,
) {
    let patch = match change {
        StateChange::Set(set) => {
            (*state, *merged) = (set.into_owned(), None);
            return;
        }
        StateChange::Patch(patch) => patch.into_owned(),
    };
    let mut expected = text::map(state.as_str()).unwrap_or_default();
    for (key, value) in text::map(patch.as_json().as_str()).expect("a patch is an object") {
        match value.as_str() {
            "null" => expected.remove(&key),
            _ => expected.insert(key, value),
        };
    }
    let next = patch.apply(state);
    assert_eq!(text::map(next.as_str()), Some(expected.clone()));
    let (first, all) = match merged.take() {
        None => (state.clone(), patch),
        Some((first, mut all)) => {
            all.merge(&patch);
            (first, all)
        }
    };
    assert_eq!(text::map(all.apply(&first).as_str()), Some(expected));
    (*state, *merged) = (next, Some((first, all)));
}

/// E1: an error is JSON in both of its forms, and repeats no more than a little of what was sent.
pub fn check_error(error: &Error, code: &str) {
    let frame: Value = serde_json::from_str(&error.to_frame()).expect("an error frame is JSON");
    let body: Value = serde_json::from_str(&error.to_http_body()).expect("an error body is JSON");
    assert_eq!(frame["code"], code, "{error}");
    assert_eq!(body["error"]["code"], code);
    assert_eq!(frame["message"], *error.message);
    assert_eq!(frame["id"].as_str(), error.id.as_deref());
    assert!(error.message.chars().count() <= 200, "{error}");
}
