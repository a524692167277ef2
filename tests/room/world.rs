//! A room with its surroundings: time, sockets and streams, timers and alarms, eviction, restarts.
//!
//! It does what the shell does, and checks on the way what a shell relies on.

use std::collections::BTreeMap;
use std::rc::Rc;

use roomful::protocol::{ConnectionId, Error, ErrorCode, Limits, http};
use roomful::room::{
    Action, Call, Connect, Delivery, Event, Fresh, Input, Kind, Link, RequestId, Room,
};
use serde_json::Value;

use crate::disk::{Disk, Outward, Saved};
use crate::frame::Frame;
use crate::memory::Memory;
use crate::verifying::Verifying;

pub use serde_json::json;

pub use crate::arrival::{Arrival, arrival};
pub use crate::frame::{brief, flatten};

/// When every world begins.
pub const START: u64 = 1_800_000_000_000;

/// A fake client, by its number in the world.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub usize);

/// What is at the other end of a link.
pub struct End {
    pub link: Option<Link>,
    pub kind: Kind,
    pub accepted: bool,
    /// The id that it has had since it was accepted.
    pub connection: Option<ConnectionId>,
    pub attachment: Option<String>,
    /// Texts as they arrived.
    pub frames: Vec<Rc<Frame>>,
    /// How many of them have been read.
    read: usize,
    pub closed: Option<(u16, String)>,
    /// The code with which it ended, though nobody may have been told yet.
    pub ended: Option<u16>,
    pub refused: Option<Error>,
    pub pinged_at: Option<u64>,
}

pub struct World {
    pub name: String,
    pub now: u64,
    pub limits: Limits,
    pub store: Memory,
    /// When what is in `store` is safe, and when the process dies.
    pub disk: Disk,
    pub room: Option<Room>,
    pub clients: Vec<End>,
    links: BTreeMap<Link, Client>,
    next_link: u32,
    lives: u32,
    next_request: u32,
    pub timer: Option<u64>,
    pub alarm: Option<u64>,
    /// How often the alarm was set: each time is billed as a row.
    pub alarms_set: u64,
    /// The alarm that is being handled: the runtime forgets it only afterwards.
    ringing: Option<u64>,
    /// How often its process has died.
    pub crashes: u64,
    pub replies: BTreeMap<RequestId, Result<String, Error>>,
    pub events: Vec<Event>,
    /// In the order in which they were asked for.
    pub verifying: Vec<Verifying>,
    /// When alarms went off.
    pub looks: Vec<u64>,
    /// When frames went out: how many links a text went to.
    pub sends: Vec<(u64, usize)>,
    pub attaches: u64,
    /// When the room last had something to do.
    pub last_event: u64,
}

impl World {
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Limits)) -> World {
        // So that three or four clients make a room busy.
        let mut limits = Limits {
            frames_per_second: 100,
            ..Limits::default()
        };
        change(&mut limits);
        World {
            name: "lobby".to_owned(),
            now: START,
            limits,
            store: Memory::default(),
            disk: Disk::default(),
            room: None,
            clients: Vec::new(),
            links: BTreeMap::new(),
            next_link: 1,
            lives: 0,
            next_request: 1,
            timer: None,
            alarm: None,
            alarms_set: 0,
            ringing: None,
            crashes: 0,
            replies: BTreeMap::new(),
            events: Vec::new(),
            verifying: Vec::new(),
            looks: Vec::new(),
            sends: Vec::new(),
            attaches: 0,
            last_event: START,
        }
    }

    // Life and death.

    fn fresh(&mut self) -> Fresh {
        if self.store.meta.is_none() {
            self.lives += 1;
        }
        // No two rooms have an epoch or a key in common.
        let room = self.name.strip_prefix("lobby").unwrap_or(&self.name);
        let mut key = [self.lives as u8; 32];
        for (byte, of_name) in key.iter_mut().skip(1).zip(room.bytes()) {
            *byte ^= of_name;
        }
        Fresh {
            epoch: format!("e{room}{}", self.lives),
            key,
        }
    }

    /// The values of the life that a deletion begins.
    pub fn next_life(&mut self) -> Fresh {
        self.lives += 1;
        self.fresh()
    }

    /// False if storage fails.
    fn wake(&mut self) -> bool {
        if self.room.is_some() {
            return true;
        }
        let fresh = self.fresh();
        // The runtime lists the newest socket first; links are numbered anew.
        self.links.clear();
        let mut sockets = Vec::new();
        for (number, end) in self.clients.iter_mut().enumerate().rev() {
            if end.link.is_none() {
                continue;
            }
            let link = Link(self.next_link);
            self.next_link += 1;
            end.link = Some(link);
            self.links.insert(link, Client(number));
            if let Some(attachment) = &end.attachment {
                sockets.push((link, attachment.clone()));
            }
        }
        let limits = self.limits.clone();
        let name = self.name.clone();
        let before = self.store.rows_written;
        let room = Room::restore(name, limits, fresh, self.now, sockets, &mut self.store);
        assert_eq!(before, self.store.rows_written, "waking writes nothing");
        self.room = room.ok();
        self.room.is_some()
    }

    /// Puts the room away if it does not mind; its sockets live on.
    pub fn evict(&mut self) -> bool {
        let may = self.room.as_ref().is_some_and(|room| !room.is_waiting());
        let streams = self
            .clients
            .iter()
            .any(|end| end.link.is_some() && end.kind.is_stream());
        if !may || streams || self.disk.is_busy() {
            return false;
        }
        assert_eq!(
            self.timer, None,
            "a room that waits for nothing has no timer"
        );
        self.room = None;
        true
    }

    /// The room's process dies, and with it all sockets and what is not on the disk yet.
    pub fn restart(&mut self) {
        if let Some(saved) = self.disk.crash() {
            self.roll_back(saved);
        }
        self.now += 1;
        self.crashes += 1;
        self.room = None;
        self.timer = None;
        self.links.clear();
        self.replies.clear();
        self.verifying.clear();
        for end in &mut self.clients {
            if end.link.take().is_some() {
                (end.attachment, end.ended) = (None, Some(1006));
            }
            // Nobody tells any more how it ended.
            if end.ended.is_some() && end.closed.is_none() && end.refused.is_none() {
                end.closed = Some((1006, String::new()));
            }
        }
    }

    fn roll_back(&mut self, saved: Saved) {
        self.store.roll_back(saved.store);
        self.alarm = saved.alarm;
    }

    pub fn handle(&mut self, input: Input<'_>) {
        let Some(room) = &mut self.room else { return };
        self.last_event = self.now;
        let before = self.disk.needs_copy().then(|| Saved {
            store: self.store.clone(),
            alarm: self.ringing.or(self.alarm),
        });
        let rows_written = self.store.rows_written;
        let mut actions = Vec::new();
        let erased = self.store.erased;
        room.handle(self.now, input, &mut self.store, &mut actions);
        if self.store.erased > erased {
            self.alarm = None;
        }
        let sets_alarm = |action: &Action| matches!(action, Action::Alarm { .. });
        if rows_written != self.store.rows_written || actions.iter().any(sets_alarm) {
            // The alarm is set in the same turn, and lies in the same storage.
            for action in &actions {
                if let Action::Alarm { at } = action {
                    self.alarm = Some(*at);
                }
            }
            if let Some(saved) = self.disk.dies(before.as_ref()) {
                let ringing = self.ringing;
                if let Some(saved) = saved {
                    self.roll_back(saved);
                }
                self.restart();
                // The runtime rings again what was not handled to its end.
                self.alarm = ringing.map(|_| self.now + 2_000).or(self.alarm);
                return;
            }
            let (store, alarm) = (&self.store, self.alarm);
            self.disk.write(self.now, before, || Saved {
                store: store.clone(),
                alarm,
            });
        }
        for action in actions {
            self.carry_out(action);
        }
        let someone = self.links.values().any(|client| {
            let end = &self.clients[client.0];
            end.accepted && end.attachment.is_some()
        });
        assert!(
            !someone || self.alarm.is_some(),
            "someone is connected, so there is an alarm"
        );
        let stored = self.store.meta.is_some() || self.store.bans.values().any(|at| *at > self.now);
        assert!(
            !stored || self.alarm.is_some(),
            "what is stored has an alarm, or it would stay for ever"
        );
        let waiting = self.room.as_ref().is_some_and(Room::is_waiting);
        assert_eq!(waiting, self.timer.is_some());
    }

    fn carry_out(&mut self, action: Action) {
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
            Action::Close { link, code, reason } => {
                assert!(reason.len() <= 123);
                let client = self.links.remove(&link).expect("the link is there");
                let end = &mut self.clients[client.0];
                (end.link, end.attachment, end.ended) = (None, None, Some(code));
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
            Action::Timer { at } => self.timer = Some(at),
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

    fn let_out(&mut self, outward: Outward) {
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

    // Time.

    /// When something happens next by itself.
    pub fn due(&self) -> Option<u64> {
        let wakes = [self.timer, self.alarm, self.disk.due()];
        wakes.into_iter().flatten().min()
    }

    /// Somebody sets the clock; what the runtime has been asked for takes as long as it would have.
    pub fn set_clock(&mut self, by: i64) {
        let to = |at: u64| at.saturating_add_signed(by);
        self.now = self.now.saturating_add_signed(by);
        self.timer = self.timer.map(to);
        self.disk.clock_jumps(to);
    }

    /// Lets time pass, with the timers and alarms that fall into it.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        let mut turns = 0;
        loop {
            turns += 1;
            assert!(turns < 100_000, "the room does not come to rest");
            let written = self
                .disk
                .due()
                .filter(|at| *at <= until)
                .map(|at| at.max(self.now));
            let timer = self
                .timer
                .map(|at| at.max(self.now))
                .filter(|at| *at <= until);
            let alarm = self
                .alarm
                .map(|at| at.max(self.now))
                .filter(|at| *at <= until);
            if let Some(at) = written
                && [timer, alarm].iter().flatten().all(|other| at <= *other)
            {
                self.now = at;
                for outward in self.disk.written() {
                    self.let_out(outward);
                }
                continue;
            }
            match (timer, alarm) {
                (Some(at), alarm) if alarm.is_none_or(|other| at <= other) => {
                    (self.now, self.timer) = (at, None);
                    self.handle(Input::Timer);
                }
                (_, Some(at)) => {
                    (self.now, self.alarm) = (at, None);
                    self.ring();
                }
                _ => break,
            }
        }
        self.now = until;
    }

    fn ring(&mut self) {
        self.looks.push(self.now);
        if !self.wake() {
            // The runtime tries again.
            self.alarm = Some(self.now + 2_000);
            return;
        }
        let ends = self.clients.iter();
        let pings: Vec<(Link, u64)> = ends
            .filter_map(|end| Some((end.link?, end.pinged_at?)))
            .collect();
        self.lives += 1;
        let fresh = self.fresh();
        self.ringing = Some(self.now);
        self.handle(Input::Alarm {
            pings: &pings,
            fresh,
        });
        self.ringing = None;
    }

    // Clients.

    pub fn connect(&mut self, arrival: &Arrival) -> Client {
        let awake = self.wake();
        let client = Client(self.clients.len());
        let link = Link(self.next_link);
        self.next_link += 1;
        self.links.insert(link, client);
        self.clients.push(End {
            link: Some(link),
            kind: arrival.kind,
            accepted: false,
            connection: None,
            attachment: None,
            frames: Vec::new(),
            read: 0,
            closed: None,
            ended: None,
            refused: None,
            pinged_at: None,
        });
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
            link: Some(Link(0)),
            kind,
            accepted: true,
            connection: None,
            attachment: Some(attachment.to_owned()),
            frames: Vec::new(),
            read: 0,
            closed: None,
            ended: None,
            refused: None,
            pinged_at: None,
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
        self.handle(Input::Closed { link, code });
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

    // Requests.

    pub fn request(&mut self, user: &str, can: &[&str], call: Call<'_>) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let grant = arrival(user).can(can).grant;
        if !self.wake() {
            self.replies
                .insert(request, Err(Error::new(ErrorCode::RoomBusy)));
            return request;
        }
        self.handle(Input::Request {
            request,
            grant,
            call,
        });
        request
    }

    /// A server's request with all rights, waited for.
    pub fn ask(&mut self, call: Call<'_>) -> Result<Value, Error> {
        let request = self.request("server", &["admin"], call);
        self.answer(request)
    }

    pub fn answer(&mut self, request: RequestId) -> Result<Value, Error> {
        self.pass(100);
        let reply = self.replies.remove(&request).expect("it is answered");
        reply.map(|text| serde_json::from_str(&text).expect("a reply is JSON"))
    }

    /// Publishes over HTTP.
    pub fn post(&mut self, message: Value) -> Result<Value, Error> {
        let text = message.to_string();
        let mut reply = self.ask(Call::Publish(vec![http::decode_publish(&text)]))?;
        Ok(reply["results"][0].take())
    }

    pub fn disconnect(&mut self, body: Value) -> Result<Value, Error> {
        let disconnect = http::decode_disconnect(&body.to_string())?;
        self.ask(Call::Disconnect(disconnect))
    }

    pub fn delete(&mut self) -> Result<Value, Error> {
        let fresh = self.next_life();
        self.ask(Call::Delete(fresh))
    }

    pub fn presence(&mut self) -> Value {
        self.ask(Call::Presence).expect("presence")
    }

    /// Fills a small room's outbox so that what follows has to wait for the tick.
    pub fn make_busy(&mut self, client: Client) {
        self.send(
            client,
            json!({"type": "publish", "event": "busy", "ephemeral": true}),
        );
    }
}
