//! Any text as a URL gives an address or an error, without a panic or a hang.
//! `cargo +nightly fuzz run url`

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    locustctl::fuzzing::url(text);
});
