//! A condition with the value that it was compared with.

use super::super::results::Figure;
use super::condition::Condition;
use super::metric::Unit;

/// A condition that was evaluated, or could not be.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionResult {
    pub condition: Condition,
    pub kind: ConditionKind,
    /// The request whose value was compared; `None` for the whole test.
    pub request: Option<String>,
    /// The value, in the unit of the metric; `None` if the results do not have it.
    pub value: Option<Figure>,
    pub status: Status,
}

/// The flag that a condition comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKind {
    /// `--fail-if`
    FailIf,
    /// `--abort-if`
    AbortIf,
    /// The condition of a test without `--fail-if`.
    Default,
}

/// The result of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The condition is not met.
    Passed,
    /// The condition is met.
    Met,
    /// The results do not have the value. The text is the reason. This fails the test.
    NoValue(String),
    /// The test has no final results, so the condition was not evaluated.
    NotEvaluated,
}

impl ConditionResult {
    /// A condition of a test without results.
    pub fn not_evaluated(condition: Condition, kind: ConditionKind) -> Self {
        Self { condition, kind, request: None, value: None, status: Status::NotEvaluated }
    }

    /// The condition makes the verdict "failed".
    pub fn is_failed(&self) -> bool {
        matches!(self.status, Status::Met | Status::NoValue(_))
    }

    /// The request whose value was compared, if the condition does not name it in full.
    pub fn found_request(&self) -> Option<&str> {
        let found = self.request.as_deref();
        found.filter(|name| self.condition.request.as_deref() != Some(*name))
    }

    /// The condition with its value, or with the reason why it has none.
    pub fn explanation(&self) -> String {
        let condition = &self.condition;
        match (&self.status, &self.value) {
            (Status::NoValue(why), _) => format!("{condition}: {why}"),
            (Status::NotEvaluated, _) => format!("{condition}: not evaluated"),
            (Status::Passed | Status::Met, Some(value)) => {
                let value = condition.value_text(value);
                match self.found_request() {
                    Some(name) => format!("{condition}: {value} ({name})"),
                    None => format!("{condition}: {value}"),
                }
            }
            (Status::Passed | Status::Met, None) => condition.to_string(),
        }
    }

    /// The unit of the value: `ms`, `%`, `1/s`, or none for a count.
    pub fn unit(&self) -> Option<&'static str> {
        self.condition.metric.unit().symbol()
    }

    /// The value with its unit; `None` without a value.
    pub fn value_text(&self) -> Option<String> {
        self.value.as_ref().map(|value| self.condition.value_text(value))
    }
}

impl Condition {
    /// The value with its unit. It is rounded to two decimals, or to more if the comparison with the
    /// rounded value would have another result.
    fn value_text(&self, value: &Figure) -> String {
        let holds = |number: f64| self.comparison.holds(number, self.limit.value);
        let is_right =
            |text: &String| text.parse::<f64>().is_ok_and(|n| holds(n) == holds(value.value()));
        let rounded = (2..=6).map(|decimals| value.rounded(decimals)).find(is_right);
        let text = rounded.unwrap_or_else(|| value.text().to_owned());
        match self.metric.unit() {
            Unit::PerSecond | Unit::Count => text,
            unit => format!("{text} {}", unit.symbol().unwrap_or_default()),
        }
    }
}
