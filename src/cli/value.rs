//! Parsers of flag values, with Go's error texts.

use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParser};

use crate::scaling::manifests::split_filenames;
use crate::text::go;

/// The value of `--by`: the number of replicas to add or, if negative, to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativeCount(pub i64);

/// The value of one `-f`: names, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNames(pub Vec<String>);

/// The parser of `-f`.
pub fn file_names() -> ValueParser {
    ValueParser::from(|text: &str| split_filenames(text).map(FileNames))
}

/// A Go integer literal: `3`, `0x10`, `1_000`.
pub fn go_int() -> ValueParser {
    ValueParser::from(go::parse_int)
}

/// The log level of klog. Go reads it with base 10, unlike pflag's own integers.
pub fn klog_level() -> ValueParser {
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

/// A Go duration that is not negative: `1m30s`.
pub fn go_duration() -> ValueParser {
    ValueParser::from(|text: &str| match go::Duration::parse(text)? {
        duration if duration < go::Duration(0) => Err("must not be negative".to_owned()),
        duration => Ok(duration),
    })
}

/// A path. An empty path is valid: as in kubectl, it has the same effect as no flag.
pub fn path() -> ValueParser {
    ValueParser::from(StringValueParser::new().map(PathBuf::from))
}

/// `+N` or `-N`. The sign is required, since `--by=3` is easily confused with `--replicas=3`.
pub fn relative_count() -> ValueParser {
    ValueParser::from(|text: &str| match text.as_bytes() {
        [b'+' | b'-', b'0'..=b'9', ..] => go::parse_int(text).map(RelativeCount),
        _ => Err(format!(
            "{} is not a signed number: use +COUNT or -COUNT, or --replicas for an absolute number",
            go::quote(text)
        )),
    })
}

/// Any text. `values` are only for completion; the command checks the value later, in kubectl's
/// order of checks.
pub fn text_with_suggestions(values: &'static [&'static str]) -> ValueParser {
    ValueParser::new(SuggestedValues(values))
}

#[derive(Clone)]
struct SuggestedValues(&'static [&'static str]);

impl TypedValueParser for SuggestedValues {
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
