//! Any bytes as certificates, keys and authorities give a result or an error, without a panic or a
//! hang. `cargo +nightly fuzz run pem`

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    locustctl::fuzzing::pem(content);
});
