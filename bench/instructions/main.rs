//! How many instructions the core takes for what it does most.
//!
//! `run.mjs` beside this runs one scenario at a time under callgrind, which counts what happens
//! inside [`measured`]; without a name this lists the scenarios. The target is a benchmark of the
//! crate, so it is compiled as the Worker is, and it allocates with what std has on wasm.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod crowd;
mod scenarios;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() {
    // Cargo adds options of its own.
    let name = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    for scenario in scenarios::all() {
        match &name {
            None => println!("{}", scenario.name),
            Some(name) if *name == scenario.name => return (scenario.run)(),
            Some(_) => {}
        }
    }
    if let Some(name) = name {
        panic!("there is no scenario {name}");
    }
}

/// Runs the part of a scenario that counts.
fn measure<R>(work: impl FnOnce() -> R) -> R {
    let (mut work, mut result) = (Some(work), None);
    measured(&mut || result = work.take().map(|work| work()));
    result.expect("it was called")
}

/// What callgrind looks for by its name.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    // With nothing after it, the call would be a jump, which never returns here.
    std::hint::black_box(());
}
