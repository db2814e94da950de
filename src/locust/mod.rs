//! Locust: the address of its master, its web API (`locust/web.py`), the health of a running test, and
//! the redistribution of the test's users.

mod address;
mod auto_rebalance;
mod cost;
mod error;
mod examine;
#[cfg(test)]
pub(crate) mod examples;
mod find;
mod health;
mod hostile;
mod install;
mod json;
mod log;
mod login;
mod look;
mod lost_start;
mod master;
mod master_command;
mod memory;
mod outcome;
mod page;
mod pods;
mod rebalance;
mod relay;
mod release;
mod renewed_look;
mod report;
mod retry;
mod route;
mod run_time;
mod start;
mod stats;
mod step_plans;
mod steps;
mod timing;
mod wanted_users;
mod worker_wait;

pub use address::Address;
pub use auto_rebalance::{AutoRebalancer, UnreportedStarts, Watched};
pub use cost::{
    PodChange, Test, UserStart, breaks_by_one_pod, burst_warning, cost, ends_test, reset_warning,
    steps_text,
};
pub use error::Error;
pub use examine::examine;
pub use find::{LocustLocation, Search, absent_text, foreign_text, may_hold_workers};
pub use health::{Health, Verdict, have_users_ended, is_worker_starting, judge};
#[doc(hidden)]
pub use hostile::try_answers;
pub use install::{
    ClusterLocust, Installed, Role, Survey, Template, cluster_locusts, survey, try_object,
};
pub use log::MasterLog;
pub use login::Login;
pub use look::Look;
pub use lost_start::Attempt;
pub use master::Master;
pub use memory::StartMemory;
pub use outcome::Outcome;
pub use page::{Page, parse_run_time};
pub use pods::WorkerPods;
pub use rebalance::{Rebalance, RebalanceMode, StartInProgress};
pub use relay::{Content, MAX_ANSWER, MAX_SILENCE, Outgoing, Relay};
pub use release::OLDEST_JUDGED;
pub use renewed_look::renewed_look;
pub use retry::{RETRY_LIMIT, retried, retried_until};
pub use route::{Route, asks_for_login, is_json};
pub use start::{KnownStart, Start};
pub use stats::{Stats, Worker, is_idle, is_running};
pub use step_plans::{AfterPlan, StepPlans};
pub use steps::{Steps, StepsOutcome, StepwiseChange, breaks_by_leaving, steps_for};
pub use timing::LOOK_PERIOD;
pub use worker_wait::{
    WorkersDiffer, connected_text, follow_workers, wait_for_workers, wait_until_moved,
    wait_until_spawned,
};
