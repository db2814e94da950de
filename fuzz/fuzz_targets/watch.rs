//! The stream of a watch: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run watch`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::watch(content);
});
