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
    /// Why the verdict is not "passed", as sentences without a full stop.
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
    let total = &results.statistics.total;
    let no_requests = (total.requests == 0 && total.failures == 0)
        .then(|| "the test made no requests".to_owned());
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
