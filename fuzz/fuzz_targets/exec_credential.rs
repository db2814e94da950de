//! Any text as the answer of a credential plugin is accepted or refused, without a panic.
//! `cargo +nightly fuzz run exec_credential`

#![no_main]

libfuzzer_sys::fuzz_target!(|output: &str| {
    let _ = locustctl::cluster::credentials::is_plugin_answer(output);
});
