//! Long runs: as many seeds as one likes, on all processors, with a word now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::kind::{KINDS, Kind};
use super::run::{self, Failed};
use super::tally::Tally;
use super::variable;

/// After so many failures it is time to mend something.
const FAILURES: u64 = 10;
/// The first word comes after so long, each later one after twice as long, up to the other.
const FIRST_WORD: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(600);

/// What the threads share.
struct Progress {
    began: Instant,
    next: u64,
    tally: Tally,
    /// Seeds that were run and held, by kind.
    held: BTreeMap<&'static str, u64>,
    failures: u64,
    /// Where seeds failed that have been shortened.
    places: BTreeSet<String>,
    told: Instant,
    pause: Duration,
}

impl Progress {
    fn word(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        let held: u64 = self.held.values().sum();
        let each = held as f64 / seconds;
        let Progress { held, failures, .. } = self;
        format!("{held:?} in {seconds:.0} s, {each:.0} a second, {failures} failed")
    }

    /// Tells how far it has come, ever less often.
    fn tell(&mut self) {
        if self.told.elapsed() >= self.pause {
            (self.told, self.pause) = (Instant::now(), PAUSE.min(self.pause * 2));
            eprintln!("{}", self.word());
        }
    }
}

/// Runs `SEEDS` seeds from `FROM` on of each kind, or of `KIND`, for `SECONDS` at most and on
/// `THREADS`; the number of those that failed, each of which has been told.
pub fn run() -> u64 {
    let kinds: Vec<Kind> = match std::env::var("KIND") {
        Ok(name) => vec![Kind::named(&name)],
        Err(_) => KINDS.to_vec(),
    };
    let from = variable("FROM").unwrap_or(0);
    let runs = variable("SEEDS").unwrap_or(1_000) * kinds.len() as u64;
    let most = variable("SECONDS").map_or(Duration::MAX, Duration::from_secs);
    let threads = variable("THREADS").unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
    });
    let progress = Mutex::new(Progress {
        began: Instant::now(),
        next: 0,
        tally: Tally::default(),
        held: BTreeMap::new(),
        failures: 0,
        places: BTreeSet::new(),
        told: Instant::now(),
        pause: FIRST_WORD,
    });
    let next = || {
        let mut progress = progress.lock().unwrap();
        let over = progress.next >= runs
            || progress.began.elapsed() >= most
            || progress.failures >= FAILURES;
        if over {
            return None;
        }
        let run = progress.next;
        progress.next += 1;
        let kind = kinds[(run % kinds.len() as u64) as usize];
        Some((from + run / kinds.len() as u64, kind))
    };
    let failed = |failed: Box<Failed>| {
        let new = {
            let mut progress = progress.lock().unwrap();
            progress.failures += 1;
            progress.places.insert(failed.place().to_owned())
        };
        // To shorten one of those that fail alike is enough.
        let told = if new {
            failed.shortest()
        } else {
            failed.brief()
        };
        eprintln!("{told}");
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((seed, kind)) = next() {
                    match run::check(seed, kind) {
                        Ok(tally) => {
                            let mut progress = progress.lock().unwrap();
                            progress.tally.add(tally);
                            *progress.held.entry(kind.name).or_default() += 1;
                            progress.tell();
                        }
                        Err(failure) => failed(failure),
                    }
                }
            });
        }
    });
    let progress = progress.into_inner().unwrap();
    eprintln!("{}; {:?}", progress.word(), progress.tally);
    progress.failures
}
