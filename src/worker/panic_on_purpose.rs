//! For the test of what a panic does to a room and to its neighbours. In no build that ships.
#![allow(clippy::panic)]

use std::time::Duration;

use worker::Delay;

use super::guard::Guard;

/// Panics if the text asks for it: at once, or in a task of the room that runs later.
pub fn obey(text: &str, guard: &Guard) {
    match text {
        "panic now" => panic!("on purpose"),
        "panic in a task" => wasm_bindgen_futures::spawn_local(guard.watch(async {
            Delay::from(Duration::from_millis(1)).await;
            panic!("on purpose")
        })),
        _ => {}
    }
}
