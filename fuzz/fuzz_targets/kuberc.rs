//! Any bytes as the content of a kuberc: preferences or an error, never a panic or a hang.
//! `cargo +nightly fuzz run kuberc`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let _ = locustctl::cluster::kuberc::from_content(content);
});
