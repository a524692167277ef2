//! What a room finds when it wakes: attachments of its sockets, rows of its storage.
//!
//! An input is lines. One that begins with `m` is a member's row, with `l` a row of the log, both
//! with their columns between tabs; any other is the attachment of a socket.

use roomful::auth::{Grant, Rights};
use roomful::protocol::{ConnectionId, HistoryQuery, Json, Limits};
use roomful::room::{
    Action, Call, Connect, Fresh, Input, Kind, Link, LogRow, MemberRow, Meta, RequestId, Room,
    fuzzing,
};

use crate::memory::Memory;
use crate::text;

const NOW: u64 = 1_800_000_000_000;
const EPOCH: &str = "e";

pub fn check(input: &str) {
    let mut store = Memory {
        made_up: true,
        meta: Some(Meta {
            epoch: EPOCH.to_owned(),
            key: [7; 32],
            created_at: NOW,
            crowded: input.len() % 2 == 1,
        }),
        ..Memory::default()
    };
    let mut sockets = Vec::new();
    for line in input.lines() {
        if let Some(columns) = line.strip_prefix('m') {
            let row = member(&columns.split('\t').collect::<Vec<_>>());
            store.members.extend(row.map(|row| (row.connection, row)));
        } else if let Some(columns) = line.strip_prefix('l') {
            let row = log_row(&columns.split('\t').collect::<Vec<_>>());
            store.log.extend(row.map(|row| (row.first, row)));
        } else {
            read_twice(line);
            sockets.push((Link(sockets.len() as u32), line));
        }
    }
    wake(&mut store, &sockets);
}

/// What is read and written again is what was read, and stays so.
fn read_twice(attachment: &str) {
    let Some(again) = fuzzing::attachment(attachment, EPOCH, NOW) else {
        return;
    };
    let again = again.expect("what was read can be written");
    let twice = fuzzing::attachment(&again, EPOCH, NOW).expect("what was written can be read");
    assert_eq!(twice.expect("and written again"), again);
    let field = |text, name| {
        let fields = text::fields(text).expect("an attachment is an object");
        let named = |(key, _): &&(&str, &str)| *key == name;
        // The last of the same name counts.
        fields.iter().rev().find(named).map(|(_, value)| *value)
    };
    for name in ["\"e\"", "\"u\""] {
        let meaning = |text| field(text, name).and_then(text::meaning);
        // Half a surrogate pair, which no room writes, is replaced.
        let was = meaning(attachment);
        assert!(was.is_none() || was == meaning(&again));
    }
    for name in ["\"c\"", "\"i\"", "\"j\"", "\"o\""] {
        let was = field(attachment, name);
        assert!(was.is_none() || was == field(&again, name), "{name}");
    }
    let heard_at = field(attachment, "\"h\"").map_or(0, |at| at.parse().expect("a time"));
    let was = field(attachment, "\"b\"").map(|rate| set_back(rate, heard_at));
    assert!(was.is_none() || was.as_deref() == field(&again, "\"b\""));
    for name in ["\"s\"", "\"x\""] {
        let was = field(attachment, name).filter(|value| *value != "null");
        assert_eq!(was, field(&again, name), "{name}");
    }
}

/// The rate of a connection that was heard at a time that is yet to come: the clock has been set back since, and the rate is
/// set back with it.
fn set_back(rate: &str, heard_at: u64) -> String {
    let back = heard_at.saturating_sub(NOW);
    let times = rate.trim_matches(['[', ']']).split(',');
    let times: Vec<u64> = times.map(|time| time.parse().expect("a time")).collect();
    let &[full_at, over_since, refused_at] = times.as_slice() else {
        panic!("{rate} was read as a rate");
    };
    let full_at = full_at.saturating_sub(back.saturating_mul(1_000));
    let [over_since, refused_at] = [over_since, refused_at].map(|at| at.saturating_sub(back));
    format!("[{full_at},{over_since},{refused_at}]")
}

fn member(columns: &[&str]) -> Option<MemberRow> {
    let [connection, user, info, state, at] = columns else {
        return None;
    };
    Some(MemberRow {
        connection: ConnectionId::parse(connection)?,
        user: (*user).to_owned(),
        // Storage is the room's own: what it says is JSON is JSON.
        info: Json::parse(info).ok()?.into_owned(),
        state: Json::parse(state).ok()?.into_owned(),
        at: at.parse().ok()?,
    })
}

fn log_row(columns: &[&str]) -> Option<LogRow> {
    let [first, last, at, total, ids, skips, messages] = columns else {
        return None;
    };
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    Some(LogRow {
        first,
        last,
        at: at.parse().ok()?,
        total: total.parse().ok()?,
        ids: (*ids).to_owned(),
        skips: (*skips).to_owned(),
        messages: (*messages).to_owned(),
    })
}

/// A room that wakes with all of this takes whatever comes, and answers in JSON.
fn wake(store: &mut Memory, sockets: &[(Link, &str)]) {
    let fresh = || Fresh {
        epoch: "f".to_owned(),
        key: [8; 32],
    };
    let limits = Limits::default();
    let name = "lobby".to_owned();
    let room = Room::restore(name, limits, fresh(), NOW, sockets.iter().copied(), store);
    let mut room = room.expect("storage works");
    let grant = || Grant {
        user: "ana".into(),
        info: Json::EMPTY_OBJECT,
        can: Rights::ALL,
        expires_at: None,
    };
    let mut now = NOW;
    let mut handle = |input: Input<'_>, store: &mut Memory| {
        now += 300;
        let mut actions = Vec::new();
        room.handle(now, input, store, &mut actions);
        for action in &actions {
            judge(action);
        }
    };
    let query = HistoryQuery::from_query("limit=500").expect("a query");
    let after = HistoryQuery::from_query("after=0").expect("a query");
    for (number, call) in [
        Call::Presence,
        Call::Summary,
        Call::History(query),
        Call::History(after),
    ]
    .into_iter()
    .enumerate()
    {
        let request = RequestId(number as u32);
        let grant = grant();
        handle(
            Input::Request {
                request,
                grant,
                call,
            },
            store,
        );
    }
    let arrival = |link, offset: &str| {
        Input::Connect(Connect {
            link: Link(link),
            kind: Kind::Socket,
            grant: grant(),
            epoch: Some(EPOCH.to_owned()),
            offset: Some(offset.to_owned()),
            session: None,
        })
    };
    handle(arrival(1_000_000, "0"), store);
    handle(arrival(1_000_001, "5"), store);
    let frames = [
        r#"[{"type":"publish","event":"a","id":"1"},{"type":"state","patch":{"a":1}}]"#,
        r#"[{"type":"history","limit":500},{"type":"publish","event":"b","echo":false}]"#,
    ];
    for (link, _) in sockets {
        for text in frames {
            handle(Input::Frame { link: *link, text }, store);
        }
    }
    let alarm = Input::Alarm {
        pings: &[],
        fresh: fresh(),
    };
    handle(alarm, store);
    handle(Input::Timer, store);
    for (link, _) in sockets {
        handle(
            Input::Closed {
                link: *link,
                code: 1006,
                unread: 0,
            },
            store,
        );
    }
    handle(Input::Timer, store);
}

fn judge(action: &Action) {
    let json = |text: &str| {
        assert!(text::value(text).is_some(), "no JSON: {text}");
    };
    match action {
        Action::Send(delivery) => json(&delivery.text),
        Action::Reply {
            reply: Ok(reply), ..
        } => json(reply),
        Action::Attach { attachment, .. } => {
            let read = fuzzing::attachment(attachment, EPOCH, u64::MAX).expect("it is one");
            assert_eq!(read.expect("it can be written"), *attachment);
        }
        Action::Close { reason, .. } => assert!(reason.len() <= 123),
        _ => {}
    }
}
