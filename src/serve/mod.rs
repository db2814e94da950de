//! The web form and the HTTP endpoint, for people without a terminal and for pipelines.

pub mod app;
pub mod caller;
pub mod live;
pub mod log;
pub mod metrics;
pub mod page;
pub mod problem;
mod refusal;
pub mod routes;
pub mod snapshot;
