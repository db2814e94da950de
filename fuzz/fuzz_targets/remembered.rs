//! The annotation of `scale --remember`: no content may make the reader panic or hang.
//! `cargo +nightly fuzz run remembered`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::remembered(content);
});
