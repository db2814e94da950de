//! Locust: where its master is, its web API (`locust/web.py`), the health of a running test, and giving
//! a test its users back.

mod address;
mod cost;
mod error;
#[cfg(test)]
mod examples;
mod find;
mod give_back;
mod health;
mod keeper;
mod log;
mod look;
mod master;
mod memory;
mod outcome;
mod page;
mod pods;
mod relay;
mod release;
mod report;
mod route;
mod run_time;
mod settle;
mod start;
mod stats;
mod steps;
mod wanted;

pub use address::{Address, InvalidAddress, Service, candidates};
pub use cost::{Change, Test, breaks_by_one_pod, cost, side_effects, steps_ahead};
pub use error::Error;
pub use find::{LocustLocation, Search, foreign_text, may_hold_workers};
pub use give_back::{Care, Rebalance, Unfinished, examine};
pub use health::{Health, Verdict};
pub use keeper::{Keeper, Watched};
pub use log::MasterLog;
pub use look::Look;
pub use master::{Login, Master};
pub use memory::StartMemory;
pub use outcome::Outcome;
pub use page::Page;
pub use pods::{WorkerPods, WorkerTable};
pub use relay::{Content, LONGEST_SILENCE, Outgoing, Relay};
pub use release::Release;
pub use route::{Route, asks_for_login, is_json};
pub use settle::{Unsettled, calm, connected, settle};
pub use start::{KnownStart, Start};
pub use stats::{Stats, Worker, is_running};
pub use steps::{
    Instead, Stepped, Steps, StepwiseChange, breaks_by_leaving, instead_of_steps, steps_for,
};
