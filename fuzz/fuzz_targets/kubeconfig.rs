//! Any bytes as a kubeconfig give an access or an error, without a panic or a hang.
//! `cargo +nightly fuzz run kubeconfig`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::kubeconfig(content);
});
