//! How often one user may connect.

use serde_json::Value;

use crate::frame::count;
use crate::world::{Client, World, arrival, json};
use roomful::protocol::{Error, ErrorCode};

/// As many tabs of one user as a room takes.
const TABS: usize = 50;

/// Why somebody was not let in.
pub fn refusal(world: &World, client: Client) -> Option<&Error> {
    world.clients[client.0].refused.as_ref()
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
