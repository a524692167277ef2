//! What HTTP requests carry (H1 to H4, N1): each reader gets the same text.

use roomful::protocol::http::{self, Target};
use roomful::protocol::{HistoryQuery, MAX_INTEGER, names};

use crate::frame::{check_error, describe_publish};
use crate::model;

pub fn check(text: &str) {
    publish(text);
    batch(text);
    disconnect(text);
    passed_on(text);
    match HistoryQuery::from_query(text) {
        Ok(query) => {
            assert!((1..=500).contains(&query.limit) && query.id.is_none());
            assert!(query.before.max(query.after) <= Some(MAX_INTEGER));
        }
        Err(error) => check_error(&error, "bad_message"),
    }
    match names::room_name(text) {
        Ok(name) => assert!(names::is_room_name(&name) && name.len() <= text.len()),
        Err(error) => check_error(&error, "invalid_room"),
    }
    let reason = http::close_reason(text);
    assert!(text.starts_with(reason) && reason.len() <= http::MAX_REASON);
    assert!(reason == text || reason.len() > http::MAX_REASON - 4);
}

fn publish(body: &str) {
    match (http::decode_publish(body), model::publish(body)) {
        (Ok(publish), Ok(expected)) => assert_eq!(describe_publish(&publish), expected),
        (Err(error), Err(code)) => check_error(&error, code),
        (ours, theirs) => panic!("{ours:?} against {theirs:?}"),
    }
}

fn batch(body: &str) {
    let (entries, expected) = match (http::decode_batch(body), model::batch(body)) {
        (Ok(entries), Ok(expected)) => (entries, expected),
        (Err(error), Err(code)) => return check_error(&error, code),
        (ours, theirs) => panic!("{ours:?} against {theirs:?}"),
    };
    assert_eq!(entries.len(), expected.len());
    let mut good = Vec::new();
    for (entry, (text, room)) in entries.iter().zip(expected) {
        assert_eq!(entry.text, text);
        match (&entry.room, room) {
            (Ok(name), Ok(expected)) => assert_eq!(*name, expected),
            (Err(error), Err(code)) => check_error(error, code),
            (ours, theirs) => panic!("{text}: {ours:?} against {theirs:?}"),
        }
        match (&entry.publish, model::publish(text)) {
            (Ok(publish), Ok(expected)) => {
                assert_eq!(describe_publish(publish), expected);
                good.push(entry);
            }
            (Err(error), Err(code)) => check_error(error, code),
            (ours, theirs) => panic!("{text}: {ours:?} against {theirs:?}"),
        }
    }
    // What the Worker passes on to a room is what it has checked.
    let texts: Vec<&str> = good.iter().map(|entry| entry.text).collect();
    let body = format!("[{}]", texts.join(","));
    let passed_on = http::decode_messages(&body).expect("what was read once can be read again");
    assert_eq!(passed_on.len(), good.len());
    for (again, entry) in passed_on.iter().zip(good) {
        assert_eq!(again, &entry.publish);
    }
}

/// The room believes the Worker that it gets an array, so whatever follows one is not looked at.
fn passed_on(text: &str) {
    match (http::decode_messages(text), crate::text::elements(text)) {
        (Ok(messages), Some(elements)) => {
            assert_eq!(messages.len(), elements.len());
            for (message, text) in messages.iter().zip(elements) {
                assert_eq!(message.is_ok(), model::publish(text).is_ok());
            }
        }
        (Err(error), theirs) => {
            check_error(&error, "bad_message");
            let starts_with_it = text.starts_with('[');
            assert!(theirs.is_none_or(|list| !starts_with_it || list.len() > 100));
        }
        (Ok(_), None) => {}
    }
}

fn disconnect(body: &str) {
    let (disconnect, expected) = match (http::decode_disconnect(body), model::disconnect(body)) {
        (Ok(disconnect), Ok(expected)) => (disconnect, expected),
        (Err(error), Err(code)) => return check_error(&error, code),
        (ours, theirs) => panic!("{ours:?} against {theirs:?}"),
    };
    let (user, connection) = match &disconnect.target {
        Target::User(user) => (Some(user.to_string()), None),
        Target::Connection(id) => (None, Some(id.to_string())),
        Target::Nobody => (None, None),
    };
    let ours = model::Disconnect {
        user,
        connection,
        ban_seconds: disconnect.ban_seconds,
        reason: disconnect.reason.as_deref().map(str::to_owned),
    };
    assert_eq!(ours, expected);
}
