//! Carries the runtime's events into the room, and the room's actions out. Decides nothing.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use worker::{Env, State};

use super::arrival::{Arriving, Carrier};
use super::guard::Guard;
use super::host::{self, Dataset, Host};
use super::life::{self, Life};
use super::replies::Replies;
use super::{log, metrics, tokens};
use crate::protocol::http::close_reason;
use crate::protocol::{Error, ErrorCode};
use crate::room::{Action, Delivery, Input, Link};

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
    replies: Replies,
    guard: Guard,
    /// Where data points go, if a dataset is bound.
    dataset: Option<Dataset>,
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
            replies: Replies::default(),
            guard,
        }))
    }

    /// The requests that wait for the room's reply.
    pub fn replies(&self) -> &Replies {
        &self.replies
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
        match Life::begin(name.clone(), &self.state, &self.env, &self.host) {
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
            fresh: life::fresh()?,
        });
        Ok(())
    }

    /// Takes an event to its end. Never waits: between reading, deciding and writing nothing else happens.
    pub fn handle(&self, input: Input<'_>) {
        let mut slow = Vec::new();
        self.step(input, &mut slow);
        while let Some((link, unread)) = slow.pop() {
            self.step(Input::Slow { link, unread }, &mut slow);
        }
    }

    /// `slow` are the links that something was withheld from, or that were closed with so many bytes unread, and that the
    /// room has not been told of yet.
    fn step(&self, input: Input<'_>, slow: &mut Vec<(Link, u32)>) {
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

    fn carry_out(&self, action: Action, name: &str, slow: &mut Vec<(Link, u32)>) {
        let outcome = match action {
            Action::Accept { link, .. } => self.accept(link),
            Action::Refuse { error, .. } => {
                self.refuse(error);
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
            Action::Close {
                link,
                code,
                reason,
                left,
            } => self
                .host
                .close(link.0, code, close_reason(&reason), &left)
                .map(|unread| {
                    if unread > 0 {
                        slow.push((link, unread));
                    }
                }),
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
                self.replies.give(request, reply);
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

    /// What carries a connection has ended, with so many bytes that wait for its reader even so.
    pub fn ended(&self, link: Link, code: u16, unread: u32) {
        self.handle(Input::Closed { link, code, unread });
    }

    /// Asks the room to let something in, and returns what carries it if the room did.
    pub fn arrive(&self, arriving: Arriving, input: Input<'_>) -> Result<Carrier, Error> {
        // What nobody waits for any more does not count against whom it belonged to.
        for link in self.host.drained().to_vec() {
            self.ended(Link(link), 1006, 0);
        }
        self.arriving.replace(Some(arriving));
        self.handle(input);
        let decided = self.arriving.take();
        decided.map_or_else(|| Err(Error::new(ErrorCode::Internal)), Arriving::verdict)
    }

    fn accept(&self, link: Link) -> Result<(), JsValue> {
        let accepted = match self.arriving.borrow_mut().as_mut() {
            Some(arriving) => arriving.accept(&self.host),
            None => Ok(()),
        };
        if accepted.is_err() {
            self.later(move |shell| shell.ended(link, 1000, 0));
        }
        accepted
    }

    fn refuse(&self, error: Error) {
        if let Some(arriving) = self.arriving.borrow_mut().as_mut() {
            arriving.refuse(error);
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
fn numbers(links: &[Link], slow: &[(Link, u32)]) -> Vec<u32> {
    let is_slow = |link: &Link| slow.iter().any(|(slow, _)| slow == link);
    let links = links.iter().filter(|link| !is_slow(link));
    links.map(|link| link.0).collect()
}

fn note_slow(links: Option<worker::js_sys::Uint32Array>, slow: &mut Vec<(Link, u32)>) {
    if let Some(links) = links {
        slow.extend(links.to_vec().into_iter().map(|link| (Link(link), 0)));
    }
}
