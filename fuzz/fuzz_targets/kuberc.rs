//! Any bytes as a kuberc give preferences or an error, without a panic or a hang.
//! `cargo +nightly fuzz run kuberc`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::kuberc(content);
});
