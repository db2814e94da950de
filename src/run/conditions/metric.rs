//! The metrics that a condition can compare.

use super::super::results::Percentile;

/// A number in the results of a test. Times are in milliseconds, as in Locust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A percentile of the response times: `p95`.
    Percentile(Percentile),
    /// The shortest response time.
    Min,
    /// The longest response time.
    Max,
    /// The mean of the response times.
    Average,
    /// The median of the response times. Locust limits it to the range of `min` and `max`.
    Median,
    /// Requests per second since the start of the test.
    Rate,
    /// The number of requests.
    Requests,
    /// The number of failed requests.
    Failures,
    /// The failed requests in percent of all requests: `failures` with a `%`.
    FailureShare,
    /// The lowest number of users after the ramp-up; for `--abort-if` the current number.
    Users,
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Percent,
    PerSecond,
    Count,
}

/// How the metric is compared with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    NotEqual,
}

/// The value of a condition, in the unit of its metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    pub value: f64,
}

impl Metric {
    /// Reads the word before the comparison; `None` if there is no such metric.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Average,
            "median" => Self::Median,
            "rps" => Self::Rate,
            "requests" => Self::Requests,
            "failures" => Self::Failures,
            "users" => Self::Users,
            _ => Self::Percentile(Percentile::of_percent(word.strip_prefix('p')?)?),
        })
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Percentile(_) | Self::Min | Self::Max | Self::Average | Self::Median => {
                Unit::Milliseconds
            }
            Self::FailureShare => Unit::Percent,
            Self::Rate => Unit::PerSecond,
            Self::Requests | Self::Failures | Self::Users => Unit::Count,
        }
    }
}

impl Unit {
    /// The symbol of the unit. A count has none.
    pub(super) fn symbol(self) -> Option<&'static str> {
        match self {
            Self::Milliseconds => Some("ms"),
            Self::Percent => Some("%"),
            Self::PerSecond => Some("1/s"),
            Self::Count => None,
        }
    }
}

impl Comparison {
    pub(super) fn parse(operator: &str) -> Option<Self> {
        Some(match operator {
            ">" => Self::Above,
            ">=" => Self::AtLeast,
            "<" => Self::Below,
            "<=" => Self::AtMost,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            _ => return None,
        })
    }

    pub(super) fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }
}
