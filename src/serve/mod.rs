//! The web form and the HTTP endpoint, for people without a terminal and for pipelines.

pub mod caller;
pub mod log;
pub mod page;
pub mod problem;
pub mod snapshot;
