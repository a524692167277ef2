//! Bindings to `host.js`, and to what the `worker` crate does not offer or only in forms that panic.

use js_sys::{Float64Array, Uint32Array};
use wasm_bindgen::prelude::*;
use worker::js_sys;
use worker::worker_sys::DurableObjectState;
use worker::worker_sys::web_sys::{ReadableStream, Request, WebSocket};

#[wasm_bindgen(module = "/src/worker/host.js")]
extern "C" {
    /// The sockets and streams of one room.
    pub type Host;

    #[wasm_bindgen(constructor, catch)]
    pub fn new(context: &DurableObjectState) -> Result<Host, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn restore(this: &Host) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, js_name = nextLink)]
    pub fn next_link(this: &Host) -> u32;
    #[wasm_bindgen(method, js_name = linkOf)]
    pub fn link_of(this: &Host, socket: &WebSocket) -> u32;
    #[wasm_bindgen(method, catch)]
    pub fn accept(this: &Host, link: u32, socket: &WebSocket) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn attach(this: &Host, link: u32, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn send(this: &Host, to: &[u32], text: &str) -> Result<Option<Uint32Array>, JsValue>;
    #[wasm_bindgen(method, catch, js_name = openStream)]
    pub fn open_stream(this: &Host, link: u32) -> Result<ReadableStream, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn stream(this: &Host, to: &[u32], text: &str) -> Result<Option<Uint32Array>, JsValue>;
    #[wasm_bindgen(method)]
    pub fn silence(this: &Host, link: u32);
    #[wasm_bindgen(method, catch)]
    pub fn close(
        this: &Host,
        link: u32,
        code: u16,
        reason: &str,
        left: &str,
    ) -> Result<u32, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn closed(this: &Host, link: u32, socket: &WebSocket, code: u16) -> Result<u32, JsValue>;
    #[wasm_bindgen(method)]
    pub fn drained(this: &Host) -> Uint32Array;
    #[wasm_bindgen(method, catch)]
    pub fn pings(this: &Host) -> Result<Float64Array, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub fn set_alarm(this: &Host, at: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = databaseSize)]
    pub fn database_size(this: &Host) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    pub fn delete_all(this: &Host) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn together(this: &Host, statements: &str) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch)]
    pub fn random(count: u32) -> Result<Vec<u8>, JsValue>;

    #[wasm_bindgen(catch)]
    pub fn within(namespace: &JsValue, jurisdiction: &str) -> Result<JsValue, JsValue>;

    pub fn variable(env: &JsValue, name: &str) -> Option<String>;

    #[wasm_bindgen(js_name = isNoText)]
    pub fn is_no_text(env: &JsValue, name: &str) -> bool;

    #[wasm_bindgen(js_name = isUrl)]
    pub fn is_url(text: &str) -> bool;

    pub fn variables(env: &JsValue) -> String;

    /// Where data points go.
    pub type Dataset;

    pub fn dataset(env: &JsValue) -> Option<Dataset>;

    #[wasm_bindgen(catch, js_name = writePoint)]
    pub fn write_point(
        dataset: &Dataset,
        room: &str,
        codes: &str,
        doubles: &[f64],
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub fn request(
        header: &str,
        call: &str,
        upgrade: bool,
        body: Option<&str>,
    ) -> Result<Request, JsValue>;

    /// A string, or undefined if the body is too long. `source` is a `Request` or a `Response`.
    #[wasm_bindgen(catch, js_name = bodyText)]
    pub async fn body_text(source: &JsValue, most: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = fetchText)]
    pub async fn fetch_text(url: &str, most: u32, milliseconds: u32) -> Result<JsValue, JsValue>;

    pub async fn pause(milliseconds: u32);

    #[wasm_bindgen(js_name = firstPage)]
    pub fn first_page() -> Option<String>;

    #[wasm_bindgen(js_name = decodeQuery)]
    pub fn decode_query(text: &str) -> String;

    #[wasm_bindgen(catch, js_name = verifySignature)]
    pub async fn verify_signature(
        jwk: &str,
        algorithm: &str,
        signature: &[u8],
        input: &[u8],
    ) -> Result<JsValue, JsValue>;
}

/// What a JavaScript exception says, for the operator's log.
pub fn describe(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "unknown error".to_owned())
}
