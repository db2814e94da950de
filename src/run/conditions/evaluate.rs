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
            Metric::FailureShare => Ok(Figure::of_float(row.failure_percent())),
            Metric::Users => Err("the number of users is known only for the whole test"),
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

#[cfg(test)]
mod tests {
    use super::super::super::examples;
    use super::*;

    fn evaluate(text: &str) -> ConditionResult {
        let condition: Condition = text.parse().unwrap();
        condition.evaluate(ConditionKind::FailIf, &examples::results(), Some(9))
    }

    #[test]
    fn every_metric_is_compared_with_locusts_number() {
        for (text, status, value) in [
            ("p95 > 25ms", Status::Met, "26"),
            ("p95 > 26ms", Status::Passed, "26"),
            ("p99.99 >= 810ms", Status::Met, "810"),
            ("p100 > 1s", Status::Passed, "810"),
            ("min < 1.0370000000001ms", Status::Passed, "1.0370000000001"),
            ("max > 812.2ms", Status::Met, "812.25"),
            ("avg == 8.75ms", Status::Met, "8.75"),
            ("median != 7ms", Status::Passed, "7"),
            ("rps < 19.2", Status::Met, "19.19"),
            ("requests < 200", Status::Passed, "200"),
            ("failures > 7", Status::Met, "8"),
            ("failures > 4%", Status::Passed, "4"),
            ("failures > 3.99%", Status::Met, "4"),
            ("users < 10", Status::Met, "9"),
            ("GET /login: max > 812ms", Status::Met, "812.25"),
            ("GET /login: failures > 1%", Status::Passed, "1"),
            ("Aggregated: requests == 200", Status::Met, "200"),
        ] {
            let result = evaluate(text);
            assert_eq!(
                (&result.status, result.value.as_ref().map(Figure::text)),
                (&status, Some(value)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_that_does_not_exist_fails_the_condition() {
        for (text, why) in [
            ("GET /nope: failures > 1", "the results have no such request"),
            ("PUT /login: failures > 1", "the results have no such request"),
            ("POST /login: p95 > 1s", "there were no requests"),
            ("POST /login: max > 1s", "there were no requests"),
            ("p42 > 1s", "the results do not have this percentile"),
        ] {
            let result = evaluate(text);
            assert_eq!(result.status, Status::NoValue(why.to_owned()), "{text}");
            assert!(result.is_failed());
        }
        let users: Condition = "users < 10".parse().unwrap();
        let result = users.evaluate(ConditionKind::FailIf, &examples::results(), None);
        assert_eq!(result.explanation(), "users < 10: the test never had all its users");
    }

    #[test]
    fn a_name_without_a_method_stands_for_all_methods() {
        let result = evaluate("/login: failures > 0");
        assert_eq!(result.request.as_deref(), Some("GET /login"));
        assert_eq!(result.explanation(), "/login: failures > 0: 1 (GET /login)");
        let result = evaluate("/login: requests < 1");
        assert_eq!(result.request.as_deref(), Some("POST /login"));
    }

    #[test]
    fn a_rounded_value_never_contradicts_the_result() {
        let result = evaluate("GET /login: max > 812.24ms");
        assert_eq!(result.value_text().as_deref(), Some("812.25 ms"));
        let result = evaluate("GET /: avg >= 5.13ms");
        assert_eq!(result.explanation(), "GET /: avg >= 5.13ms: 5.129 ms");
        assert_eq!(evaluate("GET /: avg > 5ms").value_text().as_deref(), Some("5.13 ms"));
    }

    #[test]
    fn a_running_test_has_the_metrics_that_locust_reports() {
        let live = LiveStatistics::parse(examples::live().to_string().as_bytes()).unwrap();
        let check = |text: &str| text.parse::<Condition>().unwrap().check_live(&live);
        for text in ["p95 > 1s", "p99 > 1s", "users < 3", "rps < 1", "failures > 5%", "max > 1s"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let error = check("p50 > 1s").unwrap_err();
        assert_eq!(error, "Locust does not report p50 of a running test, only p95, p99");
        let status = |text: &str| text.parse::<Condition>().unwrap().evaluate_live(&live).status;
        assert_eq!(status("users < 13"), Status::Met);
        assert_eq!(status("failures >= 2%"), Status::Met);
        assert_eq!(status("/slow: failures > 50%"), Status::Passed);
        assert!(matches!(status("/later: failures > 50%"), Status::NoValue(_)));
    }

    #[test]
    fn old_releases_do_not_report_the_rate_of_a_running_test() {
        let mut answer = examples::live();
        for row in answer["stats"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("total_rps");
        }
        let live = LiveStatistics::parse(answer.to_string().as_bytes()).unwrap();
        let condition: Condition = "rps < 5".parse().unwrap();
        assert!(condition.check_live(&live).unwrap_err().contains("this release"));
    }

    #[test]
    fn a_percentile_that_the_csv_lacks_is_known_before_the_test() {
        let header = examples::REQUESTS.replace("95%", "96%");
        let columns = Columns::parse(header.as_bytes()).unwrap();
        let condition: Condition = "p95 > 1s".parse().unwrap();
        let error = condition.check_columns(&columns).unwrap_err();
        assert!(error.starts_with("Locust's results do not have p95, only p50, p66"), "{error}");
        assert_eq!("p96 > 1s".parse::<Condition>().unwrap().check_columns(&columns), Ok(()));
        assert_eq!("users < 1".parse::<Condition>().unwrap().check_columns(&columns), Ok(()));
    }
}
