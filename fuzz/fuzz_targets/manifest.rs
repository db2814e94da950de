//! Any bytes as a manifest give objects and errors, without a panic or a hang.
//! `cargo +nightly fuzz run manifest`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::manifest(content);
});
