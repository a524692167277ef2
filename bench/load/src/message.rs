//! What is published: for every server the same data, in the frame that its protocol wants.

use crate::protocol::{Kind, Protocol};
use crate::stamp::{self, Stamp};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Gone a second later: some 40 bytes, as real cursors have.
    Cursor,
    /// A line of some 60 bytes, with an id and so with an ack, stored or not.
    Chat { stored: bool },
    /// A presence state: of a sender's, only the last one counts.
    State,
}

impl Message {
    /// Appends the text of a frame that publishes it.
    pub fn write(self, protocol: &Protocol, stamp: Stamp, out: &mut Vec<u8>) {
        match protocol.kind {
            Kind::Roomful | Kind::Plain => self.write_publish(stamp, out),
            Kind::SocketIo => {
                out.extend(br#"42["publish","#);
                self.write_data(stamp, out);
                out.push(b']');
            }
            Kind::Pusher => {
                out.extend(br#"{"event":"client-cursor","channel":""#);
                out.extend(protocol.channel.as_bytes());
                out.extend(br#"","data":"#);
                self.write_data(stamp, out);
                out.push(b'}');
            }
        }
    }

    fn write_publish(self, stamp: Stamp, out: &mut Vec<u8>) {
        match self {
            Message::Cursor => {
                out.extend(br#"{"type":"publish","event":"cursor","data":"#);
                self.write_data(stamp, out);
                out.extend(br#","ephemeral":true}"#);
            }
            Message::Chat { stored } => {
                out.extend(br#"{"type":"publish","event":"chat","data":"#);
                self.write_data(stamp, out);
                out.extend(br#","id":""#);
                stamp.write(stamp::ACK, out);
                out.extend(match stored {
                    true => &br#""}"#[..],
                    false => br#"","ephemeral":true}"#,
                });
            }
            Message::State => {
                out.extend(br#"{"type":"state","state":"#);
                self.write_data(stamp, out);
                out.push(b'}');
            }
        }
    }

    fn write_data(self, stamp: Stamp, out: &mut Vec<u8>) {
        out.extend(match self {
            Message::Chat { .. } => &br#"{"text":"a line as people write it in","t":""#[..],
            _ => br#"{"x":512,"y":384,"t":""#,
        });
        stamp.write(stamp::MESSAGE, out);
        out.extend(br#""}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_as_long_as_people_send() {
        let stamp = Stamp {
            sender: 1,
            number: 2,
            due: 3,
        };
        let mut cursor = Vec::new();
        Message::Cursor.write_data(stamp, &mut cursor);
        assert_eq!(cursor, br#"{"x":512,"y":384,"t":"@AABAAACAAAAAD"}"#);
        let mut line = Vec::new();
        Message::Chat { stored: true }.write_data(stamp, &mut line);
        assert_eq!(line.len(), 60);
    }
}
