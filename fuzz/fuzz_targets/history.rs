//! Fuzzes the reader of the history in a ConfigMap. No content may make it panic or hang.
//! `cargo +nightly fuzz run history`

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    locustctl::fuzzing::history(text);
});
