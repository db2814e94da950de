//! The session cookie of serve: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run session`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::session(content);
});
