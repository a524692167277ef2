//! Clients: they connect, speak, go, and read what they were sent.

use std::rc::Rc;

use roomful::protocol::{Error, ErrorCode};
use roomful::room::{Action, Connect, Input, Kind, Link};
use serde_json::{Value, json};

use super::{Client, End, World};
use crate::arrival::{Arrival, arrival};
use crate::frame::{Frame, brief, flatten};

impl End {
    /// Somebody at the door.
    fn new(link: Link, kind: Kind) -> End {
        End {
            link: Some(link),
            kind,
            accepted: false,
            connection: None,
            attachment: None,
            frames: Vec::new(),
            read: 0,
            closed: None,
            ended: None,
            refused: None,
            pinged_at: None,
        }
    }
}

impl World {
    pub fn connect(&mut self, arrival: &Arrival) -> Client {
        let awake = self.wake();
        let client = Client(self.clients.len());
        let link = Link(self.next_link);
        self.next_link += 1;
        self.links.insert(link, client);
        self.clients.push(End::new(link, arrival.kind));
        if !awake {
            self.carry_out(Action::Refuse {
                link,
                error: Error::new(ErrorCode::RoomBusy),
            });
            return client;
        }
        let Arrival {
            kind,
            grant,
            epoch,
            offset,
            session,
        } = arrival.clone();
        self.handle(Input::Connect(Connect {
            link,
            kind,
            grant,
            epoch,
            offset,
            session,
        }));
        client
    }

    /// A socket that an earlier life has left, with what it carries.
    pub fn adopt(&mut self, kind: Kind, attachment: &str) -> Client {
        self.clients.push(End {
            accepted: true,
            attachment: Some(attachment.to_owned()),
            ..End::new(Link(0), kind)
        });
        Client(self.clients.len() - 1)
    }

    /// Connects, and reads the welcome.
    pub fn join(&mut self, user: &str) -> (Client, Value) {
        self.enter(&arrival(user))
    }

    pub fn enter(&mut self, arrival: &Arrival) -> (Client, Value) {
        let client = self.connect(arrival);
        let end = &mut self.clients[client.0];
        end.read = 1;
        let frame = end.frames.first().expect("a welcome");
        let welcome = flatten(frame).remove(0);
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (client, welcome)
    }

    pub fn link(&self, client: Client) -> Link {
        self.clients[client.0].link.expect("it is connected")
    }

    pub fn is_open(&self, client: Client) -> bool {
        self.clients[client.0].link.is_some()
    }

    /// How many are connected.
    pub fn open(&self) -> usize {
        self.links.len()
    }

    pub fn closed(&self, client: Client) -> Option<u16> {
        self.clients[client.0]
            .closed
            .as_ref()
            .map(|(code, _)| *code)
    }

    pub fn send(&mut self, client: Client, message: Value) {
        self.send_text(client, &message.to_string());
    }

    pub fn send_text(&mut self, client: Client, text: &str) {
        self.hear(client, |link| Input::Frame { link, text });
    }

    pub fn send_binary(&mut self, client: Client) {
        self.hear(client, |link| Input::BinaryFrame { link });
    }

    fn hear<'t>(&mut self, client: Client, input: impl FnOnce(Link) -> Input<'t>) {
        if !self.wake() {
            // Better no connection than one that is not heard.
            let end = &mut self.clients[client.0];
            (end.link, end.attachment, end.ended) = (None, None, Some(1011));
            end.closed = Some((1011, String::new()));
            return;
        }
        if let Some(link) = self.clients[client.0].link {
            self.handle(input(link));
        }
    }

    pub fn ping(&mut self, client: Client) {
        self.clients[client.0].pinged_at = Some(self.now);
    }

    /// The client's end closes, or its network does.
    pub fn drop(&mut self, client: Client, code: u16) {
        let awake = self.wake();
        let end = &mut self.clients[client.0];
        let Some(link) = end.link.take() else { return };
        (end.attachment, end.ended) = (None, Some(code));
        end.closed = Some((code, String::new()));
        self.links.remove(&link);
        if !awake {
            return;
        }
        self.handle(Input::Closed {
            link,
            code,
            unread: 0,
        });
    }

    /// What arrived since the last look, message by message.
    pub fn read(&mut self, client: Client) -> Vec<Value> {
        self.read_frames(client)
            .iter()
            .flat_map(|frame| flatten(frame))
            .collect()
    }

    /// What arrived since the last look, as it came.
    pub fn read_frames(&mut self, client: Client) -> Vec<String> {
        let end = &mut self.clients[client.0];
        let new = end.frames[end.read..].iter();
        let new = new.map(|frame| frame.to_string()).collect();
        end.read = end.frames.len();
        new
    }

    /// The same, as the room made it; they are not kept.
    pub fn take_frames(&mut self, client: Client) -> Vec<Rc<Frame>> {
        std::mem::take(&mut self.clients[client.0].frames)
    }

    /// Lets the tick pass and reads, in the short form of [`brief`].
    pub fn brief(&mut self, client: Client) -> Vec<String> {
        self.pass(100);
        self.read(client).iter().map(brief).collect()
    }

    /// Fills a small room's outbox so that what follows has to wait for the tick.
    pub fn make_busy(&mut self, client: Client) {
        self.send(
            client,
            json!({"type": "publish", "event": "busy", "ephemeral": true}),
        );
    }
}
