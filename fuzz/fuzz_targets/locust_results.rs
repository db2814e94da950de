//! Any bytes as results of Locust are read or refused, without a panic.
//! `cargo +nightly fuzz run locust_results`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::locust_results(content);
});
