//! Any bytes as YAML give a value or an error, without a panic or a hang. The value has the same meaning
//! after it is printed.
//! `cargo +nightly fuzz run yaml`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::yaml(content);
});
