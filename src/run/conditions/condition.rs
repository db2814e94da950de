//! A condition on the results of a test.

use std::fmt;

use super::metric::{Comparison, Limit, Metric};

/// A condition such as `p95 > 800ms` or `GET /login: failures > 1%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The condition as it was typed, without spaces around it.
    pub(super) text: String,
    /// The request's name: the method, a space and the name, or only the name. `None` for the sum
    /// of all requests.
    pub(super) request: Option<String>,
    pub(super) metric: Metric,
    pub(super) comparison: Comparison,
    pub(super) limit: Limit,
}

impl Condition {
    /// The condition that judges a test without `--fail-if`: any failed request. Locust's own exit
    /// code follows the same rule.
    pub fn any_failure() -> Self {
        Self {
            text: "failures > 0".to_owned(),
            request: None,
            metric: Metric::Failures,
            comparison: Comparison::Above,
            limit: Limit { value: 0.0 },
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
