//! Fuzzes the kubeconfig reader. No content may make it panic or hang.
//! `cargo +nightly fuzz run kubeconfig`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::kubeconfig(content);
});
