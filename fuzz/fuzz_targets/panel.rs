//! Locust's page with the panel: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run panel`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::panel(content);
});
