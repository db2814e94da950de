//! `locustctl run`: a load test from scale to verdict. Conditions judge its results, and reports show them.

mod conditions;
mod count;
#[cfg(test)]
mod examples;
mod final_results;
mod follow;
mod idle;
mod local_relay;
mod observations;
mod patience;
mod phase;
mod report;
mod requested_users;
mod results;
mod run_lock;
mod shortage;
mod start;
mod stop;
mod timeline;
mod user_command;
mod verdict;

pub use conditions::Condition;
pub use count::{PutBack, ReplacedCount, put_back, set_count, set_count_patiently};
pub use final_results::{FinalResults, Finality, ResultsReader};
pub use follow::{Follow, TestEnd, Tick};
pub use idle::{Idle, Waiting, wait_for_idle};
pub use local_relay::LocalRelay;
pub use observations::Observations;
pub use phase::PhaseKind;
pub use report::{Replicas, ReportFiles, RunReport, json, summary};
pub use results::{Columns, LiveStatistics, LocustCsv, Results};
pub use run_lock::{Locked, RunLock};
pub use start::{BegunTest, StartStep, TestStart, start_test, until_accepted};
pub use stop::{OtherTest, WasRunning, cancel_start, other_test, stop_test, until_idle};
pub use timeline::Timeline;
pub use user_command::{URL_VARIABLE, UserCommand};
pub use verdict::{Judgement, Verdict, judge, not_judged};

/// Reads a content as each of Locust's results, judges it and drops it; for `fuzz/`.
#[doc(hidden)]
pub fn try_results(content: &[u8]) {
    let _ = Columns::parse(content);
    let all = [content; 3].map(<[u8]>::to_vec);
    let [requests, failures, exceptions] = all;
    let files = [
        LocustCsv { requests, ..LocustCsv::empty() },
        LocustCsv { failures, ..LocustCsv::empty() },
        LocustCsv { exceptions, ..LocustCsv::empty() },
    ];
    for csv in files {
        if let Ok(results) = Results::parse(csv) {
            let judgement = judge(&[], None, &results, None);
            assert!(!judgement.conditions.is_empty());
        }
    }
    if let Ok(live) = LiveStatistics::parse(content) {
        let _ = Condition::any_failure().evaluate_live(&live);
    }
}
