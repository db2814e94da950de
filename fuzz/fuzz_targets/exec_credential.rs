//! Fuzzes the parser of a credential plugin's output. No text may make it panic.
//! `cargo +nightly fuzz run exec_credential`

#![no_main]

libfuzzer_sys::fuzz_target!(|output: &str| {
    locustctl::fuzzing::exec_credential(output);
});
