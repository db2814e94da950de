//! Reads the text of a condition.

use std::str::FromStr;

use super::condition::Condition;
use super::metric::{Comparison, Limit, Metric, Unit};

const METRICS: &str = "p50 to p100, min, max, avg, median, rps, requests, failures or users";

const OPERATORS: &str = ">, >=, <, <=, == or !=";

/// The longest number. It has 15 digits, which a 64-bit float keeps.
const MAX_DIGITS: usize = 15;

/// The longest condition, in bytes. A name may be a long URL.
const MAX_LENGTH: usize = 16 * 1024;

/// A condition that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("at character {at}: {problem}. Example: {example}")]
pub struct ConditionError {
    /// The place of the mistake: a character's number, counted from 1.
    pub at: usize,
    problem: String,
    example: &'static str,
}

const EXAMPLE: &str = "p95 > 800ms";

/// A part of the condition, with its place in the whole text.
#[derive(Clone, Copy)]
struct Part<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        condition(text)
    }
}

/// Reads `[NAME: ]METRIC OP VALUE`.
///
/// # Errors
/// The place and the kind of the mistake.
pub(super) fn condition(text: &str) -> Result<Condition, ConditionError> {
    let whole = text.trim();
    if whole.len() > MAX_LENGTH {
        let problem = format!("the condition is longer than {MAX_LENGTH} bytes");
        return Err(ConditionError { at: MAX_LENGTH, problem, example: EXAMPLE });
    }
    // Offsets count from the text as it was typed.
    let whole = text.trim_end();
    let (request, rest) = match whole.rsplit_once(": ") {
        Some((name, rest)) => (Some(name.trim_start()), rest),
        None => (None, whole),
    };
    let mut part = Part { whole, rest };
    if request.is_some_and(str::is_empty) {
        part.rest = whole.trim_start();
        return Err(part.error("the name of the request is empty", "GET /login: p95 > 800ms"));
    }
    let metric = part.metric()?;
    let comparison = part.comparison(metric)?;
    let (metric, limit) = part.value(metric)?;
    if request.is_some() && metric == Metric::Users {
        part.rest = rest.trim_start();
        return Err(
            part.error("users is a metric of the whole test, not of a request", "users < 1000")
        );
    }
    Ok(Condition {
        text: whole.trim_start().to_owned(),
        request: request.map(str::to_owned),
        metric,
        comparison,
        limit,
    })
}

impl<'a> Part<'a> {
    /// An error at the beginning of the rest.
    fn error(&self, problem: impl Into<String>, example: &'static str) -> ConditionError {
        let before = &self.whole[..self.whole.len() - self.rest.len()];
        ConditionError { at: before.chars().count() + 1, problem: problem.into(), example }
    }

    /// Skips spaces, and takes the characters that `is_part` accepts. The second result is the rest of the text
    /// from the first of these characters on. Its position is for an error.
    fn take_word(&mut self, is_part: impl Fn(char) -> bool) -> (&'a str, Self) {
        self.rest = self.rest.trim_start();
        let word = *self;
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (taken, word)
    }

    fn metric(&mut self) -> Result<Metric, ConditionError> {
        let (word, start) = self.take_word(|c| !c.is_whitespace() && !is_operator(c));
        if word.is_empty() {
            return Err(start.error(format!("the metric is missing: use {METRICS}"), EXAMPLE));
        }
        Metric::parse(word).ok_or_else(|| {
            let problem = format!("{word:?} is not a metric: use {METRICS}");
            match self.whole.contains(':') {
                true => start.error(
                    format!("{problem}. The name of a request ends with a colon and a space"),
                    "GET /login: p95 > 800ms",
                ),
                false => start.error(problem, EXAMPLE),
            }
        })
    }

    fn comparison(&mut self, metric: Metric) -> Result<Comparison, ConditionError> {
        let (word, start) = self.take_word(is_operator);
        Comparison::parse(word).ok_or_else(|| {
            let problem = match word {
                "" => format!("the comparison is missing: use {OPERATORS}"),
                "=" => "use == to compare for equality".to_owned(),
                word => format!("{word:?} is not a comparison: use {OPERATORS}"),
            };
            start.error(problem, example(metric))
        })
    }

    fn value(&mut self, metric: Metric) -> Result<(Metric, Limit), ConditionError> {
        let (number, start) = self.take_word(|c| c.is_ascii_digit() || c == '.');
        let refused = |problem: &str| start.error(problem, example(metric));
        if number.is_empty() {
            let problem = match start.rest.chars().next() {
                None => "the value is missing".to_owned(),
                Some('-') => "the value must not be negative".to_owned(),
                Some(_) => format!("{:?} is not a number", start.rest),
            };
            return Err(refused(&problem));
        }
        if !is_number(number) {
            return Err(refused(&format!(
                "{number:?} is not a number of at most {MAX_DIGITS} digits"
            )));
        }
        let (unit, unit_start) = self.take_word(|_| true);
        let wrong = |problem: String| Err(unit_start.error(problem, example(metric)));
        let is_count = !number.contains('.');
        let (metric, exponent) = match (metric.unit(), unit) {
            (Unit::Milliseconds, "ms") | (Unit::PerSecond, "") => (metric, 0),
            (Unit::Milliseconds, "s") => (metric, 3),
            (Unit::Milliseconds, "") => return wrong("the time needs a unit: ms or s".to_owned()),
            (Unit::Milliseconds, _) => {
                return wrong(format!("{unit:?} is not a unit of time: use ms or s"));
            }
            (Unit::Count, "%") if metric == Metric::Failures => (Metric::FailureShare, 0),
            (Unit::Count, "") if is_count => (metric, 0),
            (Unit::Count, "") => {
                return Err(refused(&format!("{number:?} is not a whole number")));
            }
            (Unit::Count, _) if metric == Metric::Failures => {
                return wrong(format!("{unit:?} is not a unit of failures: use % or no unit"));
            }
            _ => return wrong(format!("this metric has no unit, but the value has {unit:?}")),
        };
        if metric == Metric::FailureShare && number.parse::<f64>().is_ok_and(|share| share > 100.0)
        {
            return Err(refused("the share of failed requests is never above 100%"));
        }
        // The exponent is part of the text, so that the value is rounded only once.
        match format!("{number}e{exponent}").parse() {
            Ok(value) => Ok((metric, Limit { value })),
            Err(_) => Err(refused(&format!("{number:?} is not a number"))),
        }
    }
}

fn is_operator(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!')
}

/// Digits, with at most one point between them.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction) && text.len() <= MAX_DIGITS + 1
}

/// A right condition with this metric.
fn example(metric: Metric) -> &'static str {
    match metric {
        Metric::Percentile(_) => EXAMPLE,
        Metric::Min => "min > 100ms",
        Metric::Max => "max > 5s",
        Metric::Average => "avg > 300ms",
        Metric::Median => "median > 200ms",
        Metric::Rate => "rps < 50",
        Metric::Requests => "requests < 1000",
        Metric::Failures | Metric::FailureShare => "failures > 1%",
        Metric::Users => "users < 1000",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Condition {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn conditions_are_read() {
        use Comparison as C;
        use Metric as M;
        let p = |text| {
            M::Percentile(super::super::super::results::Percentile::of_percent(text).unwrap())
        };
        for (text, metric, comparison, value) in [
            ("p95 > 800ms", p("95"), C::Above, 800.0),
            ("p95>0.8s", p("95"), C::Above, 800.0),
            ("  p99.9 >= 1.1 s ", p("99.9"), C::AtLeast, 1100.0),
            ("p50 != 3ms", p("50"), C::NotEqual, 3.0),
            ("min < 1ms", M::Min, C::Below, 1.0),
            ("max > 5s", M::Max, C::Above, 5000.0),
            ("avg > 12.5ms", M::Average, C::Above, 12.5),
            ("median <= 7ms", M::Median, C::AtMost, 7.0),
            ("rps < 49.5", M::Rate, C::Below, 49.5),
            ("requests == 0", M::Requests, C::Equal, 0.0),
            ("failures > 0", M::Failures, C::Above, 0.0),
            ("failures > 1%", M::FailureShare, C::Above, 1.0),
            ("failures >0.05 %", M::FailureShare, C::Above, 0.05),
            ("users < 1000", M::Users, C::Below, 1000.0),
        ] {
            let read = parse(text);
            assert_eq!(
                (read.metric, read.comparison, read.limit.value),
                (metric, comparison, value),
                "{text}"
            );
            assert_eq!((read.request, read.text.as_str()), (None, text.trim()), "{text}");
        }
    }

    #[test]
    fn the_last_colon_and_space_end_the_name() {
        for (text, name) in [
            ("GET /login: p95 > 800ms", "GET /login"),
            ("GET http://h:80/a: b: p95 > 800ms", "GET http://h:80/a: b"),
            ("/a b:  p95 > 800ms", "/a b"),
            ("größe, \"x\": p95 > 800ms", "größe, \"x\""),
        ] {
            assert_eq!(parse(text).request.as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn mistakes_are_reported_with_their_place_and_an_example() {
        for (text, expected) in [
            (
                "",
                "at character 1: the metric is missing: use p50 to p100, min, max, avg, median, rps, \
                  requests, failures or users. Example: p95 > 800ms",
            ),
            (
                "P95 > 1s",
                "at character 1: \"P95\" is not a metric: use p50 to p100, min, max, avg, median, \
                          rps, requests, failures or users. Example: p95 > 800ms",
            ),
            (
                "GET /login:p95 > 1s",
                "at character 1: \"GET\" is not a metric: use p50 to p100, min, max, \
                          avg, median, rps, requests, failures or users. The name of a request ends with a \
                          colon and a space. Example: GET /login: p95 > 800ms",
            ),
            (
                ": p95 > 1s",
                "at character 1: the name of the request is empty. Example: GET /login: p95 > 800ms",
            ),
            (
                "ä: p0 > 1s",
                "at character 4: \"p0\" is not a metric: use p50 to p100, min, max, avg, median, \
                            rps, requests, failures or users. The name of a request ends with a colon and a \
                            space. Example: GET /login: p95 > 800ms",
            ),
            (
                "p95",
                "at character 4: the comparison is missing: use >, >=, <, <=, == or !=. Example: p95 > 800ms",
            ),
            ("avg = 3ms", "at character 5: use == to compare for equality. Example: avg > 300ms"),
            (
                "avg => 3ms",
                "at character 5: \"=>\" is not a comparison: use >, >=, <, <=, == or !=. Example: avg > 300ms",
            ),
            ("rps <", "at character 6: the value is missing. Example: rps < 50"),
            ("rps < -1", "at character 7: the value must not be negative. Example: rps < 50"),
            ("rps < many", "at character 7: \"many\" is not a number. Example: rps < 50"),
            (
                "rps < 1.2.3",
                "at character 7: \"1.2.3\" is not a number of at most 15 digits. Example: rps < 50",
            ),
            (
                "rps < .5",
                "at character 7: \".5\" is not a number of at most 15 digits. Example: rps < 50",
            ),
            (
                "rps < 1e3",
                "at character 8: this metric has no unit, but the value has \"e3\". Example: rps < 50",
            ),
            (
                "rps < 5%",
                "at character 8: this metric has no unit, but the value has \"%\". Example: rps < 50",
            ),
            ("p95 > 800", "at character 10: the time needs a unit: ms or s. Example: p95 > 800ms"),
            (
                "max > 5m",
                "at character 8: \"m\" is not a unit of time: use ms or s. Example: max > 5s",
            ),
            (
                "failures > 5ms",
                "at character 13: \"ms\" is not a unit of failures: use % or no unit. Example: failures > 1%",
            ),
            (
                "requests < 1.5",
                "at character 12: \"1.5\" is not a whole number. Example: requests < 1000",
            ),
            (
                "users < 9%",
                "at character 10: this metric has no unit, but the value has \"%\". Example: users < 1000",
            ),
            (
                "GET /: users < 9",
                "at character 8: users is a metric of the whole test, not of a request. Example: users < 1000",
            ),
            (
                "p95 > 1s p99 > 2s",
                "at character 8: \"s p99 > 2s\" is not a unit of time: use ms or s. Example: p95 > 800ms",
            ),
        ] {
            assert_eq!(condition(text).unwrap_err().to_string(), expected, "{text}");
        }
        let long = format!("{}: p95 > 1s", "x".repeat(MAX_LENGTH));
        assert!(condition(&long).unwrap_err().to_string().contains("longer than"));
    }

    #[test]
    fn every_example_is_a_condition() {
        for metric in ["p95", "min", "max", "avg", "median", "rps", "requests", "failures", "users"]
        {
            let text = example(Metric::parse(metric).unwrap());
            assert!(text.starts_with(metric), "{text}");
            parse(text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_at_one_of_its_characters() {
        let parts =
            ["p95", "GET /", ": ", ":", " ", ">", "=", "<", "8", ".", "ms", "s", "%", "ü", "users"];
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..5_000 {
            let count = random.usize(..8);
            let text: String = (0..count).map(|_| parts[random.usize(..parts.len())]).collect();
            match condition(&text) {
                Ok(read) => assert_eq!(parse(&read.text), read, "{text}"),
                Err(error) => assert!(error.at <= text.chars().count() + 1, "{text}: {error}"),
            }
        }
    }
}
