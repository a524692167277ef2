//! What a room asks for is done, as the shell does it.

use roomful::room::{Action, Delivery, Link};

use super::{End, World};
use crate::disk::Outward;
use crate::frame::Frame;
use crate::verifying::Verifying;

impl World {
    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Accept { link, connection } => {
                let end = self.end_of(link);
                (end.accepted, end.connection) = (true, Some(connection));
            }
            Action::Refuse { link, error } => {
                let client = self.links.remove(&link).expect("the link is there");
                let end = &mut self.clients[client.0];
                assert!(!end.accepted);
                (end.link, end.ended) = (None, Some(1006));
                self.tell(Outward::Refused(client, error));
            }
            Action::Send(Delivery { to, text }) => {
                let frame = Frame::new(text);
                self.check_offsets(&frame);
                self.sends.push((self.now, to.len()));
                for link in to {
                    let end = self.end_of(link);
                    assert!(end.accepted && !end.kind.is_stream());
                    self.tell(Outward::Frame(self.links[&link], frame.clone()));
                }
            }
            Action::Stream(Delivery { to, text }) => {
                assert!(text.ends_with("\n\n"));
                let frame = Frame::new(text);
                for link in to {
                    let end = self.end_of(link);
                    assert!(end.accepted && end.kind.is_stream());
                    self.tell(Outward::Frame(self.links[&link], frame.clone()));
                }
            }
            Action::Attach { link, attachment } => {
                assert!(attachment.len() <= 16_384);
                let end = self.end_of(link);
                assert!(!end.kind.is_stream());
                end.attachment = Some(attachment);
                self.attaches += 1;
            }
            Action::Close {
                link,
                code,
                reason,
                left,
            } => {
                assert!(reason.len() <= 123);
                let client = self.links.remove(&link).expect("the link is there");
                let end = &mut self.clients[client.0];
                (end.link, end.attachment, end.ended) = (None, None, Some(code));
                self.left.push((link, end.kind, left));
                self.tell(Outward::Closed(client, code, reason));
            }
            Action::Verify {
                link,
                id,
                token,
                nth,
            } => self.verifying.push(Verifying {
                link,
                id,
                token,
                nth,
            }),
            Action::Reply { request, reply } => self.tell(Outward::Reply(request, reply)),
            Action::Timer { at } => {
                self.timers += 1;
                self.timer = Some(at);
            }
            Action::Alarm { at } => {
                self.alarm = Some(at);
                self.alarms_set += 1;
            }
            Action::Log(event) => self.events.push(event),
        }
    }

    /// What leaves the room leaves only after the writes before it are safe: the output gate.
    fn tell(&mut self, outward: Outward) {
        if let Some(outward) = self.disk.hold(outward) {
            self.let_out(outward);
        }
    }

    pub(super) fn let_out(&mut self, outward: Outward) {
        match outward {
            Outward::Refused(client, error) => self.clients[client.0].refused = Some(error),
            Outward::Frame(client, frame) => self.clients[client.0].frames.push(frame),
            Outward::Closed(client, code, reason) => {
                self.clients[client.0].closed = Some((code, reason));
            }
            Outward::Reply(request, reply) => {
                assert!(self.replies.insert(request, reply).is_none());
            }
        }
    }

    /// M5: nobody is sent an offset that is not stored.
    fn check_offsets(&self, text: &Frame) {
        for message in text.messages() {
            if message["type"] == "message" || message["type"] == "skip" {
                let offset = message["offset"].as_u64().unwrap_or(0);
                assert!(
                    offset <= self.store.newest_offset(),
                    "sent before it was stored: {text}"
                );
            }
        }
    }

    fn end_of(&mut self, link: Link) -> &mut End {
        let client = self
            .links
            .get(&link)
            .expect("the room speaks to links that are there");
        &mut self.clients[client.0]
    }
}
