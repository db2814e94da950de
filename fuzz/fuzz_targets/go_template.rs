//! Fuzzes Go templates: parses and renders the text. No text may make it panic or hang.
//! `cargo +nightly fuzz run go_template`

#![no_main]

libfuzzer_sys::fuzz_target!(|template: &str| {
    locustctl::fuzzing::template("go-template", template);
});
