//! Evaluates a condition on results.

use super::super::results::{
    Columns, Figure, LiveStatistics, Percentile, Results, Row, Statistics,
};
use super::condition::Condition;
use super::metric::Metric;
use super::result::{ConditionKind, ConditionResult, Status};

impl Condition {
    /// Compares the condition with the final results. `lowest_users` is the lowest number of users
    /// after the ramp-up; `None` if the test never had all its users.
    pub fn evaluate(
        &self,
        kind: ConditionKind,
        results: &Results,
        lowest_users: Option<u64>,
    ) -> ConditionResult {
        if self.metric == Metric::Users {
            let why = "the test never had all its users";
            return self.result(kind, None, lowest_users.map(Figure::of_count).ok_or(why));
        }
        self.judge(kind, &results.statistics)
    }

    /// Compares the condition with the statistics of the running test. A request without any value
    /// yet has the status [`Status::NoValue`].
    pub fn evaluate_live(&self, live: &LiveStatistics) -> ConditionResult {
        if self.metric == Metric::Users {
            return self.result(ConditionKind::AbortIf, None, Ok(Figure::of_count(live.users)));
        }
        self.judge(ConditionKind::AbortIf, &live.statistics)
    }

    /// Checks that the final results will have the metric.
    ///
    /// # Errors
    /// Locust's CSV has no such percentile.
    pub fn check_columns(&self, columns: &Columns) -> Result<(), String> {
        match self.metric {
            Metric::Percentile(percentile) => has_percentile(columns.percentiles(), percentile)
                .map_err(|others| {
                    format!("Locust's results do not have p{percentile}, only {others}")
                }),
            _ => Ok(()),
        }
    }

    /// Checks that the statistics of the running test have the metric. Locust sends them with the
    /// same fields before the test.
    ///
    /// # Errors
    /// They do not have it.
    pub fn check_live(&self, live: &LiveStatistics) -> Result<(), String> {
        let total = &live.statistics.total;
        match self.metric {
            Metric::Percentile(percentile) => {
                let known: Vec<_> = total.percentiles.iter().map(|(one, _)| *one).collect();
                has_percentile(&known, percentile).map_err(|others| {
                    format!("Locust does not report p{percentile} of a running test, only {others}")
                })
            }
            Metric::Rate if total.rate.is_none() => {
                Err("this release of Locust does not report the rps of a running test".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn judge(&self, kind: ConditionKind, statistics: &Statistics) -> ConditionResult {
        let Some(name) = &self.request else {
            return self.result(kind, None, self.value(&statistics.total));
        };
        let mut result = None;
        for row in statistics.find(name) {
            let one = self.result(kind, Some(row.label()), self.value(row));
            if one.is_failed() {
                return one;
            }
            result.get_or_insert(one);
        }
        result.unwrap_or_else(|| self.result(kind, None, Err("the results have no such request")))
    }

    /// The value of the metric in a row. A row without requests has no response times.
    fn value(&self, row: &Row) -> Result<Figure, &'static str> {
        let time = |figure: &Figure| match row.requests {
            0 => Err("there were no requests"),
            _ => Ok(figure.clone()),
        };
        match self.metric {
            Metric::Min => time(&row.min),
            Metric::Max => time(&row.max),
            Metric::Average => time(&row.average),
            Metric::Median => time(&row.median),
            Metric::Percentile(percentile) => match row.percentile(percentile) {
                Some(figure) => time(figure),
                None if row.requests == 0 => Err("there were no requests"),
                None => Err("the results do not have this percentile"),
            },
            Metric::Rate => row.rate.clone().ok_or("the results do not have the rps"),
            Metric::Requests => Ok(Figure::of_count(row.requests)),
            Metric::Failures => Ok(Figure::of_count(row.failures)),
            Metric::FailureShare => Ok(Figure::of_float(row.failure_share() * 100.0)),
            Metric::Users => Err("users belong to the whole test"),
        }
    }

    fn result(
        &self,
        kind: ConditionKind,
        request: Option<String>,
        value: Result<Figure, &str>,
    ) -> ConditionResult {
        let (value, status) = match value {
            Ok(figure) => match self.comparison.holds(figure.value(), self.limit.value) {
                true => (Some(figure), Status::Met),
                false => (Some(figure), Status::Passed),
            },
            Err(why) => (None, Status::NoValue(why.to_owned())),
        };
        ConditionResult { condition: self.clone(), kind, request, value, status }
    }
}

/// Looks a percentile up.
///
/// # Errors
/// The percentiles that there are, as text.
fn has_percentile(known: &[Percentile], wanted: Percentile) -> Result<(), String> {
    if known.contains(&wanted) {
        return Ok(());
    }
    let names: Vec<_> = known.iter().take(20).map(|one| format!("p{one}")).collect();
    Err(if names.is_empty() { "no percentiles".to_owned() } else { names.join(", ") })
}
