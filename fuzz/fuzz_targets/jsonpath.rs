//! Fuzzes JSONPath templates: parses and renders the text. No text may make it panic or hang.
//! `cargo +nightly fuzz run jsonpath`

#![no_main]

libfuzzer_sys::fuzz_target!(|template: &str| {
    locustctl::fuzzing::template("jsonpath", template);
});
