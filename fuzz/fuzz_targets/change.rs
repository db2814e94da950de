//! A change that a client of serve requests: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run change`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::change(content);
});
