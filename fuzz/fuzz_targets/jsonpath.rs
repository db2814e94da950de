//! Any text as a JSONPath template is rendered or refused, without a panic or a hang.
//! `cargo +nightly fuzz run jsonpath`

#![no_main]

libfuzzer_sys::fuzz_target!(|template: &str| {
    locustctl::fuzzing::template("jsonpath", template);
});
