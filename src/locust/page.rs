//! Locust's page: its `window.templateArgs` has the state of the test. Locust never caches it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::json::first_object;
use super::release::Release;
use super::stats::is_running;

/// The values in the page that concern a running test.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Page {
    /// State of the runner, as in [`Stats::state`](super::stats::Stats::state).
    pub state: String,
    /// Users that are running.
    pub user_count: i64,
    /// Users of the last start through the web API. In releases up to 2.46.6 this is the master's
    /// `--users`, even if the running test has another number.
    #[serde(deserialize_with = "number")]
    pub num_users: Option<f64>,
    /// Users to start per second.
    #[serde(deserialize_with = "number")]
    pub spawn_rate: Option<f64>,
    /// The last run time that was sent, in seconds. It may belong to an earlier test.
    #[serde(deserialize_with = "seconds")]
    pub run_time: Option<u64>,
    /// A LoadTestShape sets the users, and the start form has no fields for them.
    #[serde(deserialize_with = "truth")]
    pub hide_common_options: bool,
    /// A LoadTestShape sets the users; the start form may have fields for them.
    #[serde(rename = "shape_use_common_options", deserialize_with = "is_given")]
    pub has_shape: bool,
    /// The start form has a choice of user classes (`--class-picker`).
    #[serde(deserialize_with = "truth")]
    pub show_userclass_picker: bool,
    /// Names of the custom options in the start form.
    #[serde(deserialize_with = "keys")]
    pub extra_options: Vec<String>,
    /// Names of the LoadTestShape classes, if the start form has a choice of classes.
    #[serde(deserialize_with = "texts")]
    pub available_shape_classes: Vec<String>,
    /// Connected workers.
    pub worker_count: Option<i64>,
    /// Locust's release.
    pub version: String,
    /// All user classes by name.
    #[serde(deserialize_with = "users")]
    pub users: BTreeMap<String, UserClass>,
    /// `None` if the answer has no `Date` header.
    #[serde(skip)]
    pub answer_time: Option<AnswerTime>,
}

/// The time of one answer, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerTime {
    /// By the clock of the server that answered, in full seconds: the `Date` header (RFC 9110, 6.6.1).
    pub by_server: OffsetDateTime,
    /// By the clock of this process.
    pub received: Instant,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserClass {
    /// The fixed number of users of this class; 0 if it depends on the weight.
    pub fixed_count: u64,
}

impl Page {
    /// Reads the values; `None` for releases before 2.16. Their page has no values.
    pub fn parse(html: &str) -> Option<Self> {
        let (_, rest) = html.split_once("window.templateArgs = ")?;
        first_object(rest.as_bytes())
    }

    /// A test is starting its users, or has them.
    pub fn is_running(&self) -> bool {
        is_running(&self.state)
    }

    /// A LoadTestShape sets the users.
    pub fn is_shaped(&self) -> bool {
        self.hide_common_options || self.has_shape
    }

    /// The release; `None` if it cannot be read.
    pub fn release(&self) -> Option<Release> {
        Release::parse(&self.version)
    }

    /// `num_users` is that of the last start through the web API.
    pub fn follows_starts(&self) -> bool {
        self.release().is_some_and(Release::follows_starts)
    }

    /// A new start cancels the timer of the run time.
    pub fn cancels_timer(&self) -> bool {
        self.release().is_some_and(Release::cancels_timer)
    }

    /// The users that a test has after a request for this number. If every user class has a
    /// `fixed_count`, they are at most the sum of these. `running` names the classes of this test if
    /// the start form has a choice of classes.
    pub fn reachable(&self, request: u64, running: Option<&[String]>) -> u64 {
        let is_running =
            |name: &str| running.is_none_or(|running| running.iter().any(|one| one == name));
        let fixed: Vec<u64> = self
            .users
            .iter()
            .filter(|(name, _)| is_running(name))
            .map(|(_, class)| class.fixed_count)
            .collect();
        match fixed.is_empty() || fixed.contains(&0) {
            true => request,
            false => fixed.iter().fold(0_u64, |sum, one| sum.saturating_add(*one)).min(request),
        }
    }
}

/// Reads a positive number. Some releases write numbers as strings.
fn number<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(positive(&Value::deserialize(deserializer)?))
}

fn positive(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite() && *number > 0.0)
}

/// Reads a number of seconds, or a string such as `1h20m`.
fn seconds<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = value.as_str().and_then(parse_run_time);
    Ok(text.or_else(|| positive(&value).map(|seconds| seconds as u64)).filter(|time| *time > 0))
}

/// Reads a run time as Locust does (`parse_timespan` in `util/timespan.py`): `20`, `20s`, `3m`, `2h`,
/// `1h20m`.
pub fn parse_run_time(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let unit = match rest[end..].chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let count: u64 = rest[..end].parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then_some(total)
}

fn is_given<'a, D: Deserializer<'a>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(!Value::deserialize(deserializer)?.is_null())
}

/// The keys of an object; none of any other value.
fn keys<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default())
}

/// A list of texts; none of any other value.
fn texts<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Reads the user classes; none if a release writes them in another form.
fn users<'a, D: Deserializer<'a>>(
    deserializer: D,
) -> Result<BTreeMap<String, UserClass>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Reads a value as true or false, as Python and JavaScript do.
fn truth<'a, D: Deserializer<'a>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(is_true) => is_true,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null => false,
        Value::Array(_) | Value::Object(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(args: &str) -> String {
        format!("<script>\n window.templateArgs = {args}\n </script> }}")
    }

    #[test]
    fn the_values_of_the_page_are_read() {
        let read = Page::parse(&page(
            r#"{"num_users": 60, "spawn_rate": "2.5", "run_time": "", "hide_common_options": null,
                "state": "running", "user_count": 15, "worker_count": 1, "version": "2.47.0", "x": "</script>"}"#,
        ))
        .unwrap();
        assert_eq!((read.num_users, read.spawn_rate), (Some(60.0), Some(2.5)));
        assert_eq!((read.run_time, read.hide_common_options), (None, false));
        let read = Page::parse(&page(
            r#"{"num_users": null, "spawn_rate": 0, "run_time": 90, "hide_common_options": "true"}"#,
        ))
        .unwrap();
        assert_eq!((read.num_users, read.spawn_rate), (None, None));
        assert_eq!((read.run_time, read.hide_common_options), (Some(90), true));
        for hostile in ["<html>", &page("{"), &page("[]"), &page("{\"num_users\": 1e999}")] {
            assert_eq!(Page::parse(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn a_shape_is_recognised_by_its_field() {
        for (text, expected) in [
            ("{}", false),
            (r#"{"shape_use_common_options": null}"#, false),
            (r#"{"shape_use_common_options": false}"#, true),
            (r#"{"shape_use_common_options": true}"#, true),
        ] {
            assert_eq!(Page::parse(&page(text)).unwrap().is_shaped(), expected, "{text}");
        }
    }

    #[test]
    fn run_times_are_read_like_in_locust() {
        for (text, expected) in [
            ("20", Some(20)),
            ("20s", Some(20)),
            ("3m", Some(180)),
            ("1h20m", Some(4800)),
            ("3h30m10s", Some(12610)),
            ("", None),
            ("m", None),
            ("5x", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(parse_run_time(text), expected, "{text}");
        }
    }

    #[test]
    fn classes_with_a_fixed_count_limit_the_users() {
        let fixed = Page::parse(&page(
            r#"{"users": {"A": {"fixed_count": 2, "weight": 1}, "B": {"fixed_count": 4}}}"#,
        ))
        .unwrap();
        assert_eq!((fixed.reachable(60, None), fixed.reachable(3, None)), (6, 3));
        assert_eq!(fixed.reachable(60, Some(&["A".to_owned()])), 2);
        let mixed =
            Page::parse(&page(r#"{"users": {"A": {"fixed_count": 2}, "B": {"fixed_count": 0}}}"#))
                .unwrap();
        assert_eq!(mixed.reachable(60, None), 60);
        assert_eq!(mixed.reachable(60, Some(&["A".to_owned()])), 2);
        assert_eq!(Page::default().reachable(60, None), 60);
    }
}
