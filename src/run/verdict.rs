//! The verdict on a test.

use super::conditions::{Condition, ConditionKind, ConditionResult};
use super::results::Results;

/// The verdict on a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// The test could not be run, or it has no results.
    NotRun,
}

/// The verdict with its conditions and reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Each condition with its value. A condition of `--abort-if` is listed only if it ended the
    /// test.
    pub conditions: Vec<ConditionResult>,
    /// The reason why the verdict is not "passed", as sentences without a full stop.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// The verdict as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        }
    }
}

/// Judges the final results. Without `--fail-if`, a test with a failed request has failed. A test
/// without any request has always failed. `aborted` is the condition of `--abort-if` that ended the
/// test. `lowest_users` is the lowest number of users after the ramp-up; `None` if the test never had
/// all its users.
pub fn judge(
    fail_if: &[Condition],
    aborted: Option<ConditionResult>,
    results: &Results,
    lowest_users: Option<u64>,
) -> Judgement {
    let evaluate = |condition: &Condition, kind: ConditionKind| {
        condition.evaluate(kind, results, lowest_users)
    };
    let mut conditions: Vec<_> =
        fail_if.iter().map(|condition| evaluate(condition, ConditionKind::FailIf)).collect();
    if fail_if.is_empty() {
        conditions.push(evaluate(&Condition::any_failure(), ConditionKind::Default));
    }
    conditions.extend(aborted);
    let no_requests =
        results.statistics.total.is_empty().then(|| "the test made no requests".to_owned());
    let failed = conditions.iter().filter(|one| one.is_failed());
    let reasons: Vec<_> = no_requests.into_iter().chain(failed.map(reason)).collect();
    let verdict = if reasons.is_empty() { Verdict::Passed } else { Verdict::Failed };
    Judgement { verdict, conditions, reasons }
}

/// The judgement on a test that could not be run, or has no results. `error` says why.
pub fn not_judged(fail_if: &[Condition], error: String) -> Judgement {
    let conditions = fail_if.iter().cloned();
    let conditions = conditions
        .map(|condition| ConditionResult::not_evaluated(condition, ConditionKind::FailIf));
    Judgement { verdict: Verdict::NotRun, conditions: conditions.collect(), reasons: vec![error] }
}

fn reason(result: &ConditionResult) -> String {
    match result.kind {
        ConditionKind::AbortIf => {
            format!("the test was ended by --abort-if: {}", result.explanation())
        }
        ConditionKind::FailIf | ConditionKind::Default => result.explanation(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    fn conditions(texts: &[&str]) -> Vec<Condition> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_condition_that_is_met_fails_the_test() {
        let texts = ["p95 > 1s", "failures > 10%", "GET /login: max > 800ms"];
        let judgement = judge(&conditions(&texts), None, &examples::results(), None);
        assert_eq!(judgement.verdict, Verdict::Failed);
        assert_eq!(judgement.reasons, ["GET /login: max > 800ms: 812.25 ms"]);
        assert_eq!(judgement.conditions.len(), 3);
        let judgement = judge(&conditions(&texts[..2]), None, &examples::results(), None);
        assert_eq!((judgement.verdict, judgement.reasons.len()), (Verdict::Passed, 0));
    }

    #[test]
    fn without_conditions_any_failure_fails_the_test() {
        let judgement = judge(&[], None, &examples::results(), None);
        assert_eq!(judgement.verdict, Verdict::Failed);
        assert_eq!(judgement.reasons, ["failures > 0: 8"]);
    }

    #[test]
    fn a_test_without_requests_has_failed() {
        for texts in [&[][..], &["failures > 5"]] {
            let judgement = judge(&conditions(texts), None, &examples::no_requests(), None);
            assert_eq!(judgement.verdict, Verdict::Failed, "{texts:?}");
            assert_eq!(judgement.reasons, ["the test made no requests"]);
        }
    }

    #[test]
    fn an_aborted_test_has_failed() {
        let live = examples::live().to_string();
        let live = super::super::results::LiveStatistics::parse(live.as_bytes()).unwrap();
        let aborted = conditions(&["users < 13"])[0].evaluate_live(&live);
        let passing = conditions(&["p95 > 1s"]);
        let judgement = judge(&passing, Some(aborted), &examples::results(), None);
        assert_eq!(judgement.verdict, Verdict::Failed);
        assert_eq!(judgement.reasons, ["the test was ended by --abort-if: users < 13: 12"]);
    }

    #[test]
    fn a_test_without_results_is_not_judged() {
        let judgement = not_judged(&conditions(&["p95 > 1s"]), "start: no answer".to_owned());
        assert_eq!(judgement.verdict, Verdict::NotRun);
        assert!(!judgement.conditions[0].is_failed());
    }
}
