//! Any text as a condition of `locustctl run` is read or refused, without a panic.
//! `cargo +nightly fuzz run condition`

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    locustctl::fuzzing::condition(text);
});
