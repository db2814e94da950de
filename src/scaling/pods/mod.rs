//! The pods of a target: which pods belong to it, and what state they are in.

mod owned;
mod pod;
mod start_failures;
mod state;

pub use owned::{OwnPods, pods_of};
pub use pod::{PODS, Pod};
pub use start_failures::start_failures;
pub use state::PodState;

pub(super) use owned::list;
