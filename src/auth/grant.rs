//! What the room learns about a bearer.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::Json;

use super::base64url;
use super::object::Object;
use super::rights::Rights;

/// What one user may do in one room: what the Worker hands to the room's object
/// once it has verified a token. Made by [`Claims::grant`](super::Claims::grant).
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The user's id (N3).
    pub user: Box<str>,
    /// A JSON object of at most 2,048 bytes, `{}` if there is none.
    pub info: Json<'static>,
    /// What the user may do.
    pub can: Rights,
    /// When the token ends, in milliseconds since the epoch, without leeway;
    /// `None` for an anonymous user.
    pub expires_at: Option<u64>,
}

#[derive(Serialize)]
struct Wire<'a> {
    user: &'a str,
    info: &'a RawValue,
    can: Rights,
    expires_at: Option<u64>,
}

impl Grant {
    /// The grant as a text that fits a header: base64url of JSON, at most about
    /// 4 KB.
    pub fn encode(&self) -> String {
        base64url::encode(self.to_json().as_bytes())
    }

    /// The grant that [`encode`](Grant::encode) wrote, `None` for anything else.
    ///
    /// It is taken at its word: only the Worker can reach the room's object.
    pub fn decode(text: &str) -> Option<Grant> {
        let json = base64url::decode(text)?;
        let object = Object::parse(str::from_utf8(&json).ok()?)?;
        Some(Grant {
            user: object.string("user").ok()??.into(),
            info: Json::parse(object.text("info")?).ok()?.into_owned(),
            can: Rights::from_names(object.get::<Vec<String>>("can").ok()??),
            expires_at: object.get("expires_at").ok()??,
        })
    }

    fn to_json(&self) -> String {
        let info = RawValue::from_string(self.info.as_str().to_owned()).unwrap_or_default();
        let wire = Wire {
            user: &self.user,
            info: &info,
            can: self.can,
            expires_at: self.expires_at,
        };
        serde_json::to_string(&wire).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn t4_a_grant_keeps_its_form() {
        let grant = Grant {
            user: "ana".into(),
            info: Json::parse(r#"{"a":1.0}"#).expect("JSON"),
            can: Rights::SUBSCRIBE,
            expires_at: None,
        };
        let json = r#"{"user":"ana","info":{"a":1.0},"can":["subscribe"],"expires_at":null}"#;
        assert_eq!(grant.encode(), base64url::encode(json.as_bytes()));
        assert_eq!(Grant::decode(&grant.encode()), Some(grant));
    }

    #[test]
    fn t4_what_is_no_grant_is_none() {
        let texts = [
            "",
            "null",
            "{}",
            r#"{"user":"ana"}"#,
            r#"{"user":"ana","info":{},"can":["admin"]}"#,
            r#"{"user":"ana","info":{},"can":"admin","expires_at":1}"#,
            r#"{"user":"ana","info":{},"can":[],"expires_at":"never"}"#,
        ];
        for text in texts {
            assert_eq!(
                Grant::decode(&base64url::encode(text.as_bytes())),
                None,
                "{text}"
            );
            assert_eq!(Grant::decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn t4_every_grant_arrives_as_it_was_sent(
            user in "\\PC{1,128}",
            name in "[ -~&&[^\"\\\\]]{0,20}",
            bits in 0_u8..32,
            expires_at in prop::option::of(any::<u64>()),
        ) {
            let info = format!(r#"{{"name":"{name}"}}"#);
            let grant = Grant {
                user: user.into(),
                info: Json::parse(&info).expect("JSON").into_owned(),
                can: Rights::from_bits(bits),
                expires_at,
            };
            let text = grant.encode();
            prop_assert!(text.is_ascii());
            prop_assert_eq!(Grant::decode(&text), Some(grant));
        }

        #[test]
        fn t4_arbitrary_text_is_no_grant(text in ".{0,60}") {
            prop_assert_eq!(Grant::decode(&text), None);
        }
    }
}
