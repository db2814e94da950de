//! Any text as a Go template is rendered or refused, without a panic or a hang.
//! `cargo +nightly fuzz run go_template`

#![no_main]

libfuzzer_sys::fuzz_target!(|template: &str| {
    locustctl::fuzzing::template("go-template", template);
});
