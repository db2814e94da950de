//! Fuzzes the kuberc reader. No content may make it panic or hang.
//! `cargo +nightly fuzz run kuberc`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::kuberc(content);
});
