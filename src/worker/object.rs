//! The Durable Object: one room.

use std::rc::Rc;

use futures::channel::oneshot::Canceled;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketPair, durable_object,
};

use super::arrival::{Arriving, Carrier};
use super::call::{self, Ask, Call, Resume};
use super::shell::Shell;
use super::{guard, host, life, log, reply};
use crate::auth::Grant;
use crate::protocol::{Error, ErrorCode, HistoryQuery, http};
use crate::room::{self, Connect, Input, Kind, Link};

/// One room: its sockets, and the state machine that decides about them.
#[durable_object]
pub struct Room {
    shell: Option<Rc<Shell>>,
}

impl DurableObject for Room {
    fn new(state: State, env: Env) -> Self {
        guard::install();
        let shell = Shell::new(state, env)
            .inspect_err(|error| log::room_failed("", &host::describe(error)));
        Room { shell: shell.ok() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.watched(async {
            match self.answer(&mut request).await {
                Ok(response) => Ok(response),
                Err(error) => reply::error(&error),
            }
        })
        .await
    }

    async fn alarm(&self) -> Result<Response> {
        self.watched(async {
            if let Some(shell) = &self.shell {
                shell.alarm().map_err(|error| host::describe(&error))?;
            }
            Response::empty()
        })
        .await
    }

    async fn websocket_message(
        &self,
        socket: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        self.watched(async {
            let Ok(shell) = self.awake(None) else {
                return Ok(());
            };
            let link = Link(shell.host().link_of(socket.as_ref()));
            match message {
                WebSocketIncomingMessage::String(text) => {
                    shell.handle(Input::Frame { link, text: &text })
                }
                WebSocketIncomingMessage::Binary(_) => shell.handle(Input::BinaryFrame { link }),
            }
            Ok(())
        })
        .await
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        code: usize,
        _: String,
        _: bool,
    ) -> Result<()> {
        self.watched(async {
            self.ended(&socket, u16::try_from(code).unwrap_or(1006));
            Ok(())
        })
        .await
    }

    /// The runtime gave up on a socket: a frame beyond its own limit, or a network that is gone.
    async fn websocket_error(&self, socket: WebSocket, _: worker::Error) -> Result<()> {
        self.watched(async {
            self.ended(&socket, 1006);
            Ok(())
        })
        .await
    }
}

/// Called by the entry module: text frames, which are most of a room's work and need no promise, and what happens on
/// the entry's own timers and streams.
#[wasm_bindgen]
impl Room {
    /// A text frame.
    pub fn frame(&self, socket: &web_sys::WebSocket, text: &str) {
        let heard = self.during(|shell| {
            #[cfg(feature = "panic-on-purpose")]
            super::panic_on_purpose::obey(text, shell.guard());
            let link = Link(shell.host().link_of(socket));
            shell.handle(Input::Frame { link, text });
        });
        if let (false, Some(shell)) = (heard, &self.shell) {
            // The room cannot be restored: better cut off, and told to come again, than not heard.
            let _ = shell.host().closed(0, socket, 1011);
        }
    }

    /// The time that the room asked for has come.
    pub fn wake(&self) {
        self.during(|shell| shell.handle(Input::Timer));
    }

    /// Another life of this object has begun: nothing happens to this one any more.
    pub fn end(&self) {
        if let Some(shell) = &self.shell {
            shell.end();
        }
    }

    /// The reader of a stream has gone.
    #[wasm_bindgen(js_name = streamEnded)]
    pub fn stream_ended(&self, link: u32) {
        let link = Link(link);
        self.during(|shell| shell.ended(link, 1006, 0));
    }
}

impl Room {
    /// An event of this room, for the guard.
    async fn watched<T>(&self, event: impl Future<Output = T>) -> T {
        match &self.shell {
            Some(shell) => shell.guard().watch(event).await,
            None => event.await,
        }
    }

    /// Something that happens to this room and does not wait; false if the room cannot be restored.
    fn during(&self, work: impl FnOnce(&Shell)) -> bool {
        let Some(shell) = &self.shell else {
            return false;
        };
        shell.guard().during(|| {
            let awake = shell.wake(None).is_ok();
            if awake {
                work(shell);
            }
            awake
        })
    }

    fn awake(&self, name: Option<&str>) -> std::result::Result<&Rc<Shell>, Error> {
        let shell = self
            .shell
            .as_ref()
            .ok_or_else(|| Error::new(ErrorCode::Internal))?;
        shell.wake(name)?;
        Ok(shell)
    }

    fn ended(&self, socket: &WebSocket, code: u16) {
        let Some(shell) = &self.shell else { return };
        // Of a room that cannot be restored one can leave all the same.
        let _ = shell.wake(None);
        let link = shell.host().link_of(socket.as_ref());
        // It may be closed already, which is no fault.
        let unread = shell.host().closed(link, socket.as_ref(), code);
        shell.ended(Link(link), code, unread.unwrap_or_default());
    }

    async fn answer(&self, request: &mut Request) -> std::result::Result<Response, Error> {
        let call = request.headers().get(call::HEADER).ok().flatten();
        let call = call.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        // A Worker of another version, while a deploy is under way: soon there is but one.
        let other = || Error::new(ErrorCode::Restarting);
        let call = Call::decode(&call).ok_or_else(other)?;
        let grant = call.grant().ok_or_else(other)?;
        let ask = match call.ask {
            Ask::Socket {
                protocol,
                resume,
                session,
            } => {
                return self.socket(&call.room, grant, protocol.as_deref(), resume, session);
            }
            Ask::Stream { presence, resume } => {
                return self.stream(&call.room, grant, presence, resume);
            }
            ask => ask,
        };
        let body = match ask {
            Ask::Publish | Ask::Disconnect => request.text().await.map_err(internal)?,
            _ => String::new(),
        };
        let shell = self.awake(Some(&call.room))?;
        let call = match ask {
            Ask::Publish => room::Call::Publish(http::decode_messages(&body)?),
            Ask::Presence => room::Call::Presence,
            Ask::Metrics => room::Call::Metrics,
            Ask::History { query } => room::Call::History(HistoryQuery::from_query(&query)?),
            Ask::Disconnect => room::Call::Disconnect(http::decode_disconnect(&body)?),
            Ask::Delete => {
                room::Call::Delete(life::fresh().map_err(|_| Error::new(ErrorCode::Internal))?)
            }
            Ask::Summary | Ask::Socket { .. } | Ask::Stream { .. } => room::Call::Summary,
        };
        let content_type = match call {
            room::Call::Metrics => reply::METRICS,
            _ => reply::JSON,
        };
        let (request, reply) = shell.replies().expect();
        shell.handle(Input::Request {
            request,
            grant,
            call,
        });
        let text = reply
            .await
            .map_err(|Canceled| Error::new(ErrorCode::Restarting))??;
        reply::of_type(content_type, text).map_err(internal)
    }

    fn socket(
        &self,
        name: &str,
        grant: Grant,
        protocol: Option<&str>,
        resume: Resume,
        session: Option<String>,
    ) -> std::result::Result<Response, Error> {
        let shell = self.awake(Some(name))?;
        let WebSocketPair { client, server } = WebSocketPair::new().map_err(internal)?;
        let link = Link(shell.host().next_link());
        let kind = Kind::socket(protocol.is_some());
        let Resume { epoch, offset } = resume;
        let arriving = Arriving::new(link, Carrier::Socket(server));
        shell.arrive(
            arriving,
            Input::Connect(Connect {
                link,
                kind,
                grant,
                epoch,
                offset,
                session,
            }),
        )?;
        reply::upgrade(client, protocol).map_err(internal)
    }

    fn stream(
        &self,
        name: &str,
        grant: Grant,
        presence: bool,
        resume: Resume,
    ) -> std::result::Result<Response, Error> {
        let shell = self.awake(Some(name))?;
        let link = Link(shell.host().next_link());
        let kind = Kind::Stream { presence };
        let Resume { epoch, offset } = resume;
        let arriving = Arriving::new(link, Carrier::Stream(None));
        let connect = Connect {
            link,
            kind,
            grant,
            epoch,
            offset,
            session: None,
        };
        match shell.arrive(arriving, Input::Connect(connect))? {
            Carrier::Stream(Some(stream)) => reply::events(stream).map_err(internal),
            _ => Err(Error::new(ErrorCode::Internal)),
        }
    }
}

fn internal(error: worker::Error) -> Error {
    log::room_failed("", &error.to_string());
    Error::new(ErrorCode::Internal)
}
