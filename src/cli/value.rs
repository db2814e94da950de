//! Parsers of flag values, with Go's error texts.

use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParser};

use crate::locust::parse_run_time;
use crate::scaling::manifests::split_filenames;
use crate::text::go;

/// The value of `--by`: the number of replicas to add or, if negative, to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativeCount(pub i64);

/// The value of one `-f`: names, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNames(pub Vec<String>);

/// A whole number of seconds, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

/// The longest run time, in seconds: one year.
const MAX_RUN_TIME: u64 = 365 * 24 * 3600;

/// The value of `--option`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    /// The name in Locust's form, with `_` instead of `-`.
    pub key: String,
    pub value: String,
}

/// A run time as Locust or Go writes it: `90`, `1h20m`, `1m30s`.
pub fn run_time() -> ValueParser {
    ValueParser::from(|text: &str| {
        let go = || go::Duration::parse(text).ok().and_then(go::Duration::positive);
        // Locust knows only whole seconds.
        let rounded =
            |time: std::time::Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        match parse_run_time(text).or_else(|| go().map(rounded)) {
            Some(seconds @ 1..=MAX_RUN_TIME) => Ok(Seconds(seconds)),
            Some(seconds) if seconds > MAX_RUN_TIME => {
                Err("must not be longer than 8760h, which is one year")
            }
            _ => Err("must be a time such as 20s, 10m or 1h30m, and longer than 0s"),
        }
    })
}

/// A count, at least 1.
pub fn count() -> ValueParser {
    ValueParser::from(|text: &str| match text.parse::<u32>() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(format!("must be a number from 1 to {}", u32::MAX)),
    })
}

/// Users per second.
pub fn spawn_rate() -> ValueParser {
    ValueParser::from(|text: &str| match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("must be a number of users per second, greater than 0"),
    })
}

/// `KEY=VALUE`
pub fn key_value() -> ValueParser {
    ValueParser::from(|text: &str| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            let key = key.trim_start_matches('-').replace('-', "_");
            Ok(KeyValue { key, value: value.to_owned() })
        }
        _ => Err("must have the form KEY=VALUE"),
    })
}

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

/// The path of a file to write. An empty path is a mistake, for example an empty variable of a script.
pub fn file() -> ValueParser {
    ValueParser::from(|text: &str| match text {
        "" => Err("the path is empty"),
        text => Ok(PathBuf::from(text)),
    })
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
