//! Running seeds, and making one that fails as short as it can be.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::kind::Kind;
use super::random::Random;
use super::step::{self, Step};
use super::tally::Tally;
use super::universe::Universe;

/// So many runs at most are spent on making a failure short.
const TRIES: usize = 3_000;

/// How a run ended that should not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Where in the code it was noticed.
    place: String,
    what: String,
}

/// The steps of a seed.
fn plan(seed: u64, kind: &Kind) -> Vec<Step> {
    let (rooms, people) = {
        let universe = Universe::new(seed, *kind);
        (universe.rooms.len(), universe.players.len())
    };
    step::steps(&mut Random(seed ^ 0x5eed), kind, rooms, people)
}

/// Runs steps in the universe of a seed.
fn run(seed: u64, kind: Kind, steps: &[Step]) -> Universe {
    let mut universe = Universe::new(seed, kind);
    for step in steps {
        universe.act(step);
    }
    universe.finish();
    universe
}

/// The same, and once more in rooms that sleep if that is what the kind is about.
fn run_kind(seed: u64, kind: Kind, steps: &[Step]) -> (Universe, Tally) {
    let mut universe = run(seed, kind, steps);
    let mut tally = std::mem::take(&mut universe.tally);
    tally.runs = 1;
    tally.some("eviction", universe.evictions);
    tally.some("views compared", universe.compared);
    for place in &universe.rooms {
        tally.some("crash", place.world.crashes);
        tally.some("stored", place.world.store.newest_offset());
        tally.some("row grown", place.world.store.grown);
        tally.some("ephemeral", place.said.ephemeral);
        tally.some("private", place.said.private);
    }
    if kind.name == "sleep" {
        let slept = run(seed, kind.slept(), steps);
        tally.some("eviction", slept.evictions);
        universe.transcript.compare(&slept.transcript);
    }
    (universe, tally)
}

/// A seed that fails.
pub struct Failed {
    seed: u64,
    kind: Kind,
    steps: Vec<Step>,
    failure: Failure,
}

impl Failed {
    /// Where in the code it was noticed.
    pub fn place(&self) -> &str {
        &self.failure.place
    }

    /// What failed, and the line that repeats it.
    pub fn brief(&self) -> String {
        let Failed {
            seed,
            kind,
            failure,
            ..
        } = self;
        format!(
            "{}: {}\nrepeat with: npm run simulate -- --kind {} --from {seed} --seeds 1\n",
            failure.place, failure.what, kind.name,
        )
    }

    /// The same with as few steps as are found to show it.
    pub fn shortest(self) -> String {
        // When it only matters that it fails.
        if std::env::var("SHORTEN").as_deref() == Ok("0") {
            return self.brief();
        }
        let Failed {
            seed,
            kind,
            steps,
            failure,
        } = self;
        let (steps, failure) = shorten(seed, kind, steps, failure);
        trace(seed, kind, &steps);
        let short = Failed {
            seed,
            kind,
            steps,
            failure,
        };
        let mut told = short.brief();
        told.push_str(&format!("shortest found, {} steps:\n", short.steps.len()));
        for step in &short.steps {
            told.push_str(&format!("    Step::{step:?},\n"));
        }
        told
    }
}

/// Runs a seed.
pub fn check(seed: u64, kind: Kind) -> Result<Tally, Box<Failed>> {
    let steps = plan(seed, &kind);
    match attempt(seed, kind, &steps) {
        Ok(tally) => {
            trace(seed, kind, &steps);
            Ok(tally)
        }
        Err(failure) => Err(Box::new(Failed {
            seed,
            kind,
            steps,
            failure,
        })),
    }
}

/// Runs the steps once more with `TRACE=1`, and tells what is said.
fn trace(seed: u64, kind: Kind, steps: &[Step]) {
    if std::env::var("TRACE").is_ok() {
        TRACES.set(true);
        let _ = attempt(seed, kind, steps);
        TRACES.set(false);
    }
}

/// Whether what is said is told.
pub fn traces() -> bool {
    TRACES.get()
}

/// Runs the steps of a bug that was found once, in the universe in which it was found.
pub fn replay(seed: u64, kind: &str, steps: &[Step]) -> Universe {
    run_kind(seed, Kind::named(kind), steps).0
}

/// Leaves out steps as long as it still fails at the same place: halves first, single ones last.
fn shorten(seed: u64, kind: Kind, steps: Vec<Step>, failure: Failure) -> (Vec<Step>, Failure) {
    let (mut best, mut told) = (steps, failure);
    let mut size = best.len().div_ceil(2);
    let mut tries = 0;
    while size > 0 && tries < TRIES {
        let (mut from, before) = (0, best.len());
        while from < best.len() && tries < TRIES {
            let mut fewer = best.clone();
            fewer.drain(from..(from + size).min(best.len()));
            tries += 1;
            match attempt(seed, kind, &fewer) {
                Err(failure) if failure.place == told.place => (best, told) = (fewer, failure),
                _ => from += size,
            }
        }
        if size > 1 || best.len() == before {
            size /= 2;
        }
    }
    (best, told)
}

thread_local! {
    static TRACES: Cell<bool> = const { Cell::new(false) };
    /// What the last panic of this thread said, while somebody wants to know.
    static PANIC: RefCell<Option<Option<Failure>>> = const { RefCell::new(None) };
}

fn attempt(seed: u64, kind: Kind, steps: &[Step]) -> Result<Tally, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let wanted = PANIC.with_borrow_mut(|panic| {
                let wanted = panic.is_some();
                if wanted {
                    let place = info.location().map_or(String::new(), ToString::to_string);
                    let what = info.payload_as_str().unwrap_or("?").to_owned();
                    *panic = Some(Some(Failure { place, what }));
                }
                wanted
            });
            if !wanted {
                usual(info);
            }
        }));
    });
    PANIC.set(Some(None));
    let outcome = catch_unwind(AssertUnwindSafe(|| run_kind(seed, kind, steps).1));
    let failure = PANIC.take().flatten();
    outcome.map_err(|_| failure.expect("it panicked"))
}
