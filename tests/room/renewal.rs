//! T5: a live connection gets a new token.

use serde_json::Value;

use crate::frame::count;
use crate::world::{Arrival, Client, START, World, arrival, json};
use roomful::protocol::{Error, ErrorCode};

fn ask(world: &mut World, client: Client) {
    world.send(client, json!({"type": "auth", "id": "a", "token": "fresh"}));
}

/// The last renewal asked for comes to its end.
fn verified(world: &mut World, outcome: Result<Arrival, ErrorCode>) {
    let verifying = world.verifying.pop().unwrap();
    assert_eq!(&*verifying.token, "fresh");
    let grant = outcome.map(|arrival| arrival.grant).map_err(Error::new);
    world.handle(verifying.outcome(grant));
}

fn renew(world: &mut World, client: Client, arrival: Arrival) -> Value {
    ask(world, client);
    verified(world, Ok(arrival));
    world.pass(100);
    world.read(client).remove(0)
}

#[test]
fn t5_a_new_token_replaces_the_old_one() {
    let mut world = World::new();
    let end = world.now + 30_000;
    let (ana, _) = world.enter(&arrival("ana").expires_at(end));
    let fresh = arrival("ana")
        .expires_at(world.now + 600_000)
        .can(&["subscribe", "presence"]);
    let answer = renew(&mut world, ana, fresh);
    let expected = json!({"type": "auth", "expires_in": 600_000, "can": ["subscribe", "presence"]});
    assert_eq!(answer, expected);
    world.send(ana, json!({"type": "publish", "id": "p", "event": "m"}));
    assert_eq!(world.brief(ana), ["error forbidden p"]);
    for _ in 0..20 {
        world.ping(ana);
        world.pass(29_000);
        world.evict();
    }
    assert!(world.is_open(ana));
    world.pass(40_000);
    assert_eq!(world.closed(ana), Some(4001));
}

#[test]
fn t5_a_refused_token_leaves_the_old_one() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    for outcome in [
        Err(ErrorCode::InvalidToken),
        Err(ErrorCode::Forbidden),
        Ok(arrival("bob")),
    ] {
        ask(&mut world, ana);
        verified(&mut world, outcome);
        assert_eq!(world.brief(ana), ["error unauthorized a"]);
    }
    ask(&mut world, ana);
    verified(&mut world, Err(ErrorCode::RoomBusy));
    assert_eq!(
        world.brief(ana),
        ["error room_busy a"],
        "what may succeed later says so"
    );
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(ana), ["m null #1"]);
}

#[test]
fn t5_later_frames_are_not_held_up_and_late_answers_concern_nobody() {
    let mut world = World::new();
    let (ana, welcome) = world.join("ana");
    ask(&mut world, ana);
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(ana), ["m null #1"]);
    world.drop(ana, 1006);
    let (ana, _) = world.enter(&arrival("ana").resuming(&welcome, 1));
    verified(&mut world, Ok(arrival("ana").can(&[])));
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(ana), ["m null #2"]);
}

#[test]
fn t5_gaining_and_losing_presence() {
    let can = ["subscribe", "publish"];
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, _) = world.enter(&arrival("ana").can(&can));
    ask(&mut world, ana);
    verified(&mut world, Ok(arrival("ana")));
    assert_eq!(world.brief(ana), ["auth", "members 2"]);
    assert_eq!(world.brief(bob), ["join ana"]);
    world.send(ana, json!({"type": "state", "state": 1}));
    assert_eq!(world.brief(ana), ["states"]);
    assert_eq!(world.brief(bob), ["states"]);
    ask(&mut world, ana);
    verified(&mut world, Ok(arrival("ana").can(&can)));
    world.send(bob, json!({"type": "state", "state": 1}));
    assert_eq!(world.brief(ana), ["auth"]);
    assert_eq!(world.brief(bob), ["leave ana", "states"]);
    assert_eq!(world.store.members.len(), 1);
    world.pass(3_000);
    assert!(world.evict());
    world.drop(ana, 1006);
    world.pass(20_000);
    assert_eq!(world.brief(bob), [""; 0], "it had left already");
}

#[test]
fn t5_n11_to_gain_presence_counts_as_a_connect() {
    let mut world = World::with(|limits| limits.connections_per_user = 10);
    let (bob, _) = world.join("bob");
    let can = ["subscribe", "publish"];
    let tabs: Vec<Client> = (0..10)
        .map(|_| world.enter(&arrival("eve").can(&can)).0)
        .collect();
    let written = world.store.rows_written;
    for tab in &tabs {
        for _ in 0..5 {
            ask(&mut world, *tab);
            verified(&mut world, Ok(arrival("eve")));
            ask(&mut world, *tab);
            verified(&mut world, Ok(arrival("eve").can(&can)));
        }
    }
    world.pass(500);
    // 30 at once, of which ten came in; and one a second.
    assert_eq!(count(&world.brief(bob), "join eve"), 20);
    assert_eq!(world.store.rows_written - written, 2 * 20);
    // What is refused may be had later, and nothing has changed until then.
    let last = tabs[9];
    world.read(last);
    ask(&mut world, last);
    verified(&mut world, Ok(arrival("eve")));
    assert_eq!(world.brief(last), ["error rate_limited a"]);
    world.pass(1_000);
    let answer = renew(&mut world, last, arrival("eve"));
    assert_eq!(answer["type"], "auth");
    assert_eq!(count(&world.brief(bob), "join eve"), 1);
}

#[test]
fn t5_m7_what_was_said_under_the_old_rights_is_delivered_under_them() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.brief(ana);
    world.make_busy(bob);
    world.send(bob, json!({"type": "publish", "event": "before"}));
    ask(&mut world, ana);
    verified(&mut world, Ok(arrival("ana").can(&["publish"])));
    world.send(bob, json!({"type": "publish", "event": "after"}));
    assert_eq!(world.brief(ana), ["busy null", "before null #1", "auth"]);
    let answer = renew(&mut world, ana, arrival("ana"));
    assert_eq!(answer["type"], "auth");
    world.send(bob, json!({"type": "publish", "event": "again"}));
    assert_eq!(world.brief(ana).last().unwrap(), "again null #3");
}

#[test]
fn t5_an_answer_for_the_older_socket_does_not_reach_the_newer_one() {
    let mut world = World::new();
    let (ana, welcome) = world.enter(&arrival("ana").can(&["subscribe", "publish"]));
    let (bob, _) = world.join("bob");
    world.make_busy(bob);
    ask(&mut world, ana);
    verified(&mut world, Ok(arrival("ana")));
    let (cyd, _) = world.join("cyd");
    let (ana, again) = world.enter(&arrival("ana").can(&["subscribe"]).resuming(&welcome, 0));
    assert_eq!(again["can"], json!(["subscribe"]));
    let heard = world.brief(ana);
    assert!(
        !heard
            .iter()
            .any(|text| text == "auth" || text.starts_with("members")),
        "{heard:?}"
    );
    world.drop(cyd, 1000);
}

#[test]
fn m7_a_private_message_for_the_older_socket_reaches_the_newer_one_only_if_it_subscribes() {
    for can in ["subscribe", "publish"] {
        let mut world = World::new();
        let (ana, welcome) = world.join("ana");
        let (bob, _) = world.join("bob");
        world.brief(ana);
        world.make_busy(bob);
        world.send(
            bob,
            json!({"type": "publish", "event": "m", "to": ["user:ana"]}),
        );
        let (ana, _) = world.enter(&arrival("ana").can(&[can]).resuming(&welcome, 0));
        let expected: &[&str] = if can == "subscribe" {
            &["m null privately"]
        } else {
            &[]
        };
        assert_eq!(world.brief(ana), expected);
    }
}

#[test]
fn t5_p4_who_gains_presence_in_a_crowd_learns_how_many_are_here() {
    let mut world = World::with(|limits| limits.members = 1);
    world.join("ana");
    world.join("bob");
    let (tab, _) = world.enter(&arrival("bob").can(&["subscribe"]));
    world.pass(2_000);
    world.read(tab);
    // Bob counts already, so nothing changes for the others.
    ask(&mut world, tab);
    verified(&mut world, Ok(arrival("bob")));
    assert_eq!(world.brief(tab), ["auth", "occupancy 3/2"]);
}

#[test]
fn t5_of_two_renewals_the_one_that_was_sent_later_wins_in_whatever_order_they_are_verified() {
    let end = |seconds: u64| START + seconds * 1_000;
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (first, second) = (
        arrival("ana").expires_at(end(100)),
        arrival("ana").expires_at(end(200)).can(&["subscribe"]),
    );
    let holds = json!({"type": "auth", "expires_in": 200_000, "can": ["subscribe"]});
    ask(&mut world, ana);
    ask(&mut world, ana);
    verified(&mut world, Ok(second.clone()));
    verified(&mut world, Ok(first.clone()));
    world.pass(100);
    // Both are answered, with what holds.
    assert_eq!(world.read(ana), [holds.clone(), holds]);
    world.send(ana, json!({"type": "publish", "id": "p", "event": "m"}));
    assert_eq!(world.brief(ana), ["error forbidden p"]);
    // One that is refused changes nothing, so the one before it counts.
    ask(&mut world, ana);
    ask(&mut world, ana);
    verified(&mut world, Err(ErrorCode::InvalidToken));
    verified(&mut world, Ok(first));
    world.pass(100);
    assert_eq!(
        world.brief(ana),
        ["error unauthorized a", "auth", "members 1"]
    );
    world.send(ana, json!({"type": "publish", "event": "m"}));
    assert_eq!(world.brief(ana), ["m null #1"]);
    // Nor does one for somebody else, however late it comes.
    ask(&mut world, ana);
    ask(&mut world, ana);
    verified(&mut world, Ok(second));
    verified(&mut world, Ok(arrival("bob")));
    world.pass(100);
    assert_eq!(world.brief(ana), ["auth", "error unauthorized a"]);
}
