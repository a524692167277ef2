//! What a client believes about who is there, from what it was told (section 6 of the protocol).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::json;

/// The members that a client knows of.
#[derive(Default)]
pub struct View {
    /// User and state by connection; `None` if it has no list: in a crowd, or without the right.
    pub members: Option<BTreeMap<String, (String, Value)>>,
    /// The occupancy last told.
    pub occupancy: Value,
}

impl View {
    pub fn welcome(&mut self, message: &Value) {
        self.members = message.get("members").map(|_| listed(message));
        self.occupancy = message["occupancy"].clone();
    }

    /// Takes a message in, if it is about presence; `own` is the client's connection.
    pub fn take(&mut self, message: &Value, own: &str) -> bool {
        match message["type"].as_str().unwrap() {
            "join" => self.join(&message["member"], own),
            "leave" => {
                let view = self.members.as_mut().expect("no leave in a crowd");
                let left = view.remove(message["connection"].as_str().unwrap());
                let (user, _) = left.unwrap_or_else(|| panic!("left twice: {message}"));
                assert_eq!(user, message["user"].as_str().unwrap());
                assert_ne!(message["connection"], *own, "nobody is told of its own end");
            }
            "states" => self.states(message),
            "members" => self.members = Some(listed(message)),
            "occupancy" => {
                self.members = None;
                self.occupancy = json!({
                    "connections": message["connections"], "users": message["users"],
                });
            }
            _ => return false,
        }
        true
    }

    fn join(&mut self, member: &Value, own: &str) {
        let id = member["connection"].as_str().unwrap().to_owned();
        assert_ne!(id, own, "nobody is told of its own arrival");
        let view = self.members.as_mut().expect("no join in a crowd");
        let user = member["user"]["id"].as_str().unwrap().to_owned();
        let before = view.insert(id, (user, member["state"].clone()));
        assert!(before.is_none(), "joined twice: {member}");
    }

    fn states(&mut self, message: &Value) {
        let view = self.members.as_mut().expect("no states in a crowd");
        for (id, state) in message["states"].as_object().into_iter().flatten() {
            let entry = view.get_mut(id);
            entry
                .unwrap_or_else(|| panic!("state of a stranger {id}"))
                .1 = state.clone();
        }
        for (id, patch) in message["patches"].as_object().into_iter().flatten() {
            let entry = view.get_mut(id);
            merge(
                &mut entry
                    .unwrap_or_else(|| panic!("patch of a stranger {id}"))
                    .1,
                patch,
            );
        }
    }
}

/// P1.
pub fn merge(state: &mut Value, patch: &Value) {
    if !state.is_object() {
        *state = json!({});
    }
    let object = state.as_object_mut().unwrap();
    for (key, value) in patch.as_object().unwrap() {
        if value.is_null() {
            object.remove(key);
        } else {
            object.insert(key.clone(), value.clone());
        }
    }
}

/// The members of a message, by connection.
pub fn listed(message: &Value) -> BTreeMap<String, (String, Value)> {
    let members = message["members"].as_array().unwrap().iter();
    members
        .map(|member| {
            let id = member["connection"].as_str().unwrap().to_owned();
            let user = member["user"]["id"].as_str().unwrap().to_owned();
            (id, (user, member["state"].clone()))
        })
        .collect()
}
