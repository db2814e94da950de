//! The pods of a target, and their states.

mod owned;
mod pod;
mod start_failures;
mod state;

pub use owned::{OwnPods, pods_of};
pub use pod::{PODS, Pod};
pub use start_failures::{StartFailure, start_failures};
pub use state::PodState;

pub(super) use owned::list;
