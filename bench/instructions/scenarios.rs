//! What is counted. Whatever a room does is done twice and counted the second time, when its
//! buffers have their size.

use std::hint::black_box;

use roomful::auth::{AuthConfig, Verification, verify};
use roomful::protocol::decode_frame;
use roomful::room::Input;

use crate::crowd::{Asleep, Crowd, arrival, late_arrival};
use crate::measure;

pub struct Scenario {
    pub name: String,
    pub run: Box<dyn FnOnce()>,
}

const SIZES: [u32; 3] = [1, 100, 1_000];
const CURSOR: &str = r#"{"type":"publish","event":"cursor","data":{"x":0.4375,"y":0.8125,"tool":"brush","color":"teal"},"ephemeral":true}"#;
const CHAT: &str = r#"{"type":"publish","event":"chat","data":{"text":"Shall we meet at nine, or is \"nine\" too early?"}}"#;
const STATE: &str = r#"{"type":"state","state":{"x":0.5,"y":0.25,"tool":"brush","typing":false}}"#;
const PATCH: &str = r#"{"type":"state","patch":{"x":0.4375,"y":0.8125}}"#;

pub fn all() -> Vec<Scenario> {
    let mut all = Scenarios::default();
    let hundred = format!("[{}]", vec![CURSOR; 100].join(","));
    all.add("decode/publish", || decode(CURSOR));
    all.add("decode/hundred", move || decode(&hundred));
    all.add("decode/patch", || decode(PATCH));
    all.add("verify/hs256", verify_token);
    for size in SIZES {
        all.add(format!("publish/ephemeral/{size}"), move || {
            publish(size, |_| said(CURSOR, 1, 1));
        });
        all.add(format!("publish/stored/{size}"), move || {
            publish(size, |round| chat(round, 1, 1));
        });
        all.add(format!("flush/one/{size}"), move || {
            flush(size, |_| said(CURSOR, 1, 1));
        });
        all.add(format!("flush/hundred/{size}"), move || {
            flush(size, |_| said(CURSOR, size, 100));
        });
        all.add(format!("flush/acks/{size}"), move || {
            flush(size, |round| chat(round, size, 100));
        });
        all.add(format!("flush/states/{size}"), move || {
            let text = |round| if round == 0 { STATE } else { PATCH };
            flush(size, |round| said(text(round), size, size.min(100)));
        });
        all.add(format!("join/{size}"), move || join(size));
    }
    all.add("resume/500", resume);
    all.add("history/100", history);
    for size in [10, 100, 1_000] {
        all.add(format!("restore/{size}"), move || restore(size));
    }
    all.add("cursors/400", cursors);
    all.0
}

#[derive(Default)]
struct Scenarios(Vec<Scenario>);

impl Scenarios {
    fn add(&mut self, name: impl Into<String>, run: impl FnOnce() + 'static) {
        self.0.push(Scenario {
            name: name.into(),
            run: Box::new(run),
        });
    }
}

/// A frame into messages.
fn decode(text: &str) {
    measure(|| {
        for element in decode_frame(text).expect("a frame") {
            black_box(element.decode()).expect("a message");
        }
    });
}

/// A token into claims. Of `{"sub":"ana","exp":1800003600,"room":"lobby"}`, signed with the secret.
fn verify_token() {
    let secret = |name: &str| {
        (name == "ROOMFUL_SECRETS").then(|| "an only secret of 32 bytes or more".to_owned())
    };
    let config = AuthConfig::from_variables(secret).expect("a configuration");
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbmEiLCJleHAiOjE4MDAwMDM2MDAsInJvb20iOiJsb2JieSJ9.VI249FRlCCF3sgQlkyWHTMRpDsEivcS2qukKzKSNeJg";
    let verified = measure(|| verify(token, &config, 1_800_000_000_000));
    assert!(matches!(verified, Ok(Verification::Done(_))));
}

/// Frames with the links that they come from.
type Said = Vec<(u32, String)>;

/// A text, so many times, from as many people as there are.
fn said(text: &str, people: u32, times: u32) -> Said {
    let links = (0..times).map(|number| number % people + 1);
    links.map(|link| (link, text.to_owned())).collect()
}

/// The same with messages that are stored and acknowledged.
fn chat(round: u32, people: u32, times: u32) -> Said {
    let mut said = said(CHAT, people, times);
    for (number, (_, text)) in said.iter_mut().enumerate() {
        text.insert_str(1, &format!(r#""id":"{round}-{number}","#));
    }
    said
}

fn say(crowd: &mut Crowd, said: &Said) {
    for (link, text) in said {
        crowd.say(*link, text);
    }
}

/// One message of one connection, up to its place in the outbox.
fn publish(people: u32, said: impl Fn(u32) -> Said) {
    let mut crowd = Crowd::of(people);
    for round in 0..2 {
        say(&mut crowd, &said(round));
        crowd.flush();
    }
    let said = said(2);
    measure(|| say(&mut crowd, &said));
    assert_eq!(crowd.sends(), 0);
}

/// The end of a tick in which something was said.
fn flush(people: u32, said: impl Fn(u32) -> Said) {
    let mut crowd = Crowd::of(people);
    for round in 0..2 {
        say(&mut crowd, &said(round));
        crowd.flush();
    }
    say(&mut crowd, &said(2));
    assert_eq!(crowd.sends(), 0);
    measure(|| crowd.flush());
    assert_eq!(crowd.sends(), people as usize);
}

/// A newcomer, told who is here.
fn join(people: u32) {
    let mut crowd = Crowd::of(people);
    crowd.handle(Input::Connect(arrival(people + 1)));
    crowd.flush();
    let newcomer = Input::Connect(arrival(people + 2));
    measure(|| crowd.handle(newcomer));
    assert_eq!(crowd.sends(), 1);
}

/// A room of one that has said 500 messages.
fn talkative() -> Crowd {
    let mut crowd = Crowd::of(1);
    for round in 0..5 {
        say(&mut crowd, &chat(round, 1, 100));
        crowd.flush();
    }
    crowd
}

/// Somebody comes back and gets 500 messages.
fn resume() {
    let mut crowd = talkative();
    crowd.handle(Input::Connect(late_arrival(2)));
    crowd.flush();
    let late = Input::Connect(late_arrival(3));
    measure(|| crowd.handle(late));
    assert_eq!(crowd.sends(), 2);
}

/// The latest 100 messages are asked for.
fn history() {
    let query = r#"{"type":"history","id":"h","limit":100}"#;
    let mut crowd = talkative();
    crowd.say(1, query);
    crowd.flush();
    crowd.say(1, query);
    crowd.flush();
    measure(|| crowd.say(1, query));
}

/// A room wakes up.
fn restore(people: u32) {
    let asleep = Asleep::of(people);
    measure(|| asleep.wake());
}

/// One second of 400 people who each publish 20 times: what the room does most when it does most.
fn cursors() {
    let mut crowd = Crowd::of(400);
    let mut tick = || {
        (1..=400).for_each(|link| crowd.say(link, CURSOR));
        crowd.flush();
        assert_eq!(crowd.sends(), 400);
    };
    tick();
    measure(|| (0..20).for_each(|_| tick()));
}
