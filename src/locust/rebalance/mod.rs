//! Redistributes the users of a running test, and confirms that the test has all of them.

mod confirm;
mod inputs;
mod run;
mod send;
mod start_in_progress;

pub use inputs::{Rebalance, RebalanceMode};
pub use start_in_progress::StartInProgress;
