//! Any text as a JSONPath template: filled in or refused, never a panic or a hang.
//! `cargo +nightly fuzz run jsonpath`

#![no_main]

libfuzzer_sys::fuzz_target!(|template: &str| {
    locustctl::output::try_template("jsonpath", template);
});
