//! `locustctl run`: a load test from scale to verdict. Conditions judge its results, and reports show them.

mod conditions;
mod count;
mod final_results;
mod follow;
mod idle;
mod local_relay;
mod observations;
mod patience;
mod phase;
mod report;
mod results;
mod start;
mod stop;
mod timeline;
mod user_command;
mod verdict;

pub use conditions::{Condition, ConditionError, ConditionKind, ConditionResult, Metric, Status};
pub use count::{PutBack, ReplacedCount, put_back, set_count};
pub use final_results::{FinalResults, final_results};
pub use follow::{Follow, TestEnd, Tick};
pub use idle::{Idle, wait_for_idle};
pub use local_relay::LocalRelay;
pub use observations::Observations;
pub use phase::PhaseKind;
pub use report::{Note, Phase, Replicas, ReportFiles, RunReport, TestSettings};
pub use results::{
    Columns, Figure, History, LiveStatistics, LocustCsv, Percentile, Results, ResultsError, Row,
    Statistics,
};
pub use start::{BegunTest, TestStart, start_test};
pub use stop::{WasRunning, stop_test};
pub use timeline::Timeline;
pub use user_command::{URL_VARIABLE, UserCommand};
pub use verdict::{Judgement, Verdict, judge, not_judged};
