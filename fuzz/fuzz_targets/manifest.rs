//! Fuzzes the manifest reader. No content may make it panic or hang.
//! `cargo +nightly fuzz run manifest`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::manifest(content);
});
