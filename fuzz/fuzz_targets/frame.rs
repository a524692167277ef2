#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // The runtime hands on text, whatever arrived.
    roomful_fuzz::frame::check(&String::from_utf8_lossy(data));
});
