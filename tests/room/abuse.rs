//! Users who do what they may, as often as they can: what it costs the others.

use crate::connects::refusal;
use crate::frame::count;
use crate::world::{Client, World, arrival, json};
use roomful::protocol::{Error, ErrorCode, HistoryQuery, http};
use roomful::room::{Call, Input};

const MIB: u32 = 1_024 * 1_024;

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
fn n6_all_connections_of_a_user_send_no_more_bytes_than_one_may() {
    let flood = |bytes: usize| {
        let mut world = World::with(|limits| {
            limits.message_bytes = 1_024;
            limits.connections_per_user = 10;
        });
        let (bob, _) = world.join("bob");
        let data = "x".repeat(bytes);
        let message = json!({"type": "publish", "event": "e", "ephemeral": true, "data": data});
        let tabs: Vec<Client> = (0..4).map(|_| world.join("eve").0).collect();
        world.pass(1_000);
        world.read(bob);
        let say = |world: &mut World, tab: Client| {
            for _ in 0..200 {
                world.send(tab, message.clone());
            }
            world.pass(100);
            let heard = world.read(bob);
            heard.iter().filter(|heard| heard["event"] == "e").count()
        };
        let at_once: usize = tabs.iter().map(|tab| say(&mut world, *tab)).sum();
        let (mallory, _) = world.join("mallory");
        assert_eq!(say(&mut world, mallory), 200, "others have their own");
        world.pass(900);
        (at_once, say(&mut world, tabs[0]))
    };
    // 16 of 960 bytes are as much as 15 of the largest. The four take 0.4 s.
    let (at_once, later) = flood(960 - 61);
    assert!((240..=250).contains(&at_once), "{at_once}");
    assert!((105..=120).contains(&later), "{later}");
    // Small ones are not counted: as many as all may send are less than that.
    assert_eq!(flood(40).0, 800);
}

#[test]
fn n6_bytes_are_counted_exactly_at_a_high_rate_too() {
    let mut world = World::with(|limits| {
        limits.message_bytes = 1_024;
        limits.connections_per_user = 10;
        (limits.rate_per_second, limits.rate_burst) = (8_000, 80);
    });
    let (bob, _) = world.join("bob");
    let tabs = [world.join("eve").0, world.join("eve").0];
    world.read(bob);
    let data = "x".repeat(960 - 61);
    let message = json!({"type": "publish", "event": "e", "ephemeral": true, "data": data});
    for _ in 0..90 {
        for tab in tabs {
            for _ in 0..8 {
                world.send(tab, message.clone());
            }
        }
        world.pass(1);
    }
    world.pass(1_000);
    // 80 of the largest at once and 8 in a millisecond are 800 of them, or 853 of these.
    let heard = world.read(bob);
    let heard = heard.iter().filter(|heard| heard["event"] == "e").count();
    assert!((840..=860).contains(&heard), "{heard}");
}

#[test]
fn n6_what_one_connection_may_say_is_not_less_for_its_size() {
    let mut world = World::new();
    let (bob, _) = world.join("bob");
    let (ana, _) = world.join("ana");
    let data = "x".repeat(65_000);
    let large = json!({"type": "publish", "event": "e", "ephemeral": true, "data": data});
    for _ in 0..200 {
        world.send(ana, large.clone());
    }
    for _ in 0..500 {
        world.pass(10);
        world.send(ana, large.clone());
    }
    world.pass(100);
    assert_eq!(world.read(bob).len(), 1 + 700);
    world.read(ana);
    world.send(ana, large);
    assert_eq!(world.brief(ana).len(), 1);
}

#[test]
fn n6_e3_who_has_much_read_beyond_what_all_connections_may_send_is_closed() {
    let mut world = World::new();
    let (first, _) = world.join("eve");
    let (second, _) = world.join("eve");
    let (ana, _) = world.join("ana");
    let data = "x".repeat(60_000);
    let large = json!({"type": "publish", "event": "e", "ephemeral": true, "data": data});
    for _ in 0..200 {
        world.send(first, large.clone());
    }
    let mut sent = 0;
    while world.is_open(second) {
        world.send(second, large.clone());
        sent += 1;
        assert!(sent < 100);
    }
    // What is left of 13 MB, and a megabyte that is read in vain.
    assert!((30..=40).contains(&sent), "{sent}");
    assert_eq!(world.closed(second), Some(4300));
    assert_eq!(world.brief(second).last().unwrap(), "error rate_limited");
    assert!(world.is_open(first));
    world.read(ana);
    world.send(ana, large);
    assert_eq!(world.read(ana).len(), 1);
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
    while taken < 100 {
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
    for sent in 1..300 {
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
        if let Some(verifying) = world.verifying.pop() {
            let grant = Err(Error::new(code));
            world.handle(verifying.outcome(grant));
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
fn t5_c6_a_refused_token_is_remembered_through_hibernation() {
    let mut world = World::new();
    let (eve, _) = world.join("eve");
    world.send(eve, json!({"type": "auth", "token": "bad"}));
    // What comes alone is kept at once; the token is refused a little later.
    world.pass(500);
    let verifying = world.verifying.pop().unwrap();
    world.handle(verifying.outcome(Err(Error::new(ErrorCode::InvalidToken))));
    world.pass(11_000);
    assert!(world.evict());
    for _ in 0..9 {
        assert!(world.is_open(eve));
        world.send_text(eve, "{");
    }
    assert_eq!(world.closed(eve), Some(4503));
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
fn e3_a_user_whose_slow_sockets_have_not_ended_is_refused() {
    let mut world = World::new();
    world.linger = true;
    let mut ended = Vec::new();
    let (_, welcome) = world.join("ana");
    let resume = arrival("ana").resuming(&welcome, 0);
    for _ in 0..4 {
        let (ana, _) = world.enter(&resume);
        let link = world.link(ana);
        world.handle(Input::Slow { link, unread: 0 });
        assert_eq!(world.closed(ana), Some(4101));
        let unread = 8 * MIB;
        world.handle(Input::Slow { link, unread });
        ended.push(link);
    }
    // Also where a place is kept.
    let refused = world.connect(&resume);
    assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
    world.join("bob");
    world.pass(100);
    let link = ended.remove(0);
    world.handle(Input::Closed {
        link,
        code: 1006,
        unread: 0,
    });
    world.enter(&resume);
    // What waits for a stream is dropped with it.
    let stream = roomful::room::Kind::Stream { presence: false };
    for _ in 0..5 {
        let eve = world.connect(&arrival("eve").kind(stream));
        let link = world.link(eve);
        world.handle(Input::Slow { link, unread: 0 });
    }
    world.join("eve");
}

#[test]
fn e3_so_is_one_who_left_much_unread_whatever_the_sockets_were_closed_for() {
    for replaced in [false, true] {
        let mut world = World::new();
        world.linger = true;
        let (mut mal, welcome) = world.join("mal");
        let resume = arrival("mal").resuming(&welcome, 0);
        for left in 0..8 {
            let link = world.link(mal);
            let next = if replaced {
                world.enter(&resume).0
            } else {
                world.send_binary(mal);
                world.enter(&arrival("mal")).0
            };
            mal = next;
            // With little unread nobody is stuck.
            if left >= 5 {
                let unread = 10 * MIB;
                world.handle(Input::Slow { link, unread });
            }
        }
        assert!(world.is_open(mal), "nothing befalls the next one");
        let link = world.link(mal);
        world.send_binary(mal);
        let unread = 2 * MIB;
        world.handle(Input::Slow { link, unread });
        let refused = world.connect(&resume);
        assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
        world.handle(Input::Closed {
            link,
            code: 1006,
            unread: 0,
        });
        world.enter(&resume);
    }
}

#[test]
fn e3_what_a_user_has_left_unread_in_many_sockets_counts_together() {
    let mut world = World::new();
    world.linger = true;
    for unread in [900 * 1024, MIB] {
        for user in ["mal", "ana"] {
            let (closed, _) = world.join(user);
            let link = world.link(closed);
            world.send_binary(closed);
            world.handle(Input::Slow { link, unread });
        }
    }
    let mut last = None;
    for _ in 0..31 {
        let (mal, _) = world.join("mal");
        let link = world.link(mal);
        world.send_binary(mal);
        let unread = 990 * 1024;
        world.handle(Input::Slow { link, unread });
        last = Some(link);
    }
    // 154 KiB are left of 32 MiB. The largest number counts that was told of one.
    let (mal, _) = world.join("mal");
    let link = world.link(mal);
    world.send_binary(mal);
    for unread in [180 * 1024, 90 * 1024] {
        world.handle(Input::Slow { link, unread });
    }
    let refused = world.connect(&arrival("mal"));
    assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
    world.join("ana");
    let link = last.unwrap();
    world.handle(Input::Closed {
        link,
        code: 1006,
        unread: 0,
    });
    world.join("mal");
}

#[test]
fn e3_what_is_unread_counts_though_the_client_has_closed_its_socket() {
    for closed_before in [false, true] {
        let mut world = World::new();
        world.linger = true;
        let links = [(); 4].map(|()| {
            let (mal, _) = world.join("mal");
            let link = world.link(mal);
            if closed_before {
                world.send_binary(mal);
            }
            let (code, unread) = (1000, 8 * MIB);
            world.handle(Input::Closed { link, code, unread });
            link
        });
        let refused = world.connect(&arrival("mal"));
        assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
        world.join("ana");
        let [link, ..] = links;
        world.handle(Input::Closed {
            link,
            code: 1006,
            unread: 0,
        });
        world.join("mal");
    }
    // What is hardly anything, and gone soon, keeps nobody out, but no number of such sockets is free.
    let mut world = World::with(|limits| limits.connections_per_user = 10);
    let leave = |world: &mut World| {
        world.pass(1_000);
        let (ana, _) = world.join("ana");
        let link = world.link(ana);
        let (code, unread) = (1000, 400);
        world.handle(Input::Closed { link, code, unread });
    };
    for _ in 0..512 {
        leave(&mut world);
    }
    world.pass(1_000);
    let refused = world.connect(&arrival("ana"));
    assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
}

#[test]
fn n11_streams_that_the_room_has_closed_count_like_sockets_until_they_end() {
    let mut world = World::with(|limits| limits.connections_per_user = 20);
    world.linger = true;
    let stream = arrival("mal").kind(roomful::room::Kind::Stream { presence: false });
    for _ in 0..60 {
        world.pass(1_000);
        let stream = world.connect(&stream);
        assert!(refusal(&world, stream).is_none());
        world.disconnect(json!({"user": "mal"})).unwrap();
    }
    world.pass(60_000);
    let refused = world.connect(&stream);
    assert_eq!(refusal(&world, refused).unwrap().code, ErrorCode::UserFull);
    world.end_left(1);
    world.join("mal");
}

#[test]
fn n11_a_user_whose_closed_sockets_do_not_end_is_refused_until_one_has() {
    let mut world = World::with(|limits| limits.connections_per_user = 20);
    world.linger = true;
    let (_, welcome) = world.join("mal");
    let resume = arrival("mal").resuming(&welcome, 0);
    for _ in 0..60 {
        world.pass(1_000);
        world.enter(&resume);
    }
    let turned_away = |world: &mut World| {
        world.pass(60_000);
        [arrival("mal"), resume.clone()].map(|arrival| {
            let refused = world.connect(&arrival);
            refusal(world, refused).map(|error| error.code)
        }) == [Some(ErrorCode::UserFull); 2]
    };
    assert!(turned_away(&mut world));
    // They are there after a wake as well, and while nothing of the room is stored.
    assert!(world.evict());
    assert!(turned_away(&mut world));
    world.evict();
    assert!(turned_away(&mut world));
    world.evict();
    world.store = Default::default();
    assert!(turned_away(&mut world));
    world.join("bob");
    world.pass(60_000);
    assert!(world.evict());
    world.join("bob");
    // The last one fell silent, and was closed as well.
    world.end_left(1);
    assert!(turned_away(&mut world));
    world.end_left(1);
    world.join("mal");
    // With few tabs as well the network may fail now and then.
    let mut world = World::with(|limits| limits.connections_per_user = 1);
    world.linger = true;
    let (_, welcome) = world.join("ana");
    for _ in 0..29 {
        world.pass(1_000);
        world.enter(&arrival("ana").resuming(&welcome, 0));
    }
}
