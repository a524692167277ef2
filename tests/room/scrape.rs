//! The room's numbers as Prometheus reads them, and what has changed in between.

use std::collections::BTreeMap;

use crate::report::report;
use crate::world::World;
use roomful::room::Call;

/// The samples by name and labels, without the label that all of them have.
pub fn scrape(world: &mut World) -> BTreeMap<String, f64> {
    let request = world.request("operator", &["admin"], Call::Metrics);
    let reply = world
        .replies
        .remove(&request)
        .expect("it is answered at once");
    let text = reply.expect("no error");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let named = samples.map(|line| {
        let (name, number) = line.rsplit_once(' ').expect("a number");
        let name = name.strip_prefix("roomful_room_").expect("the prefix");
        assert!(name.contains("{room=\"lobby\""), "{line}");
        let name = name
            .replace("room=\"lobby\",", "")
            .replace("{room=\"lobby\"}", "");
        (name.replace('"', ""), number.parse().expect("a number"))
    });
    named.collect()
}

/// Which of the samples have changed, and by how much.
pub fn changes(
    before: &BTreeMap<String, f64>,
    after: &BTreeMap<String, f64>,
) -> BTreeMap<String, f64> {
    let changed = after
        .iter()
        .map(|(name, number)| (name.clone(), number - before[name]));
    changed.filter(|(_, by)| by.abs() > 1e-9).collect()
}

/// Asserts by how much each of these samples has changed.
pub fn expect(world: &mut World, before: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    let changes = changes(before, &scrape(world));
    for (name, by) in expected {
        assert_eq!(
            changes.get(*name).copied().unwrap_or(0.0),
            *by,
            "{name} in {changes:#?}"
        );
    }
}

#[test]
fn h9_a_scrape_writes_nothing_wakes_nobody_and_leaves_no_timer() {
    let mut world = World::new();
    scrape(&mut world);
    assert_eq!(
        world.store.rows_written, 0,
        "of a room that nobody used (H5)"
    );
    let (ana, _) = world.join("ana");
    world.brief(ana);
    world.pass(5_000);
    assert!(world.evict());
    let (rows, sends) = (world.store.rows_written, world.sends.len());
    scrape(&mut world);
    assert_eq!((world.store.rows_written, world.sends.len()), (rows, sends));
    assert_eq!(
        report(&mut world),
        None,
        "that the room woke for it is no news"
    );
    assert!(world.evict(), "the room may be put away at once");
}
