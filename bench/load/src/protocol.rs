//! How each kind of server is spoken to: how a connection begins, lives on and says something.

use std::net::SocketAddr;

use crate::arguments::Arguments;
use crate::connection::{Connection, State};
use crate::pusher;
use crate::wire;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A room; open with its `welcome`.
    Roomful,
    /// Sends each text frame to everybody, the sender included; open with the upgrade.
    Plain,
    /// Engine.IO 4 over nothing but a WebSocket.
    SocketIo,
    /// Pusher's protocol 7, with client events in a private channel, which their sender does not get.
    Pusher,
}

pub struct Protocol {
    pub kind: Kind,
    address: SocketAddr,
    /// Of the room; empty for the usual one of the protocol.
    path: String,
    pub channel: String,
    key: String,
    secret: String,
}

/// What a connection wants: a room, as a user, and perhaps a place that it had before.
#[derive(Copy, Clone, Default)]
pub struct Door<'a> {
    pub user: usize,
    /// Appended to the path, to have several rooms.
    pub suffix: Option<usize>,
    /// Epoch and offset.
    pub after: Option<(&'a str, u64)>,
    pub session: Option<&'a str>,
}

impl Door<'static> {
    /// Into the room, as a new user.
    pub fn of_user(user: usize) -> Door<'static> {
        Door {
            user,
            ..Door::default()
        }
    }
}

/// What a text frame of the server is.
pub enum Meaning {
    /// The connection is open now; whoever listens wants to read this, too.
    Welcome,
    Pong,
    /// A step of opening the connection, or of keeping it open; dealt with.
    Handled,
    Message,
}

impl Protocol {
    pub fn of(arguments: &mut Arguments) -> Result<Protocol, String> {
        let speaks: String = arguments.take("speaks", "roomful".to_owned())?;
        let kind = match speaks.as_str() {
            "roomful" => Kind::Roomful,
            "plain" => Kind::Plain,
            "socketio" => Kind::SocketIo,
            "pusher" => Kind::Pusher,
            _ => return Err(format!("nobody speaks {speaks}")),
        };
        let mut protocol = Protocol {
            kind,
            address: arguments.required("address")?,
            path: arguments.take("path", String::new())?,
            channel: String::new(),
            key: String::new(),
            secret: String::new(),
        };
        if kind == Kind::Pusher {
            protocol.channel = arguments.take("channel", "private-bench".to_owned())?;
            protocol.key = arguments.take("key", "app-key".to_owned())?;
            protocol.secret = arguments.take("secret", "app-secret".to_owned())?;
        }
        Ok(protocol)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a sender gets what it sends.
    pub fn echoes(&self) -> bool {
        self.kind != Kind::Pusher
    }

    /// A request to upgrade. It offers no extension: permessage-deflate would have the server
    /// compress for each socket, and that is what would then be measured.
    pub fn upgrade(&self, door: Door<'_>) -> Vec<u8> {
        let mut target = match (self.kind, self.path.as_str()) {
            (Kind::Roomful | Kind::Plain, "") => "/room/bench".to_owned(),
            (Kind::SocketIo, "") => "/socket.io/".to_owned(),
            (Kind::Pusher, "") => format!("/app/{}", self.key),
            (_, path) => path.to_owned(),
        };
        if let Some(suffix) = door.suffix {
            target += &format!("-{suffix}");
        }
        target.push(if target.contains('?') { '&' } else { '?' });
        target += &match self.kind {
            Kind::Roomful | Kind::Plain => format!("user=u{}", door.user),
            Kind::SocketIo => "EIO=4&transport=websocket".to_owned(),
            Kind::Pusher => "protocol=7&client=bench&version=1".to_owned(),
        };
        if let Some((epoch, offset)) = door.after {
            target += &format!("&epoch={epoch}&offset={offset}");
        }
        let mut text = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
            self.address
        );
        if self.kind == Kind::Roomful {
            text += "Sec-WebSocket-Protocol: roomful.v1";
            if let Some(session) = door.session {
                text += &format!(", roomful.session.{session}");
            }
            text += "\r\n";
        }
        text += "\r\n";
        text.into_bytes()
    }

    /// Whether a connection is open as soon as it is upgraded.
    pub fn opens_at_once(&self) -> bool {
        self.kind == Kind::Plain
    }

    /// Reads what the server says, and answers where the protocol itself wants an answer.
    #[inline]
    pub fn read(&self, connection: &mut Connection, text: &[u8]) -> Meaning {
        match (self.kind, connection.state) {
            (Kind::Roomful, State::Open) if text == b"pong" => Meaning::Pong,
            (Kind::SocketIo, State::Open) if text == b"2" => {
                connection.send(b"3");
                Meaning::Handled
            }
            (Kind::Pusher, State::Open) if text.starts_with(br#"{"event":"pusher"#) => {
                self.read_pusher(connection, text)
            }
            (Kind::Roomful | Kind::Plain, State::Open)
            | (Kind::SocketIo | Kind::Pusher, State::Open) => Meaning::Message,
            _ => self.greet(connection, text),
        }
    }

    fn greet(&self, connection: &mut Connection, text: &[u8]) -> Meaning {
        let says = |what: &[u8]| memchr::memmem::find(text, what).is_some();
        match self.kind {
            Kind::Roomful if says(br#"{"type":"welcome""#) => Meaning::Welcome,
            Kind::Plain => Meaning::Message,
            Kind::SocketIo if text.starts_with(b"0{") => {
                connection.send(b"40");
                Meaning::Handled
            }
            Kind::SocketIo if text.starts_with(b"40") => Meaning::Welcome,
            Kind::Pusher => self.read_pusher(connection, text),
            // An error, which a close follows.
            Kind::Roomful | Kind::SocketIo => Meaning::Message,
        }
    }

    fn read_pusher(&self, connection: &mut Connection, text: &[u8]) -> Meaning {
        let text = String::from_utf8_lossy(text);
        if text.contains("pusher:connection_established") {
            match pusher::socket_id(&text) {
                Some(id) => {
                    let subscribe = pusher::subscribe(&self.key, &self.secret, &self.channel, id);
                    connection.send(subscribe.as_bytes());
                }
                None => connection.close("a greeting without socket_id"),
            }
            Meaning::Handled
        } else if text.contains("pusher_internal:subscription_succeeded") {
            Meaning::Welcome
        } else if text.contains("pusher:ping") {
            connection.send(br#"{"event":"pusher:pong","data":{}}"#);
            Meaning::Handled
        } else if text.contains("pusher:pong") {
            Meaning::Pong
        } else {
            // A refused subscription is no reason for the server to close.
            if connection.state != State::Open && text.contains("error\"") {
                connection.close(&text);
            }
            Meaning::Message
        }
    }

    /// Sends a ping as the protocol's clients do; false where the server is who pings.
    pub fn ping(&self, connection: &mut Connection) -> bool {
        match self.kind {
            Kind::Roomful => connection.send(b"ping"),
            // A text would go to everybody.
            Kind::Plain => connection.send_frame(wire::PING, b""),
            Kind::Pusher => connection.send(br#"{"event":"pusher:ping","data":{}}"#),
            Kind::SocketIo => return false,
        }
        true
    }
}
