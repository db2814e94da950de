//! A Lease: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run lease`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::lease(content);
});
