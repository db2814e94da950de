//! Any text as the answer of a credential plugin is accepted or refused, without a panic.
//! `cargo +nightly fuzz run exec_credential`

#![no_main]

libfuzzer_sys::fuzz_target!(|output: &str| {
    locustctl::fuzzing::exec_credential(output);
});
