//! Redistributes the users of a running test, and confirms that the test has all of them.

mod confirm;
mod inputs;
mod ramp;
mod run;
mod send;

pub use inputs::{Rebalance, RebalanceMode};
pub use ramp::RampInProgress;
