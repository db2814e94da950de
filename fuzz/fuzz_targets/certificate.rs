//! Any bytes as a certificate are accepted or refused, without a panic.
//! `cargo +nightly fuzz run certificate`

#![no_main]

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    locustctl::fuzzing::certificate(der);
});
