//! Readers of flag values, with Go's texts for what cannot be read.

use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParser};

use crate::scaling::manifests::split_filenames;
use crate::text::go;

/// `--by`: by how many replicas, and in which direction; never 0 by accident, since the sign
/// must be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change(pub i64);

/// One `-f`: names with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNames(pub Vec<String>);

/// The names of one `-f`.
pub fn file_names() -> ValueParser {
    ValueParser::from(|text: &str| split_filenames(text).map(FileNames))
}

/// A Go integer literal: `3`, `0x10`, `1_000`.
pub fn go_int() -> ValueParser {
    ValueParser::from(go::parse_int)
}

/// klog's level: read by `strconv.ParseInt` with base 10, unlike pflag's own integers.
pub fn go_level() -> ValueParser {
    ValueParser::from(|text: &str| {
        text.parse::<i32>().map(i64::from).map_err(|error| {
            let what = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    "value out of range"
                }
                _ => "invalid syntax",
            };
            format!("strconv.ParseInt: parsing {}: {what}", go::quote(text))
        })
    })
}

/// A Go boolean: `true`, `T`, `1`, …
pub fn go_bool() -> ValueParser {
    ValueParser::from(go::parse_bool)
}

/// A Go duration: `1m30s`, `-1s`.
pub fn signed_go_duration() -> ValueParser {
    ValueParser::from(go::Duration::parse)
}

/// A Go duration: `1m30s`; not negative.
pub fn go_duration() -> ValueParser {
    ValueParser::from(|text: &str| match go::Duration::parse(text)? {
        duration if duration < go::Duration(0) => Err("must not be negative".to_owned()),
        duration => Ok(duration),
    })
}

/// A path; unlike clap's own, an empty one is taken, since kubectl reads it as not given.
pub fn path() -> ValueParser {
    ValueParser::from(StringValueParser::new().map(PathBuf::from))
}

/// `+N` or `-N`. The sign is required: `--by=3` could as well be meant as `--replicas=3`.
pub fn change() -> ValueParser {
    ValueParser::from(|text: &str| match text.as_bytes() {
        [b'+' | b'-', b'0'..=b'9', ..] => go::parse_int(text).map(Change),
        _ => Err(format!("{} is not +COUNT or -COUNT", go::quote(text))),
    })
}

/// Any text, with these for completion: what else is wrong is said later, in kubectl's order.
pub fn suggested(values: &'static [&'static str]) -> ValueParser {
    ValueParser::new(Suggested(values))
}

#[derive(Clone)]
struct Suggested(&'static [&'static str]);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}
