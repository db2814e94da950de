//! Fuzzes the recognition of Locust's workers, masters and Services. No object may make it panic or hang.
//! `cargo +nightly fuzz run installation`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::installation(content);
});
