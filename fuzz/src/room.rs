//! A course of events: a room with sockets, streams, requests, storage that fails, evictions and
//! restarts, as the bytes of an input say.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use roomful::auth::{Grant, Rights};
use roomful::protocol::{Error, ErrorCode, HistoryQuery, Json, http};
use roomful::room::{Call, Connect, Input, Kind, Link, RequestId};

use crate::world::{CLIENTS, End, World};

/// No input does more, so that each takes some milliseconds at most.
const EVENTS: usize = 400;

pub fn check(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let mut world = World::new(bytes.arbitrary().unwrap_or(0));
    for _ in 0..EVENTS {
        if bytes.is_empty() || world.event(&mut bytes).is_err() {
            break;
        }
    }
    world.quiet();
}

impl World {
    fn event(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.int_in_range(0..=15_u8)? {
            0 | 1 => self.connect(bytes)?,
            2..=5 => {
                if let Some(link) = self.some_link(bytes)? {
                    let text = frame(bytes)?;
                    self.frame(link, &text);
                }
            }
            6 => {
                if let Some(link) = self.some_link(bytes)? {
                    let code = *bytes.choose(&[1000, 1001, 1006, 1005, 4102, 4500])?;
                    self.drop_end(link, code);
                }
            }
            7 | 8 => self.pass(*bytes.choose(&[1, 10, 50, 300, 2_000, 11_000, 120_000])?),
            9 => self.evict(),
            10 => self.request(bytes)?,
            11 => match bytes.int_in_range(0..=4_u8)? {
                0 => self.restart(),
                1 => self.now = self.now.saturating_sub(bytes.arbitrary::<u16>()?.into()),
                2 => self.store.faults.0 = Some(bytes.arbitrary::<u8>()? % 8),
                3 => self.store.faults.0 = None,
                _ => self.store.size = u64::MAX - self.store.size,
            },
            12 => self.renewed(bytes)?,
            13 => {
                if let Some(link) = self.some_link(bytes)? {
                    let now = self.now;
                    self.ends
                        .entry(link)
                        .and_modify(|end| end.pinged_at = Some(now));
                }
            }
            14 => {
                if let Some(link) = self.some_link(bytes)? {
                    match bytes.int_in_range(0..=2_u8)? {
                        0 => {
                            let unread = bytes.arbitrary()?;
                            self.handle(Input::Slow { link, unread });
                        }
                        1 => self.handle(Input::BinaryFrame { link }),
                        _ => self.handle(Input::OversizedFrame { link }),
                    }
                }
            }
            _ => {
                if let Some(link) = self.some_link(bytes)? {
                    // Any bytes at all: the frame target knows more of those.
                    let length = bytes.int_in_range(0..=64_usize)?.min(bytes.len());
                    let text = String::from_utf8_lossy(bytes.bytes(length)?).into_owned();
                    self.frame(link, &text);
                }
            }
        }
        Ok(())
    }

    fn some_link(&self, bytes: &mut Unstructured<'_>) -> Result<Option<Link>> {
        if self.ends.is_empty() {
            return Ok(None);
        }
        let place = bytes.choose_index(self.ends.len())?;
        Ok(self.ends.keys().nth(place).copied())
    }

    fn grant(&self, bytes: &mut Unstructured<'_>) -> Result<(Grant, &'static str)> {
        let user = *bytes.choose(&["ana", "bob", "cy"])?;
        let can = match bytes.int_in_range(0..=7_u8)? {
            0..=3 => Rights::DEFAULT,
            4 => Rights::ALL,
            _ => Rights::from_bits(bytes.arbitrary()?),
        };
        let ends = bytes.int_in_range(0..=4_u8)? == 0;
        let grant = Grant {
            user: user.into(),
            info: Json::trusted(r#"{"name":"A"}"#.to_owned()),
            can,
            expires_at: ends.then(|| self.now + 20_000),
        };
        Ok((grant, user))
    }

    fn connect(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        if self.ends.len() >= CLIENTS || !self.wake() {
            return Ok(());
        }
        let (mut grant, mut user) = self.grant(bytes)?;
        let kind = match bytes.int_in_range(0..=7_u8)? {
            0 => Kind::PlainSocket,
            1 => Kind::Stream { presence: true },
            2 => Kind::Stream { presence: false },
            _ => Kind::Socket,
        };
        let (mut epoch, mut offset, mut session) = (None, None, None);
        let back = match self.gone.len() {
            0 => None,
            many => self.gone.get(bytes.int_in_range(0..=many)?),
        };
        if let Some((who, old_epoch, seen, secret)) = back {
            (user, grant.user) = (*who, (*who).into());
            epoch = Some(old_epoch.clone());
            offset = Some(match bytes.int_in_range(0..=7_u8)? {
                0 => "x".to_owned(),
                1 => (seen + 1).to_string(),
                _ => seen.to_string(),
            });
            session = (!kind.is_stream()).then(|| secret.clone());
        }
        let link = Link(self.links);
        self.links += 1;
        let end = End {
            kind,
            user,
            attachment: None,
            offset: None,
            asked: offset.as_deref().and_then(|offset| offset.parse().ok()),
            pinged_at: None,
        };
        self.ends.insert(link, end);
        self.handle(Input::Connect(Connect {
            link,
            kind,
            grant,
            epoch,
            offset,
            session,
        }));
        Ok(())
    }

    fn frame(&mut self, link: Link, text: &str) {
        if self.ends[&link].kind.is_stream() {
            return;
        }
        if let Some(link) = self.wake_for(link) {
            self.handle(Input::Frame { link, text });
        }
    }

    fn renewed(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let Some((link, id, nth)) = self.verifying.pop() else {
            return Ok(());
        };
        let (grant, _) = self.grant(bytes)?;
        // Whoever stops to subscribe sees a gap, so nobody does.
        let grant = Grant {
            can: Rights::from_bits(grant.can.bits() | Rights::SUBSCRIBE.bits()),
            ..grant
        };
        let refused = || Error::new(ErrorCode::InvalidToken);
        let grant = match bytes.int_in_range(0..=3_u8)? {
            0 => Err(refused()),
            _ if self.ends.get(&link).is_none_or(|end| end.offset.is_none()) => Err(refused()),
            _ => Ok(grant),
        };
        self.handle(Input::Renewed {
            link,
            id,
            nth,
            grant,
        });
        Ok(())
    }

    fn request(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        if !self.wake() {
            return Ok(());
        }
        let (grant, user) = self.grant(bytes)?;
        let body;
        let call = match bytes.int_in_range(0..=7_u8)? {
            0 => Call::Presence,
            1 => Call::Summary,
            2 => {
                let query = format!("after={}&limit=3", bytes.int_in_range(0..=20_u8)?);
                Call::History(HistoryQuery::from_query(&query).expect("a query"))
            }
            3 => {
                let ban = bytes.int_in_range(0..=2_u8)?;
                let text = format!(r#"{{"user":"{user}","ban_seconds":{ban}}}"#);
                Call::Disconnect(http::decode_disconnect(&text).expect("a body"))
            }
            4 if bytes.int_in_range(0..=3_u8)? == 0 => Call::Delete(self.fresh()),
            _ => {
                let id = bytes.int_in_range(0..=4_u8)?;
                let except = self.store.members.keys().next();
                let except = except.map_or(String::new(), ToString::to_string);
                body = format!(
                    r#"[{{"event":"h","id":"{id}","except":["{except}"]}},{{"event":"roomful:"}}]"#
                );
                Call::Publish(http::decode_messages(&body).expect("a body"))
            }
        };
        let request = RequestId(self.requests);
        self.requests += 1;
        self.handle(Input::Request {
            request,
            grant,
            call,
        });
        Ok(())
    }

    /// In the end storage works, everything is sent, and all who listen have seen the newest message.
    fn quiet(&mut self) {
        self.store.faults.0 = None;
        if !self.wake() {
            panic!("storage works");
        }
        self.pass(3_000);
        for (link, end) in &self.ends {
            let known = self.room.as_ref().is_some_and(|room| room.knows(*link));
            if let Some(offset) = end.offset.filter(|_| known) {
                assert_eq!(
                    offset,
                    self.store.newest_offset(),
                    "{link:?} lacks messages"
                );
            }
        }
    }
}

/// Something that a client may say.
fn frame(bytes: &mut Unstructured<'_>) -> Result<String> {
    let id = bytes.int_in_range(0..=5_u8)?;
    Ok(match bytes.int_in_range(0..=15_u8)? {
        0..=3 => format!(r#"{{"type":"publish","event":"a","data":{id},"id":"{id}"}}"#),
        4 => r#"{"type":"publish","event":"a","ephemeral":true}"#.to_owned(),
        5 => r#"{"type":"publish","event":"a","echo":false}"#.to_owned(),
        6 => format!(r#"{{"type":"publish","event":"a","to":["user:ana","{id}"],"id":"{id}"}}"#),
        7 | 8 => format!(r#"{{"type":"state","state":{{"x":{id}}}}}"#),
        9 | 10 => format!(r#"{{"type":"state","patch":{{"y":{id},"x":null}}}}"#),
        11 => r#"{"type":"state","state":null}"#.to_owned(),
        12 => r#"{"type":"auth","id":"r","token":"a.b.c"}"#.to_owned(),
        13 => format!(r#"{{"type":"history","id":"h","after":{id},"limit":2}}"#),
        14 => {
            let event = "e".repeat(id as usize + 1);
            let data = "x".repeat(usize::from(bytes.arbitrary::<u16>()?));
            let one = format!(r#"{{"type":"publish","event":"{event}","data":"{data}"}}"#);
            format!("[{one},{{}},{one}]")
        }
        _ => "[".to_owned(),
    })
}
