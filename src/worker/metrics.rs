//! Numbers for the operator: what this isolate has answered, and data points for the dataset, if one
//! is bound (H9).
//!
//! A Worker runs in many isolates, and none knows of the others. So a scrape tells of one of them, and
//! of which; the dataset gathers from all.

use std::cell::RefCell;

use worker::{Env, Response};

use super::host::{self, Dataset};
use super::{log, tokens};
use crate::metrics::{Isolate, Outcome};
use crate::protocol::Error;
use crate::room::Report;

thread_local! {
    static ISOLATE: RefCell<Isolate> = RefCell::new(Isolate::new(id(), tokens::now()));
}

/// A random number that tells this isolate from others.
fn id() -> String {
    let random = host::random(4).unwrap_or_default();
    let id = random
        .iter()
        .fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
    id.to_string()
}

/// Counts what a request came to.
pub fn answered(outcome: &Result<Response, Error>, env: &Env) {
    let point = ISOLATE.with_borrow_mut(|isolate| {
        match outcome {
            Ok(response) if response.status_code() == 101 => isolate.count(Outcome::Upgraded),
            Ok(_) => isolate.count(Outcome::Answered),
            Err(error) => isolate.refused(error.code),
        }
        let dataset = host::dataset(env.as_ref())?;
        Some((dataset, isolate.report(tokens::now())?))
    });
    if let Some((dataset, (numbers, codes))) = point {
        write(&dataset, "", &codes, &numbers);
    }
}

/// Counts a fetch of the key set.
pub fn fetched_keys(succeeded: bool) {
    let outcome = if succeeded {
        Outcome::Fetched
    } else {
        Outcome::Failed
    };
    ISOLATE.with_borrow_mut(|isolate| isolate.count(outcome));
}

/// What this isolate has to say.
pub fn text() -> String {
    ISOLATE.with_borrow(|isolate| isolate.text())
}

/// Writes a room's data point.
pub fn report(dataset: &Dataset, report: &Report) {
    write(dataset, &report.room, &report.codes, &report.numbers);
}

/// Without a room it is the Worker's.
fn write(dataset: &Dataset, room: &str, codes: &str, numbers: &[f64]) {
    if let Err(error) = host::write_point(dataset, room, codes, numbers) {
        log::room_failed(room, &host::describe(&error));
    }
}
