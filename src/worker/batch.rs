//! Publishing over HTTP (H1, H2): one message to one room, or many to many.

use futures::future::join_all;
use serde::Deserialize;
use serde_json::value::RawValue;
use worker::{Env, Response};

use super::call::{Ask, Call};
use super::config::Config;
use super::gate::internal;
use super::{reply, rooms};
use crate::auth::{Claims, Rights};
use crate::map::Map;
use crate::protocol::http::{self, BatchEntry};
use crate::protocol::{Error, ErrorCode, Limits};

/// What a room answers: an outcome for each message, in order.
#[derive(Deserialize)]
struct Outcomes<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

/// N4 holds for each message.
pub fn check_size(text: &str, limits: &Limits) -> Result<(), Error> {
    if text.len() > limits.message_bytes {
        Err(Error::new(ErrorCode::MessageTooLarge))
    } else {
        Ok(())
    }
}

/// The outcome of a single message: its own response (H1).
pub async fn single(response: Response) -> Result<Response, Error> {
    let text = rooms::text(response).await?;
    let outcomes: Outcomes<'_> =
        serde_json::from_str(&text).map_err(|_| Error::new(ErrorCode::Internal))?;
    let outcome = outcomes
        .results
        .first()
        .ok_or_else(|| Error::new(ErrorCode::Internal))?
        .get();
    match reply::read_error(outcome) {
        Some(error) => Err(error),
        None => reply::json(outcome.to_owned()).map_err(internal),
    }
}

/// Publishes to all the rooms at once, and gives the outcomes in the order of the messages (H2).
pub async fn publish(
    body: &str,
    claims: &Claims,
    config: &Config,
    env: &Env,
) -> Result<Response, Error> {
    let entries = http::decode_batch(body)?;
    let mut outcomes: Vec<String> = vec![String::new(); entries.len()];
    let mut rooms: Map<String, Vec<(usize, &str)>> = Map::default();
    for (place, (entry, outcome)) in entries.iter().zip(&mut outcomes).enumerate() {
        match check(entry, claims, &config.limits) {
            Ok(room) => rooms
                .entry(room.to_owned())
                .or_default()
                .push((place, entry.text)),
            Err(error) => *outcome = error.to_http_body(),
        }
    }
    let calls = rooms
        .iter()
        .map(|(room, messages)| publish_to(room, messages, claims, config, env));
    for (messages, results) in rooms.values().zip(join_all(calls).await) {
        let mut results = results.into_iter();
        for (place, _) in messages {
            if let Some(outcome) = outcomes.get_mut(*place) {
                *outcome = results
                    .next()
                    .unwrap_or_else(|| Error::new(ErrorCode::Internal).to_http_body());
            }
        }
    }
    reply::json(format!("{{\"results\":[{}]}}", outcomes.join(","))).map_err(internal)
}

fn check<'a>(
    entry: &'a BatchEntry<'_>,
    claims: &Claims,
    limits: &Limits,
) -> Result<&'a str, Error> {
    let room = entry.room.as_ref().map_err(Clone::clone)?;
    claims.grant(room)?.can.require(Rights::PUBLISH)?;
    check_size(entry.text, limits)?;
    entry.publish.as_ref().map_err(Clone::clone)?;
    Ok(room)
}

/// The outcomes of one room's messages. A room that cannot be asked fails its own messages only.
async fn publish_to(
    room: &str,
    messages: &[(usize, &str)],
    claims: &Claims,
    config: &Config,
    env: &Env,
) -> Vec<String> {
    match ask(room, messages, claims, config, env).await {
        Ok(outcomes) => outcomes,
        Err(error) => vec![error.to_http_body(); messages.len()],
    }
}

async fn ask(
    room: &str,
    messages: &[(usize, &str)],
    claims: &Claims,
    config: &Config,
    env: &Env,
) -> Result<Vec<String>, Error> {
    let grant = claims.grant(room)?.encode();
    let texts: Vec<&str> = messages.iter().map(|(_, text)| *text).collect();
    let call = Call {
        room: room.to_owned(),
        grant,
        ask: Ask::Publish,
    };
    let response = rooms::call(&call, &format!("[{}]", texts.join(",")), config, env).await?;
    let text = rooms::text(response).await?;
    let outcomes: Outcomes<'_> =
        serde_json::from_str(&text).map_err(|_| Error::new(ErrorCode::Internal))?;
    Ok(outcomes
        .results
        .iter()
        .map(|outcome| outcome.get().to_owned())
        .collect())
}
