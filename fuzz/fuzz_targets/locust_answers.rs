//! The page, the statistics and the log of Locust: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run locust_answers`

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    locustctl::fuzzing::locust_answers(text);
});
