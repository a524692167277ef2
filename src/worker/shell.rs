//! Carries the runtime's events into the room, and the room's actions out. Decides nothing.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use worker::worker_sys::web_sys::ReadableStream;
use worker::{Env, State, WebSocket};

use super::database::Database;
use super::guard::Guard;
use super::host::{self, Dataset, Host};
use super::{log, metrics, tokens};
use crate::map::Map;
use crate::protocol::http::close_reason;
use crate::protocol::{Error, ErrorCode, Limits};
use crate::room::{Action, Delivery, Fresh, Input, Link, RequestId, Room};

/// When to try an alarm again whose room could not be restored, in milliseconds from then.
const ALARM_AGAIN_MS: u64 = 60_000;

/// One room in the runtime.
pub struct Shell {
    me: Weak<Shell>,
    state: State,
    env: Env,
    host: Rc<Host>,
    life: RefCell<Option<Life>>,
    /// What asks to come in, until the room has decided.
    arriving: RefCell<Option<Arriving>>,
    waiting: RefCell<Map<RequestId, oneshot::Sender<Result<String, Error>>>>,
    next_request: Cell<u32>,
    guard: Guard,
    /// Where data points go, if a dataset is bound.
    dataset: Option<Dataset>,
}

/// The room and its storage, from the first event after a wake on.
struct Life {
    name: String,
    room: Room,
    database: Database,
}

/// A connection that the room has not let in yet, and then the room's verdict.
pub struct Arriving {
    pub link: Link,
    pub carrier: Carrier,
    pub verdict: Option<Result<(), Error>>,
}

/// What is to carry a connection.
pub enum Carrier {
    Socket(WebSocket),
    /// Made by the host if the room lets it in.
    Stream(Option<ReadableStream>),
}

impl Shell {
    pub fn new(state: State, env: Env) -> Result<Rc<Shell>, JsValue> {
        let host = Rc::new(Host::new(state.as_raw())?);
        let guard = Guard::of(&state)?;
        Ok(Rc::new_cyclic(|me: &Weak<Shell>| Shell {
            me: me.clone(),
            state,
            dataset: host::dataset(env.as_ref()),
            env,
            host,
            life: RefCell::new(None),
            arriving: RefCell::new(None),
            waiting: RefCell::new(Map::default()),
            next_request: Cell::new(0),
            guard,
        }))
    }

    /// What stands between this room and the consequences of a panic.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Makes sure that the room is in memory. `name` is used if the runtime does not tell it.
    pub fn wake(&self, name: Option<&str>) -> Result<(), Error> {
        let mut life = self.life.borrow_mut();
        if life.is_some() {
            return Ok(());
        }
        let name = self
            .state
            .id()
            .name()
            .or_else(|| name.map(str::to_owned))
            .unwrap_or_default();
        match self.restore(name.clone()) {
            Ok(restored) => {
                *life = Some(restored);
                Ok(())
            }
            Err(reason) => {
                log::room_failed(&name, &reason);
                Err(Error::new(ErrorCode::RoomBusy))
            }
        }
    }

    /// Lets go of the room in memory, unless something is being done with it.
    pub fn end(&self) {
        if let Ok(mut life) = self.life.try_borrow_mut() {
            *life = None;
        }
    }

    fn restore(&self, name: String) -> Result<Life, String> {
        let limits = match super::config::config(&self.env) {
            Ok(config) => config.limits.clone(),
            // The Worker refuses everybody by now; those who are here are served as usual.
            Err(_) => Limits::default(),
        };
        let mut database = Database::open(&self.state.storage(), self.host.clone())
            .map_err(|error| error.to_string())?;
        let fresh = self.fresh().map_err(|error| host::describe(&error))?;
        let attachments = self
            .host
            .restore()
            .map_err(|error| host::describe(&error))?;
        let attachments = String::from_utf8(attachments).unwrap_or_default();
        let lines = if attachments.is_empty() {
            None
        } else {
            Some(attachments.split('\n'))
        };
        let sockets = lines
            .into_iter()
            .flatten()
            .zip(1_u32..)
            .map(|(line, link)| (Link(link), line));
        let room = Room::restore(
            name.clone(),
            limits,
            fresh,
            tokens::now(),
            sockets,
            &mut database,
        )
        .map_err(|error| error.to_string())?;
        for link in 1..self.host.next_link() {
            // Its attachment cannot be read, by a rollback perhaps: the client would wait for ever.
            if !room.knows(Link(link)) {
                let restarting = ErrorCode::Restarting;
                self.host
                    .close(link, restarting.close(), restarting.as_str())
                    .map_err(|error| host::describe(&error))?;
            }
        }
        Ok(Life {
            name,
            room,
            database,
        })
    }

    /// Random values for a new life of the room.
    pub fn fresh(&self) -> Result<Fresh, JsValue> {
        let random = host::random(40)?;
        let (name, key) = random.split_at_checked(8).ok_or(JsValue::UNDEFINED)?;
        let name = name.iter().fold(0_u64, |number, byte| {
            number.wrapping_shl(8) | u64::from(*byte)
        });
        let key = <[u8; 32]>::try_from(key).map_err(|_| JsValue::UNDEFINED)?;
        Ok(Fresh {
            epoch: base36(name),
            key,
        })
    }

    /// The room's alarm. The runtime tries one that fails six times again, within two minutes, and then
    /// forgets it (its documentation); a room without an alarm would never erase itself, so a room that
    /// cannot be restored is asked again later.
    pub fn alarm(&self) -> Result<(), JsValue> {
        if self.wake(None).is_err() {
            let at = tokens::now().saturating_add(ALARM_AGAIN_MS);
            return self.host.set_alarm(at as f64);
        }
        self.handle(Input::Alarm {
            pings: &self.pings(),
            fresh: self.fresh()?,
        });
        Ok(())
    }

    /// Takes an event to its end. Never waits: between reading, deciding and writing nothing else happens.
    pub fn handle(&self, input: Input<'_>) {
        let mut slow = Vec::new();
        self.step(input, &mut slow);
        while let Some(link) = slow.pop() {
            self.step(Input::Slow { link }, &mut slow);
        }
    }

    /// `slow` are the links that something was withheld from, and that the room has not been told of yet.
    fn step(&self, input: Input<'_>, slow: &mut Vec<Link>) {
        let mut actions = Vec::new();
        let (name, report) = {
            let mut life = self.life.borrow_mut();
            let Some(Life {
                name,
                room,
                database,
            }) = life.as_mut()
            else {
                return;
            };
            let now = tokens::now();
            room.handle(now, input, database, &mut actions);
            let report = self
                .dataset
                .as_ref()
                .and_then(|_| room.report(now, database));
            (name.clone(), report)
        };
        for action in actions {
            self.carry_out(action, &name, slow);
        }
        if let (Some(dataset), Some(report)) = (&self.dataset, report) {
            metrics::report(dataset, &report);
        }
    }

    fn carry_out(&self, action: Action, name: &str, slow: &mut Vec<Link>) {
        let outcome = match action {
            Action::Accept { link, .. } => self.accept(link),
            Action::Refuse { link, error } => {
                self.decide(link, Err(error));
                Ok(())
            }
            Action::Send(Delivery { to, text }) => self
                .host
                .send(&numbers(&to, slow), &text)
                .map(|links| note_slow(links, slow)),
            Action::Stream(Delivery { to, text }) => self
                .host
                .stream(&numbers(&to, slow), &text)
                .map(|links| note_slow(links, slow)),
            Action::Attach { link, attachment } => self.host.attach(link.0, &attachment),
            Action::Close { link, code, reason } => {
                self.host.close(link.0, code, close_reason(&reason))
            }
            Action::Verify {
                link,
                id,
                token,
                nth,
            } => {
                self.verify(link, id, token, nth, name.to_owned());
                Ok(())
            }
            Action::Reply { request, reply } => {
                if let Some(sender) = self.waiting.borrow_mut().remove(&request) {
                    // Whoever asked may have gone.
                    let _ = sender.send(reply);
                }
                Ok(())
            }
            Action::Timer { at } => {
                self.guard.wake(at.saturating_sub(tokens::now()) as f64);
                Ok(())
            }
            Action::Alarm { at } => self.host.set_alarm(at as f64),
            Action::Log(event) => {
                log::event(name, &event);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            log::room_failed(name, &host::describe(&error));
        }
    }

    /// Asks the room to let something in, and returns its verdict.
    pub fn arrive(&self, arriving: Arriving, input: Input<'_>) -> Result<Carrier, Error> {
        self.arriving.replace(Some(arriving));
        self.handle(input);
        let decided = self.arriving.take();
        match decided {
            Some(Arriving {
                carrier,
                verdict: Some(Ok(())),
                ..
            }) => Ok(carrier),
            Some(Arriving {
                verdict: Some(Err(error)),
                ..
            }) => Err(error),
            _ => Err(Error::new(ErrorCode::Internal)),
        }
    }

    fn accept(&self, link: Link) -> Result<(), JsValue> {
        let outcome = match self.arriving.borrow_mut().as_mut() {
            Some(Arriving {
                carrier: Carrier::Socket(socket),
                ..
            }) => self.host.accept(link.0, socket.as_ref()),
            Some(Arriving {
                carrier: Carrier::Stream(stream),
                ..
            }) => self
                .host
                .open_stream(link.0)
                .map(|opened| *stream = Some(opened)),
            None => Ok(()),
        };
        let verdict = match &outcome {
            Ok(()) => Ok(()),
            // The runtime has a limit of its own: 32,768 sockets in one object.
            Err(_) => Err(Error::new(ErrorCode::RoomFull)),
        };
        let failed = verdict.is_err();
        self.decide(link, verdict);
        if failed {
            self.later(move |shell| shell.handle(Input::Closed { link, code: 1000 }));
        }
        outcome
    }

    fn decide(&self, link: Link, verdict: Result<(), Error>) {
        if let Some(arriving) = self.arriving.borrow_mut().as_mut()
            && arriving.link == link
        {
            arriving.verdict = Some(verdict);
        }
    }

    /// Does something after the current event.
    fn later(&self, task: impl FnOnce(&Shell) + 'static) {
        let me = self.me.clone();
        spawn_local(self.guard.watch(async move {
            if let Some(shell) = me.upgrade() {
                task(&shell);
            }
        }));
    }

    /// T5. A renewal may have to wait for keys; what comes after it does not wait.
    fn verify(&self, link: Link, id: Option<Box<str>>, token: Box<str>, nth: u32, name: String) {
        let me = self.me.clone();
        let env = self.env.clone();
        spawn_local(self.guard.watch(async move {
            let grant = tokens::renew(&token, &name, &env).await;
            if let Some(shell) = me.upgrade() {
                shell.handle(Input::Renewed {
                    link,
                    id,
                    nth,
                    grant,
                });
            }
        }));
    }

    /// A number for a request, and where its reply will arrive.
    pub fn expect_reply(&self) -> (RequestId, oneshot::Receiver<Result<String, Error>>) {
        let request = RequestId(self.next_request.get());
        self.next_request.set(request.0.wrapping_add(1));
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().insert(request, sender);
        (request, receiver)
    }

    /// When each link last pinged.
    fn pings(&self) -> Vec<(Link, u64)> {
        let pings = self
            .host
            .pings()
            .map(|pings| pings.to_vec())
            .unwrap_or_default();
        let pairs = pings.chunks_exact(2).filter_map(|pair| match pair {
            [link, at] => Some((Link(*link as u32), *at as u64)),
            _ => None,
        });
        pairs.collect()
    }
}

/// All but those who are too slow: to hear what follows without what was withheld would hide the gap (R2).
fn numbers(links: &[Link], slow: &[Link]) -> Vec<u32> {
    let links = links.iter().filter(|link| !slow.contains(link));
    links.map(|link| link.0).collect()
}

fn note_slow(links: Option<worker::js_sys::Uint32Array>, slow: &mut Vec<Link>) {
    if let Some(links) = links {
        slow.extend(links.to_vec().into_iter().map(Link));
    }
}

/// At most 13 characters of `a-z0-9`.
fn base36(mut number: u64) -> String {
    let mut text = String::new();
    while number > 0 {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        text.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    text
}
