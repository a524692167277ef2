#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomful_fuzz::room::check(data));
