//! How much one may say.

use serde_json::Value;

use crate::frame::count;
use crate::world::{World, arrival, json};
use roomful::protocol::{ErrorCode, http};
use roomful::room::Call;

fn cursor() -> Value {
    json!({"type": "publish", "event": "c", "ephemeral": true})
}

#[test]
fn n6_a_burst_of_two_hundred_then_a_hundred_a_second() {
    let mut world = World::new();
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    for _ in 0..250 {
        world.send(ana, cursor());
    }
    assert_eq!(count(&world.brief(bob), "c null"), 200);
    world.pass(900);
    for _ in 0..250 {
        world.send(ana, cursor());
    }
    assert_eq!(count(&world.brief(bob), "c null"), 100);
}

#[test]
fn n6_each_element_counts_and_pings_do_not() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (10, 1));
    let (ana, _) = world.join("ana");
    world.send(
        ana,
        json!([cursor(), cursor(), {"type": "state", "state": 1}, {"type": "x"}]),
    );
    world.send_text(ana, "[]");
    world.send_text(ana, "bad");
    world.send_text(ana, &"x".repeat(70_000));
    for _ in 0..50 {
        world.ping(ana);
    }
    world.send(
        ana,
        json!([cursor(), cursor(), cursor(), cursor(), cursor()]),
    );
    let heard = world.brief(ana);
    assert_eq!(count(&heard, "c null"), 5);
    assert_eq!(count(&heard, "error rate_limited"), 2);
    assert!(world.is_open(ana));
}

#[test]
fn e3_over_the_rate_the_message_is_not_delivered_and_the_wait_is_told() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (1, 2));
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    world.brief(ana);
    world.send(ana, cursor());
    world.pass(100);
    world.read(ana);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    world.pass(100);
    let error = world.read(ana).remove(0);
    assert_eq!(
        (&error["code"], &error["id"]),
        (&json!("rate_limited"), &json!("1"))
    );
    assert_eq!(
        (&error["retryable"], &error["retry_after"]),
        (&json!(true), &json!(400))
    );
    assert_eq!(world.brief(bob), ["c null"]);
    world.pass(300);
    world.send(ana, json!({"type": "publish", "event": "m", "id": "1"}));
    assert_eq!(world.brief(ana), ["m null #1", "ack 1 #1"]);
}

#[test]
fn e3_over_the_rate_for_ten_seconds_on_end_is_the_end() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (5, 10));
    let (ana, _) = world.join("ana");
    let (bob, _) = world.join("bob");
    let began = world.now;
    while world.is_open(ana) {
        world.send(ana, cursor());
        world.pass(50);
        assert!(world.now < began + 20_000);
    }
    assert!(world.now - began >= 10_000);
    assert_eq!(world.closed(ana), Some(4300));
    assert_eq!(world.brief(ana).last().unwrap(), "error rate_limited");
    // Whoever pauses is over it for a while only.
    for _ in 0..20 {
        for _ in 0..20 {
            world.send(bob, cursor());
        }
        world.pass(1_500);
    }
    assert!(world.is_open(bob));
}

#[test]
fn e3_a_refusal_counts_for_more_than_its_message_has() {
    // The largest message, and how much is read in vain.
    for (largest, most) in [(1_024, 1_048_576), (131_072, 16 * 131_072)] {
        let mut world = World::with(|limits| limits.message_bytes = largest);
        let (eve, _) = world.join("eve");
        for _ in 0..200 {
            world.send(eve, cursor());
        }
        let mut refused = 0;
        while world.is_open(eve) && refused < 10_000 {
            world.send(eve, cursor());
            refused += 1;
        }
        let each = cursor().to_string().len() + 256;
        assert_eq!(refused, most / each + 1, "with {largest}");
    }
}

#[test]
fn e3_the_bucket_survives_eviction() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (5, 1));
    let (ana, _) = world.join("ana");
    for _ in 0..5 {
        world.send(ana, cursor());
    }
    world.pass(1_500);
    assert!(world.evict());
    world.brief(ana);
    world.send(ana, cursor());
    world.send(ana, cursor());
    assert_eq!(world.brief(ana), ["c null", "error rate_limited"]);
}

#[test]
fn h1_n6_users_over_http_have_a_rate_and_admins_have_none() {
    let mut world = World::with(|limits| (limits.rate_burst, limits.rate_per_second) = (2, 1));
    let message = json!({"event": "m"}).to_string();
    let mut publish = |user: &str, can: &[&str]| {
        let call = Call::Publish(vec![http::decode_publish(&message)]);
        let request = world.request(user, can, call);
        world.answer(request).unwrap()["results"][0].clone()
    };
    for n in 0..4 {
        let result = publish("ana", &["publish"]);
        if n < 2 {
            assert_eq!(result["offset"], n + 1);
        } else {
            assert_eq!(result["error"]["code"], "rate_limited");
            assert!(result["error"]["retry_after"].as_u64().unwrap() <= 1_000);
        }
    }
    assert_eq!(
        publish("bob", &["publish"])["offset"],
        3,
        "each has its own"
    );
    for n in 4..20 {
        assert_eq!(publish("ana", &["admin"])["offset"], n);
    }
}

#[test]
fn h1_n4_a_message_over_http_has_a_limit_too() {
    let mut world = World::with(|limits| limits.message_bytes = 1_024);
    let result = world
        .post(json!({"event": "m", "data": "x".repeat(2_000)}))
        .unwrap();
    assert_eq!(result["error"]["code"], ErrorCode::MessageTooLarge.as_str());
}

#[test]
fn n6_the_bucket_survives_a_resume() {
    let mut world = World::new();
    let (mut ana, welcome) = world.join("ana");
    let frame: Value =
        vec![json!({"type": "publish", "event": "a", "ephemeral": true}); 100].into();
    world.send(ana, frame.clone());
    world.send(ana, frame.clone());
    for code in [1006, 1000] {
        world.drop(ana, code);
        ana = world.enter(&arrival("ana").resuming(&welcome, 0)).0;
        world.send(ana, json!({"type": "publish", "event": "b", "id": "b"}));
        assert!(
            world
                .brief(ana)
                .contains(&"error rate_limited b".to_owned()),
            "{code}"
        );
        world.send(ana, frame.clone());
        world.read(ana);
    }
}

#[test]
fn n6_bytes_of_a_user_keep_the_room_in_memory_for_a_minute_at_most() {
    let mut world = World::with(|limits| {
        (limits.rate_burst, limits.rate_per_second) = (1_000, 1);
        limits.message_bytes = 1_024;
    });
    let (ana, _) = world.join("ana");
    let data = "x".repeat(900);
    for _ in 0..500 {
        let message = json!({"type": "publish", "event": "e", "ephemeral": true, "data": data});
        world.send(ana, message);
    }
    world.pass(59_000);
    assert!(!world.evict());
    world.pass(2_000);
    assert!(world.evict());
}

#[test]
fn n6_space_around_messages_counts_as_bytes_of_theirs() {
    let mut world = World::with(|limits| {
        limits.message_bytes = 1_024;
        limits.connections_per_user = 10;
    });
    let (bob, _) = world.join("bob");
    let space = " ".repeat(900);
    for _ in 0..4 {
        let (tab, _) = world.join("eve");
        for _ in 0..100 {
            world.send_text(tab, &format!("[{space}{}]", cursor()));
        }
    }
    // As many as one connection may send of the largest.
    let heard = count(&world.brief(bob), "c null");
    assert!((200..=220).contains(&heard), "{heard}");
}
