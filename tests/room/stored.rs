//! The stored form of each release: what one has written, every later one reads.
//!
//! `tests/fixtures/stored-1.json` holds what release 0.1 leaves on disk and in its sockets. As long as
//! the code writes that form, it is made by [`leave`] byte for byte. When the form changes, the
//! file stays as it is, and the new form gets a file of its own (`UPDATE_FIXTURES=1` writes the
//! newest), so that both are read from then on.

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{Kind, LogRow, MemberRow, Meta};
use serde_json::Value;

use crate::memory::Memory;
use crate::world::{Client, START, World, arrival, brief, json};

/// The newest form, and all of them.
const NEWEST: &str = "stored-1.json";
const FORMS: &[&str] = &[NEWEST];

const HOUR: u64 = 3_600_000;

fn read(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A room with something of everything in storage: Ana and a plain client are there, Bob has dropped
/// a moment ago, Cleo is no member, Eve is banned.
fn leave() -> Value {
    let mut world = World::new();
    let info = json!({"name": "Ana \u{1F600} \"1\""});
    let token = arrival("ana").info(info).expires_at(START + HOUR);
    let (ana, welcome) = world.enter(&token);
    let (bob, bobs) = world.join("bob");
    let (plain, _) = world.enter(
        &arrival("plain")
            .kind(Kind::PlainSocket)
            .can(&["subscribe", "presence"]),
    );
    let (cleo, _) = world.enter(&arrival("cleo").can(&["subscribe", "publish"]));
    world
        .disconnect(json!({"user": "eve", "ban_seconds": 86_400}))
        .unwrap();
    world.send(ana, json!({"type": "state", "state": {"x": [1, "\u{e9}"]}}));
    world.send(bob, json!({"type": "state", "state": "here"}));
    let say = |world: &mut World, client, message: Value| {
        world.send(client, message);
        world.pass(1_000);
    };
    say(
        &mut world,
        ana,
        json!({"type": "publish", "event": "chat", "data": {"text": "\u{8a9e} \"1\""}, "id": "a1"}),
    );
    say(
        &mut world,
        ana,
        json!({"type": "publish", "event": "chat", "data": 2, "echo": false, "id": "a\n2"}),
    );
    say(
        &mut world,
        cleo,
        json!({"type": "publish", "event": "chat", "data": 3}),
    );
    world
        .post(json!({"event": "order", "data": 4, "except": [welcome["connection"]], "id": "o1"}))
        .unwrap();
    say(
        &mut world,
        bob,
        json!({"type": "publish", "event": "long", "data": "x".repeat(4_000)}),
    );
    say(&mut world, ana, json!("no message"));
    world.drop(bob, 1006);
    let attachments: Vec<&Option<String>> = [ana, plain, cleo]
        .iter()
        .map(|client| &world.clients[client.0].attachment)
        .collect();
    let store = &world.store;
    let meta = store.meta.as_ref().unwrap();
    let members = store.members.values().map(|row| {
        json!({"connection": row.connection.to_string(), "user": row.user, "info": row.info.as_str(),
            "state": row.state.as_str(), "at": row.at})
    });
    let log = store.log.values().map(|row| {
        json!({"first": row.first, "last": row.last, "at": row.at, "total": row.total, "bytes": row.bytes(),
            "ids": row.ids, "skips": row.skips, "messages": row.messages})
    });
    json!({
        "now": world.now,
        "sockets": {"ana": attachments[0], "plain": attachments[1], "cleo": attachments[2]},
        "sessions": {"ana": welcome["session"], "bob": bobs["session"]},
        "meta": {"epoch": meta.epoch, "key": meta.key, "created_at": meta.created_at, "crowded": meta.crowded},
        "members": members.collect::<Vec<_>>(),
        "bans": store.bans,
        "log": log.collect::<Vec<_>>(),
    })
}

/// The room that a release has left, as this one finds it: Ana, the plain client and Cleo.
fn find(form: &Value) -> (World, [Client; 3]) {
    let mut world = World::new();
    world.now = form["now"].as_u64().unwrap();
    world.alarm = Some(world.now + 60_000);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let number = |value: &Value| value.as_u64().unwrap();
    let key: Vec<u8> = serde_json::from_value(form["meta"]["key"].clone()).unwrap();
    world.store.meta = Some(Meta {
        epoch: text(&form["meta"]["epoch"]),
        key: key.try_into().unwrap(),
        created_at: number(&form["meta"]["created_at"]),
        crowded: form["meta"]["crowded"] == true,
    });
    let store: &mut Memory = &mut world.store;
    for row in form["members"].as_array().unwrap() {
        let connection = ConnectionId::parse(row["connection"].as_str().unwrap()).unwrap();
        let row = MemberRow {
            connection,
            user: text(&row["user"]),
            info: Json::trusted(text(&row["info"])),
            state: Json::trusted(text(&row["state"])),
            at: number(&row["at"]),
        };
        store.members.insert(connection, row);
    }
    for row in form["log"].as_array().unwrap() {
        let row = LogRow {
            first: number(&row["first"]),
            last: number(&row["last"]),
            at: number(&row["at"]),
            total: number(&row["total"]),
            ids: text(&row["ids"]),
            skips: text(&row["skips"]),
            messages: text(&row["messages"]),
        };
        store.log.insert(row.first, row);
    }
    store.bans = serde_json::from_value(form["bans"].clone()).unwrap();
    let socket = |name: &str| text(&form["sockets"][name]);
    let clients = [
        world.adopt(Kind::Socket, &socket("ana")),
        world.adopt(Kind::PlainSocket, &socket("plain")),
        world.adopt(Kind::Socket, &socket("cleo")),
    ];
    (world, clients)
}

#[test]
fn m5_r5_what_is_written_is_the_form_that_was_released() {
    let mut text = serde_json::to_string_pretty(&leave()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        let path = format!("{}/tests/fixtures/{NEWEST}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        read(NEWEST) == text,
        "the stored form has changed: keep {NEWEST}, and give the new form a file and a version"
    );
}

#[test]
fn m4_m5_r1_r2_r5_what_any_release_has_stored_is_read_whole() {
    for name in FORMS {
        let form: Value = serde_json::from_str(&read(name)).unwrap();
        let (mut world, [ana, plain, cleo]) = find(&form);
        let before = (world.store.members.clone(), world.store.log.clone());
        // Who is there, with what they show. Bob is within his grace.
        let presence = world.presence();
        let states = presence["members"].as_array().unwrap().iter();
        let states: Vec<String> = states
            .map(|m| format!("{}: {}", m["user"]["id"], m["state"]))
            .collect();
        assert_eq!(
            states,
            [
                "\"ana\": {\"x\":[1,\"\u{e9}\"]}",
                "\"bob\": \"here\"",
                "\"plain\": null"
            ]
        );
        assert_eq!(
            presence["members"][0]["user"]["info"]["name"],
            "Ana \u{1F600} \"1\""
        );
        assert_eq!(presence["occupancy"], json!({"connections": 4, "users": 3}));
        assert_eq!(
            (&world.store.members, &world.store.log),
            (&before.0, &before.1)
        );
        // Whoever was away while the room could not see it is shown as it is known now.
        for client in [ana, plain] {
            assert_eq!(world.brief(client), ["states"]);
        }
        // Ids that were published before, by each of those who have some.
        for (id, offset) in [("a1", 1), ("a\n2", 2)] {
            world.send(ana, json!({"type": "publish", "event": "e", "id": id}));
            assert_eq!(world.brief(ana), [format!("ack {id} #{offset}")]);
        }
        assert_eq!(
            world.post(json!({"event": "e", "id": "o1"})).unwrap()["offset"],
            4
        );
        // Rights, and the kind of a client.
        world.send(plain, json!({"type": "publish", "event": "e", "id": "1"}));
        assert_eq!(world.brief(plain), ["error forbidden 1"]);
        world.send(cleo, json!({"type": "state", "state": 1, "id": "2"}));
        assert_eq!(world.brief(cleo), ["error forbidden 2"]);
        let eve = world.connect(&arrival("eve"));
        assert_eq!(
            world.clients[eve.0].refused.as_ref().unwrap().code.as_str(),
            "banned"
        );
        // Bob comes back with the secret that he had: nobody notices, and nothing is missing.
        let epoch = form["meta"]["epoch"].as_str().unwrap();
        let secret = |user: &str| form["sessions"][user].as_str().unwrap().to_owned();
        let (bob, back) = world.enter(&arrival("bob").session(&secret("bob")).at(epoch, 1));
        assert_eq!(
            (&back["recovered"], &back["offset"]),
            (&json!(true), &json!(5))
        );
        let missed: Vec<String> = world
            .read(bob)
            .iter()
            .map(|m| brief(m).chars().take(9).collect())
            .collect();
        assert_eq!(missed, ["chat 2 #2", "chat 3 #3", "order 4 #", "long xxxx"]);
        assert_eq!(world.brief(ana), [""; 0]);
        // Ana skips what she was to skip.
        let (ana, back) = world.enter(&arrival("ana").session(&secret("ana")).at(epoch, 0));
        assert_eq!(back["connection"], presence["members"][0]["connection"]);
        let missed: Vec<String> = world
            .read(ana)
            .iter()
            .map(|m| brief(m).chars().take(7).collect())
            .collect();
        assert_eq!(
            missed,
            ["chat {\"", "skip #2", "chat 3 ", "skip #4", "long xx"]
        );
        // And life goes on.
        world.send(ana, json!({"type": "publish", "event": "e", "id": "new"}));
        assert_eq!(world.brief(ana), ["e null #6", "ack new #6"]);
        // The token's end was kept: nothing is taken after it.
        let (mut world, [ana, ..]) = find(&form);
        world.now = START + HOUR + 6_000;
        world.send(ana, json!({"type": "publish", "event": "e", "id": "late"}));
        assert_eq!(world.closed(ana), Some(4001));
    }
}

#[test]
fn r5_a_member_that_a_release_left_behind_leaves_once() {
    for name in FORMS {
        let form: Value = serde_json::from_str(&read(name)).unwrap();
        let (mut world, [ana, ..]) = find(&form);
        world.presence();
        for _ in 0..10 {
            world.ping(ana);
            world.pass(20_000);
        }
        let told: Vec<String> = world.read(ana).iter().map(brief).collect();
        assert_eq!(
            told.iter().filter(|told| *told == "leave bob").count(),
            1,
            "{told:?}"
        );
    }
}

#[test]
fn c3_an_attachment_may_have_more_in_it_and_one_of_a_newer_form_is_nobodys() {
    let form: Value = serde_json::from_str(&read(NEWEST)).unwrap();
    let own = form["sockets"]["ana"].as_str().unwrap();
    let with = |more: &str| own.replacen('{', &format!("{{{more},"), 1);
    for (more, known) in [
        (r#""z":[1,{"a":2}]"#, true),
        (r#""longer":null"#, true),
        (r#""v":1"#, true),
        (r#""v":2"#, false),
        (r#""v":"2""#, false),
    ] {
        let mut form = form.clone();
        form["sockets"]["ana"] = with(more).into();
        let (mut world, [ana, plain, _]) = find(&form);
        let rows = world.store.members.len();
        world.presence();
        let link = world.link(ana);
        assert_eq!(world.room.as_ref().unwrap().knows(link), known, "{more}");
        let link = world.link(plain);
        assert!(world.room.as_ref().unwrap().knows(link));
        // Whoever is asked to reconnect has the grace for it, like everybody after a restart.
        assert_eq!(world.store.members.len(), rows);
        let secret = form["sessions"]["ana"].as_str().unwrap();
        let epoch = form["meta"]["epoch"].as_str().unwrap();
        let (_, back) = world.enter(&arrival("ana").session(secret).at(epoch, 5));
        assert_eq!(back["recovered"], true);
        assert_eq!(back["members"].as_array().unwrap().len(), rows);
    }
}
