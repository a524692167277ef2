//! What becomes of a panic.
//!
//! Nothing in here panics on purpose, but something might. Without care the event would never answer, the
//! object would stay in memory with its sockets open and deaf, and every room of the isolate would lose
//! what it had in memory, silently: they share one wasm instance, which the next event replaces (worker
//! 0.8). So the panic hook tells the entry module whose event it was. That room's object is aborted: its
//! clients are cut off, reconnect, and resume from storage. So are the rooms that had something in memory
//! only (an event under way, output waiting for the tick); the others go on, restored from storage.
//!
//! This side knows which room's code runs; `entry.mjs` is the other side.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

use wasm_bindgen::prelude::*;
use worker::State;
use worker::js_sys::Reflect;

#[wasm_bindgen]
extern "C" {
    /// The entry module's object for one room, which it puts into the object's state as `guard`.
    #[derive(Clone)]
    pub type Guard;

    /// Something goes on that only memory knows of.
    #[wasm_bindgen(structural, method)]
    fn hold(this: &Guard);
    /// It has ended.
    #[wasm_bindgen(structural, method)]
    fn release(this: &Guard);
    /// The wasm instance is lost, by this room's doing. Does not return.
    #[wasm_bindgen(structural, method)]
    fn panicked(this: &Guard, message: &str);
    /// Calls `Room::wake` in so many milliseconds, and not at the time asked for before.
    #[wasm_bindgen(structural, method)]
    pub fn wake(this: &Guard, delay: f64);
}

thread_local! {
    /// Whose code is running.
    static CURRENT: RefCell<Option<Guard>> = const { RefCell::new(None) };
}

/// Installs the hook, once for each wasm instance.
pub fn install() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            before(panic);
            let current = CURRENT
                .try_with(|current| current.try_borrow().ok().and_then(|guard| guard.clone()));
            if let Ok(Some(guard)) = current {
                guard.panicked(&panic.to_string());
            }
        }));
    });
}

impl Guard {
    /// The guard of an object.
    pub fn of(state: &State) -> Result<Guard, JsValue> {
        let guard = Reflect::get(state.as_raw(), &"guard".into())?;
        if guard.is_object() {
            Ok(guard.unchecked_into())
        } else {
            Err(JsValue::from_str(
                "the Worker's main module must be entry.mjs",
            ))
        }
    }

    /// Runs something as this room.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let outer = CURRENT.with(|current| current.replace(Some(self.clone())));
        let result = work();
        CURRENT.with(|current| current.replace(outer));
        result
    }

    /// The same future, run as this room.
    pub fn watch<F: Future>(&self, future: F) -> Watched<F> {
        self.hold();
        Watched {
            guard: self.clone(),
            future: Box::pin(future),
        }
    }
}

/// A future that runs as one room: see [`Guard::watch`].
pub struct Watched<F> {
    guard: Guard,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let guard = self.guard.clone();
        guard.during(|| self.future.as_mut().poll(context))
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        self.guard.release();
    }
}
