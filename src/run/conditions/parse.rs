//! Reads the text of a condition.

use std::str::FromStr;

use super::condition::Condition;
use super::metric::{Comparison, Limit, Metric, Unit};

const METRICS: &str = "p50 to p99.99, min, max, avg, median, rps, requests, failures or users";

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
        return Err(part.error("users belong to the whole test, not to a request", "users < 1000"));
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

    /// Takes the characters of a kind, after spaces. The part then begins behind them; `word` is
    /// the part that begins with them.
    fn word(&mut self, is_part: impl Fn(char) -> bool) -> (&'a str, Self) {
        self.rest = self.rest.trim_start();
        let word = *self;
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (taken, word)
    }

    fn metric(&mut self) -> Result<Metric, ConditionError> {
        let (word, start) = self.word(|c| !c.is_whitespace() && !is_operator(c));
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
        let (word, start) = self.word(is_operator);
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
        let (number, start) = self.word(|c| c.is_ascii_digit() || c == '.');
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
        let (unit, unit_start) = self.word(|_| true);
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
