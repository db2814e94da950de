//! The one judgement of a running test: how many users it should have, how many it has, and whether a
//! rebalance is safe.
//!
//! All commands and serve use this judgement. If no source of the wanted number is certain, the verdict
//! is [`Verdict::Unknown`].

mod judge;
#[cfg(test)]
mod tests;
mod text;
#[cfg(test)]
mod text_tests;
mod types;

pub use judge::{
    have_users_ended, have_users_ended_since_start, is_worker_starting, judge, silent_worker,
};
pub use text::MASTER_BROKEN;
pub use types::{Health, Repair, Verdict};
