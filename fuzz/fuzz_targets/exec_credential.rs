//! Fuzzes the parser of a credential plugin's output. No bytes may make it panic.
//! `cargo +nightly fuzz run exec_credential`

#![no_main]

libfuzzer_sys::fuzz_target!(|output: &[u8]| {
    locustctl::fuzzing::exec_credential(output);
});
