//! The server is killed and comes back; so do its clients. What have they missed?

mod clients;

use serde_json::{Value, json};

use self::clients::Clients;
use super::Figures;
use crate::arguments::Arguments;
use crate::histogram::Histogram;
use crate::protocol::Door;
use crate::runner::{Words, tell};
use crate::schedule::Schedule;
use crate::sockets::Sockets;

/// (µs)
const SETTLE: u64 = 1_000_000;
/// So long it flows before the server is killed …
const FLOW: u64 = 2_000_000;
/// … and after everybody is back.
const FLOW_AFTER: u64 = 3_000_000;
const BACK_WITHIN: u64 = 60_000_000;
/// Who is taken for gone is so after a grace (R4) that begins when the room is awake again.
const GRACE: u64 = 13_000_000;
const DRAIN: u64 = 5_000_000;

pub fn run(mut arguments: Arguments) -> Figures {
    let mut sockets = Sockets::new(&mut arguments)?;
    let people = arguments.count("people", 100)?;
    let senders = arguments.count("senders", people.min(5))?.min(people);
    let rate = arguments.take("rate", 20.0)?;
    arguments.finish()?;
    let words = Words::listen();
    let mut clients = Clients::new(&sockets, people, senders);

    sockets.gather(people, &mut clients, Door::of_user)?;
    sockets.serve_for(&mut clients, SETTLE)?;
    let start = sockets.now();
    clients.schedule = Schedule::new(rate, start, start, u64::MAX);
    sockets.serve_for(&mut clients, FLOW)?;
    if clients.ledger.known() == 0 {
        return Err("nothing arrives".into());
    }
    (clients.joins, clients.leaves) = (0, 0);
    tell("ready", json!({ "connected_ms": start as f64 / 1e3 }));
    sockets.serve_until_told(&mut clients, &words)?;

    let up = sockets.now();
    sockets.serve_rest(&mut clients, up + BACK_WITHIN)?;
    let all_back = sockets.now();
    let killed = clients.killed.ok_or("no connection was lost")?;
    sockets.serve_for(&mut clients, FLOW_AFTER)?;
    clients.schedule = Schedule::new(0.0, 0, 0, 0);
    let last = sockets.now();
    while sockets.now() < last + DRAIN && !clients.has_all() {
        sockets.serve_for(&mut clients, 100_000)?;
    }
    let settled = sockets.now().max(all_back + 200_000);
    sockets.serve_until(&mut clients, settled.max(up + GRACE))?;

    let times = |from: u64| -> Value {
        let back = clients.all.iter().filter_map(|client| client.back);
        let times: Histogram = back.map(|at| at.saturating_sub(from)).collect();
        times.to_json()
    };
    let name = |of: &str| format!("{}{of}", if clients.is_room { "resumed" } else { "back" });
    let only_rooms = |figure: u64| clients.is_room.then_some(figure);
    let mut figures = json!({
        "people": people,
        "senders": senders,
        "rate": rate,
        "published": clients.senders.published(),
        "unacknowledged": only_rooms(clients.senders.published() - clients.ledger.acks()),
        "unseen": clients.senders.published() - clients.ledger.known(),
        "lost": clients.ledger.lost(clients.readers),
        "doubled": clients.ledger.doubled,
        "offsets_repeated": only_rooms(clients.repeated),
        "offsets_skipped": only_rooms(clients.skipped),
        "leaves": only_rooms(clients.leaves),
        "joins": only_rooms(clients.joins),
        "recovered": only_rooms(clients.recovered),
        "not_recovered": only_rooms(clients.not_recovered),
        "not_back": people - clients.back,
        "dropped_again": clients.dropped_again,
        "up_ms": up.saturating_sub(killed) as f64 / 1e3,
        "still_open": sockets.open,
        "complaint": clients.complaints.first,
    });
    figures[name("_ms")] = times(killed);
    figures[name("_from_up_ms")] = times(up);
    Ok(figures)
}
