//! Servers that speak to a room over HTTP: publishing with retries, removing, looking.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ledger::Ledger;
use super::watch::Watch;
use crate::world::{World, json};
use roomful::protocol::{Error, HistoryQuery, http};
use roomful::room::{Call, RequestId};

type Reply = Result<String, Error>;

/// What was asked for.
pub enum Asked {
    Publish { message: Value, lost: bool },
    Ban { user: String, until: u64 },
    History,
    Other,
}

impl Asked {
    /// The message that was to be published, and whether the room has taken it.
    pub fn published(&self, reply: &Reply) -> Option<(&Value, bool)> {
        let Asked::Publish { message, .. } = self else {
            return None;
        };
        let reply = reply.as_ref().ok();
        let result = reply.map(|reply| serde_json::from_str::<Value>(reply).expect("JSON"));
        let taken = result.is_some_and(|reply| reply["results"][0]["error"].is_null());
        Some((message, taken))
    }
}

#[derive(Default)]
pub struct Poster {
    waiting: BTreeMap<RequestId, Asked>,
    /// Messages with ids that were not answered.
    again: Vec<Value>,
    next: u64,
}

impl Poster {
    /// What is published next: what was not answered before is tried again.
    pub fn next(&mut self, room: &str, form: u64, except: &str) -> Value {
        let again = self.again.pop();
        again.unwrap_or_else(|| self.message(room, form, except))
    }

    pub fn post(&mut self, world: &mut World, message: Value, lost: bool) {
        let text = message.to_string();
        let call = Call::Publish(vec![http::decode_publish(&text)]);
        let request = world.request("srv", &["publish"], call);
        self.waiting
            .insert(request, Asked::Publish { message, lost });
    }

    fn message(&mut self, room: &str, form: u64, except: &str) -> Value {
        self.next += 1;
        let mut data = json!({"room": room, "http": self.next});
        let mut message = json!({"event": "http"});
        if form < 5 {
            let id = format!("h{}", self.next);
            message["id"] = json!(id);
            data["id"] = json!(id);
        }
        if form.is_multiple_of(2) && !except.is_empty() {
            message["except"] = json!([except]);
            data["except"] = json!([except]);
        }
        if form == 7 || form == 8 {
            (data["ephemeral"], message["ephemeral"]) = (json!(true), json!(true));
        }
        if form > 8 {
            let to = json!([format!("user:u{}", self.next % 6)]);
            (data["to"], message["to"]) = (to.clone(), to);
        }
        message["data"] = data;
        message
    }

    pub fn look(&mut self, world: &mut World) {
        for (call, asked) in [
            (Call::Presence, Asked::Other),
            (
                Call::History(HistoryQuery::from_query("limit=20").unwrap()),
                Asked::History,
            ),
        ] {
            let request = world.request("srv", &["admin"], call);
            self.waiting.insert(request, asked);
        }
    }

    pub fn kick(&mut self, world: &mut World, watch: &mut Watch, user: &str, ban: Option<u64>) {
        let mut body = json!({"user": user});
        let mut asked = Asked::Other;
        if let Some(seconds) = ban {
            body["ban_seconds"] = json!(seconds);
            watch.bans.asked(user);
            asked = Asked::Ban {
                user: user.to_owned(),
                until: match seconds {
                    0 => 0,
                    _ => world.now + seconds * 1_000,
                },
            };
        }
        watch.kicked(user, world.now);
        let disconnect = http::decode_disconnect(&body.to_string()).expect("it is well-formed");
        let request = world.request("srv", &["admin"], Call::Disconnect(disconnect));
        self.waiting.insert(request, asked);
    }

    pub fn delete(&mut self, world: &mut World) {
        let life = world.next_life();
        let request = world.request("srv", &["admin"], Call::Delete(life));
        self.waiting.insert(request, Asked::Other);
        if world.store.meta.is_none() {
            let open = world.clients.iter().any(|end| end.link.is_some());
            assert!(!open, "H5: everyone is closed");
        }
    }

    /// Whoever waits for an answer gets none.
    pub fn crashed(&mut self) {
        for asked in std::mem::take(&mut self.waiting).into_values() {
            self.unanswered(asked);
        }
    }

    fn unanswered(&mut self, asked: Asked) {
        if let Asked::Publish { message, .. } = asked
            && message["id"].is_string()
        {
            self.again.push(message);
        }
    }

    /// What has been answered.
    pub fn answered(&mut self, world: &mut World) -> Vec<(Asked, Reply)> {
        let replies = std::mem::take(&mut world.replies).into_iter();
        replies
            .filter_map(|(request, reply)| Some((self.waiting.remove(&request)?, reply)))
            .collect()
    }

    /// Takes an answer in.
    pub fn take(&mut self, asked: Asked, reply: Reply, ledger: &mut Ledger, watch: &mut Watch) {
        let Ok(reply) = reply else {
            return self.unanswered(asked);
        };
        let reply: Value = serde_json::from_str(&reply).expect("a reply is JSON");
        match asked {
            Asked::Publish { message, lost } => {
                let result = &reply["results"][0];
                if let (Some(id), Some(offset)) =
                    (message["id"].as_str(), result["offset"].as_u64())
                {
                    ledger.acked(result["epoch"].as_str().unwrap(), id, offset);
                }
                if lost || result["error"]["retryable"] == true {
                    self.unanswered(Asked::Publish { message, lost });
                }
            }
            Asked::Ban { user, until } => {
                // The last one that was asked for is what holds.
                let last = |other: &Asked| !matches!(other, Asked::Ban { user: same, .. } if *same == user);
                if self.waiting.values().all(last) {
                    watch.bans.answered(&user, until);
                }
            }
            Asked::History => {
                let epoch = reply["epoch"].as_str().unwrap();
                for message in reply["messages"].as_array().unwrap() {
                    ledger.told(epoch, message["offset"].as_u64().unwrap(), message);
                }
            }
            Asked::Other => {}
        }
    }
}
