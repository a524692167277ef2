//! Users who do what they may, as often as they can: what it costs the others.

use serde_json::Value;

use crate::world::{Client, World, arrival, json};
use roomful::protocol::{Error, ErrorCode, HistoryQuery, http};
use roomful::room::{Call, Input};

/// As many tabs of one user as a room takes.
const TABS: usize = 50;

fn state(bytes: usize) -> Value {
    // With its quotes.
    json!({"type": "state", "id": "s", "state": "x".repeat(bytes - 2)})
}

fn refusal(world: &World, client: Client) -> Option<&Error> {
    world.clients[client.0].refused.as_ref()
}

fn count(heard: &[String], text: &str) -> usize {
    heard.iter().filter(|heard| *heard == text).count()
}

#[test]
fn n7_three_users_with_all_their_tabs_do_not_hide_the_list() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for user in ["eve", "mallory", "trudy"] {
        for _ in 0..TABS {
            let tab = world.connect(&arrival(user).info(json!({"name": user})));
            world.send(tab, state(4_096));
            world.pass(20);
            assert!(world.is_open(tab));
        }
    }
    assert_eq!(world.presence()["members"].as_array().unwrap().len(), 151);
    world.pass(1_000);
    world.read(ana);
    let (bob, welcome) = world.join("bob");
    assert_eq!(welcome["members"].as_array().unwrap().len(), 152);
    world.send(bob, state(4_096));
    assert_eq!(world.brief(ana), ["join bob", "states"]);
}

#[test]
fn n7_states_of_one_user_have_a_size_together() {
    let mut world = World::with(|limits| limits.presence_bytes_per_user = 10_000);
    let tabs: Vec<Client> = (0..3).map(|_| world.join("ana").0).collect();
    let (bob, _) = world.join("bob");
    // An empty info is two bytes.
    for (tab, bytes) in [(0, 4_000), (1, 4_000), (2, 1_994)] {
        world.send(tabs[tab], state(bytes));
    }
    let errors = |heard: Vec<Value>| -> Vec<Value> {
        let errors = heard.into_iter().filter(|heard| heard["type"] == "error");
        errors.collect()
    };
    world.pass(100);
    assert_eq!(errors(world.read(tabs[2])), [Value::Null; 0]);
    world.send(tabs[2], state(1_995));
    world.pass(100);
    let error = errors(world.read(tabs[2])).remove(0);
    assert_eq!(
        (&error["code"], &error["id"]),
        (&json!("state_too_large"), &json!("s"))
    );
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("MAX_PRESENCE_BYTES_PER_USER"), "{text}");
    assert!(world.is_open(tabs[2]));
    let patch = json!({"type": "state", "patch": {"a": "x".repeat(3_000)}});
    world.send(tabs[2], patch.clone());
    assert_eq!(count(&world.brief(tabs[2]), "error state_too_large"), 1);
    // What is no larger than before fits, others have their own, and who leaves makes room.
    world.send(tabs[2], state(1_000));
    world.send(bob, state(4_096));
    world.drop(tabs[0], 1000);
    world.send(tabs[2], patch);
    for client in [tabs[2], bob] {
        assert_eq!(count(&world.brief(client), "error state_too_large"), 0);
    }
    let presence = world.presence();
    let sizes: Vec<usize> = presence["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["state"].to_string().len())
        .collect();
    assert_eq!(sizes, [4_000, 3_008, 4_096]);
}

#[test]
fn n7_the_share_of_a_user_survives_eviction_and_restarts() {
    let mut world = World::with(|limits| limits.presence_bytes_per_user = 5_000);
    let (first, welcome) = world.join("ana");
    let (second, _) = world.join("ana");
    world.send(first, state(4_000));
    world.pass(2_000);
    assert!(world.evict());
    world.read(second);
    world.send(second, state(1_001));
    assert_eq!(world.brief(second), ["error state_too_large s"]);
    world.drop(first, 1006);
    world.restart();
    let (third, _) = world.join("ana");
    world.send(third, state(1_001));
    assert_eq!(
        world.brief(third),
        ["error state_too_large s"],
        "it is kept for its grace"
    );
    let (first, _) = world.enter(&arrival("ana").resuming(&welcome, 0));
    world.send(first, state(3_000));
    world.send(third, state(1_900));
    assert_eq!(count(&world.brief(third), "error state_too_large s"), 0);
}

#[test]
fn n11_all_tabs_may_connect_three_times_and_then_a_tenth_of_them_each_second() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    world.read(ana);
    let connect = |world: &mut World| {
        let client = world.connect(&arrival("eve"));
        world.drop(client, 1000);
        client
    };
    for _ in 0..3 * TABS {
        let client = connect(&mut world);
        assert_eq!(refusal(&world, client), None);
    }
    let written = world.store.rows_written;
    let client = connect(&mut world);
    let error = refusal(&world, client).unwrap();
    assert_eq!(
        (error.code, error.retry_after),
        (ErrorCode::RateLimited, Some(200))
    );
    assert_eq!(error.code.close(), 4300);
    assert_eq!(
        world.store.rows_written, written,
        "refused before anything is written"
    );
    for _ in 0..10 {
        world.pass(200);
        let (once, again) = (connect(&mut world), connect(&mut world));
        assert_eq!(refusal(&world, once), None);
        assert!(refusal(&world, again).is_some());
    }
    // Others are not concerned, and a stream is a connect like any.
    let stream = roomful::room::Kind::Stream { presence: false };
    let stream = world.connect(&arrival("eve").kind(stream));
    assert!(refusal(&world, stream).is_some());
    world.join("bob");
    world.pass(1_000);
    let heard = world.brief(ana);
    assert_eq!(
        (count(&heard, "join eve"), count(&heard, "leave eve")),
        (160, 160)
    );
}

#[test]
fn n11_honest_crowds_of_tabs_never_meet_the_limit() {
    let mut world = World::new();
    // A page under React's StrictMode connects, closes and connects; then come two deploys in a row.
    let mut tabs: Vec<(Client, Value)> = Vec::new();
    for _ in 0..TABS {
        let (first, _) = world.join("ana");
        world.drop(first, 1000);
        tabs.push(world.join("ana"));
    }
    for _ in 0..2 {
        world.restart();
        world.pass(500);
        for (client, welcome) in &mut tabs {
            (*client, *welcome) = world.enter(&arrival("ana").resuming(welcome, 0));
            world.pass(10);
        }
    }
    // A phone that loses the network every two seconds, with ten tabs, for five minutes.
    for _ in 0..150 {
        for (client, welcome) in tabs.iter_mut().take(10) {
            world.drop(*client, 1006);
            (*client, *welcome) = world.enter(&arrival("ana").resuming(welcome, 0));
        }
        for (client, _) in &tabs {
            world.ping(*client);
        }
        world.pass(2_000);
    }
    assert!(tabs.iter().all(|(client, _)| world.is_open(*client)));
}

#[test]
fn n11_a_place_that_is_kept_is_no_way_around() {
    let mut world = World::with(|limits| limits.connections_per_user = 5);
    let (_, welcome) = world.join("ana");
    let resume = arrival("ana").resuming(&welcome, 0);
    for _ in 0..29 {
        world.enter(&resume);
    }
    let refused = world.connect(&resume);
    assert_eq!(
        refusal(&world, refused).unwrap().code,
        ErrorCode::RateLimited
    );
}

#[test]
fn n11_who_is_told_much_at_arrival_may_come_less_often() {
    let mut world = World::with(|limits| limits.connections_per_user = 5);
    let (ana, welcome) = world.join("ana");
    // Some 2.5 MB.
    for _ in 0..40 {
        let data = "x".repeat(60_000);
        world.send(ana, json!({"type": "publish", "event": "m", "data": data}));
        world.pass(100);
    }
    let resume = arrival("eve").at(welcome["epoch"].as_str().unwrap(), 0);
    let mut taken = 0;
    loop {
        let client = world.connect(&resume);
        if let Some(error) = refusal(&world, client) {
            assert_eq!(error.retry_after, Some(1_000));
            break;
        }
        world.drop(client, 1000);
        taken += 1;
    }
    // Each counts as one and nine more.
    assert_eq!(taken, 3);
}

#[test]
fn n11_the_room_stays_in_memory_for_what_would_not_be_full_by_the_time_it_hibernates() {
    let mut world = World::new();
    for _ in 0..TABS {
        let client = world.connect(&arrival("eve"));
        world.drop(client, 1000);
    }
    assert!(world.evict(), "ten seconds fill fifty");
    for _ in 0..3 * TABS {
        let client = world.connect(&arrival("eve"));
        world.drop(client, 1000);
    }
    world.pass(19_000);
    assert!(!world.evict());
    world.pass(1_100);
    assert!(world.evict());
}

#[test]
fn n6_leaving_and_coming_again_does_not_refill_the_bucket() {
    let cursor = || json!({"type": "publish", "event": "c", "ephemeral": true});
    for code in [1000, 1006] {
        let mut world = World::new();
        let (bob, _) = world.join("bob");
        for _ in 0..5 {
            let (eve, _) = world.join("eve");
            for _ in 0..200 {
                world.send(eve, cursor());
            }
            world.drop(eve, code);
            world.pass(100);
        }
        // 200 at once, and 100 a second for half a second.
        assert_eq!(count(&world.brief(bob), "c null"), 240);
        world.pass(2_000);
        let (eve, _) = world.join("eve");
        for _ in 0..250 {
            world.send(eve, cursor());
        }
        assert_eq!(count(&world.brief(bob), "c null"), 200, "it is full again");
        // Somebody else, and a tab beside, have their own.
        let (second, _) = world.join("eve");
        world.send(second, cursor());
        assert_eq!(count(&world.brief(bob), "c null"), 1);
    }
}

#[test]
fn h3_n6_reads_over_http_have_the_rate_of_publishes_and_admins_have_none() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (3, 1));
    let message = json!({"event": "m"}).to_string();
    let ask = |world: &mut World, user: &str, can: &str, call: Call<'_>| {
        let request = world.request(user, &[can], call);
        world.answer(request)
    };
    let history = || Call::History(HistoryQuery::from_query("").unwrap());
    assert!(ask(&mut world, "ana", "presence", Call::Presence).is_ok());
    assert!(ask(&mut world, "ana", "history", history()).is_ok());
    let publish = Call::Publish(vec![http::decode_publish(&message)]);
    assert_eq!(
        ask(&mut world, "ana", "publish", publish).unwrap()["results"][0]["offset"],
        1
    );
    for call in [history(), Call::Presence] {
        let error = ask(&mut world, "ana", "presence", call).unwrap_err();
        assert_eq!(
            (error.code, error.code.status()),
            (ErrorCode::RateLimited, 429)
        );
        assert!(error.retry_after.unwrap() <= 1_000);
    }
    assert!(ask(&mut world, "bob", "presence", Call::Presence).is_ok());
    for _ in 0..20 {
        assert!(ask(&mut world, "ana", "admin", history()).is_ok());
        assert!(ask(&mut world, "ana", "admin", Call::Summary).is_ok());
    }
}

#[test]
fn h3_r6_what_is_read_over_http_counts_by_its_size() {
    let mut world = World::new();
    for _ in 0..20 {
        world
            .post(json!({"event": "m", "data": "x".repeat(60_000)}))
            .unwrap();
    }
    let mut taken = 0;
    loop {
        let history = Call::History(HistoryQuery::from_query("").unwrap());
        let request = world.request("eve", &["history"], history);
        let reply = world.replies.remove(&request).unwrap();
        if reply.is_err() {
            break;
        }
        taken += 1;
    }
    // A page of 240 kB counts as one and fourteen more.
    assert_eq!(taken, 14);
    world.pass(60_000);
    assert!(world.evict());
}

#[test]
fn e3_who_is_over_the_rate_may_not_have_much_read() {
    let mut world = World::new();
    let (eve, _) = world.join("eve");
    let (ana, _) = world.join("ana");
    let large =
        json!({"type": "publish", "event": "m", "ephemeral": true, "data": "x".repeat(60_000)});
    for sent in 1.. {
        world.send(eve, large.clone());
        if !world.is_open(eve) {
            // 200 are taken, and a megabyte of more is read.
            assert!((215..=220).contains(&sent), "{sent}");
            break;
        }
    }
    assert_eq!(world.closed(eve), Some(4300));
    assert_eq!(world.brief(eve).last().unwrap(), "error rate_limited");
    // Small ones may be many more, with a pause now and then any number.
    for _ in 0..3 {
        let many = vec![json!({"type": "publish", "event": "m", "ephemeral": true}); 100];
        for _ in 0..25 {
            world.send(ana, json!(many));
        }
        world.pass(1_500);
    }
    assert!(world.is_open(ana));
}

#[test]
fn t5_ten_refused_tokens_within_a_minute_end_the_connection() {
    let mut world = World::new();
    let (eve, _) = world.join("eve");
    let renew = |world: &mut World, code| {
        world.send(eve, json!({"type": "auth", "token": "bad"}));
        if let Some((link, id, _)) = world.verifying.pop() {
            let grant = Err(Error::new(code));
            world.handle(Input::Renewed { link, id, grant });
        }
        world.pass(100);
    };
    for _ in 0..20 {
        // Nobody's fault.
        renew(&mut world, ErrorCode::RoomBusy);
    }
    for _ in 0..9 {
        renew(&mut world, ErrorCode::InvalidToken);
    }
    world.pass(60_000);
    for _ in 0..9 {
        renew(&mut world, ErrorCode::TokenExpired);
    }
    assert!(world.is_open(eve));
    world.read(eve);
    renew(&mut world, ErrorCode::Forbidden);
    assert_eq!(world.closed(eve), Some(4503));
    assert_eq!(
        world.brief(eve),
        ["error unauthorized", "error bad_messages"]
    );
}

#[test]
fn t5_n6_a_renewal_counts_as_ten_messages() {
    let mut world = World::new();
    let (eve, _) = world.join("eve");
    for _ in 0..30 {
        world.send(eve, json!({"type": "auth", "token": "any"}));
    }
    assert_eq!(world.verifying.len(), 20);
    world.pass(1_000);
    for _ in 0..30 {
        world.send(eve, json!({"type": "auth", "token": "any"}));
    }
    assert_eq!(world.verifying.len(), 30);
    // A bucket that is smaller is emptied, and no more.
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (2, 1));
    let (eve, _) = world.join("eve");
    world.send(eve, json!({"type": "auth", "token": "any"}));
    world.pass(2_000);
    world.read(eve);
    world.send(eve, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(eve), ["m null #1"]);
}

#[test]
fn m4_ids_of_the_largest_size_are_kept_no_longer_than_the_history() {
    let mut world = World::with(|limits| {
        limits.history_messages = 100;
        (limits.rate_burst, limits.rate_per_second) = (100_000, 10_000);
    });
    let (eve, _) = world.join("eve");
    let id = |n: usize| format!("{n:0>6}{}", "𝄞".repeat(58));
    for n in 0..1_000 {
        world.send(eve, json!({"type": "publish", "event": "m", "id": id(n)}));
        world.pass(11);
    }
    let kept: usize = world.store.log.values().map(|row| row.ids.len()).sum();
    // Rows leave as a whole.
    assert!(kept < 200 * 300, "{kept} bytes");
    world.pass(1_000);
    world.read(eve);
    for n in [0, 899, 900, 999] {
        world.send(eve, json!({"type": "publish", "event": "m", "id": id(n)}));
        world.pass(100);
    }
    let offsets: Vec<Value> = world
        .read(eve)
        .into_iter()
        .filter(|heard| heard["type"] == "ack")
        .map(|ack| ack["offset"].clone())
        .collect();
    // Two are published anew, and so two more of the old ones have left.
    assert_eq!(
        offsets,
        [json!(1_001), json!(1_002), json!(1_003), json!(1_000)]
    );
}

#[test]
fn e3_a_user_whose_slow_sockets_have_not_ended_is_refused() {
    let mut world = World::new();
    let mut ended = Vec::new();
    let (_, welcome) = world.join("ana");
    let resume = arrival("ana").resuming(&welcome, 0);
    for _ in 0..4 {
        let (ana, _) = world.enter(&resume);
        let link = world.link(ana);
        world.handle(Input::Slow { link });
        assert_eq!(world.closed(ana), Some(4101));
        ended.push(link);
    }
    // Also where a place is kept.
    let refused = world.connect(&resume);
    assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
    world.join("bob");
    world.pass(100);
    let link = ended.remove(0);
    world.handle(Input::Closed { link, code: 1006 });
    world.enter(&resume);
    // What waits for a stream is dropped with it.
    let stream = roomful::room::Kind::Stream { presence: false };
    for _ in 0..5 {
        let eve = world.connect(&arrival("eve").kind(stream));
        let link = world.link(eve);
        world.handle(Input::Slow { link });
    }
    world.join("eve");
}
