//! Any bytes as the content of a manifest: objects and errors, never a panic or a hang.
//! `cargo +nightly fuzz run manifest`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let _ = locustctl::scaling::manifests::parse(content, "manifest");
});
