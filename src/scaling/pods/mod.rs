//! The pods of a target: which pods belong to it, and what state they are in.

mod owned;
mod pod;
mod state;
mod troubles;

pub use owned::{OwnPods, pods_of};
pub use pod::{PODS, Pod};
pub use state::PodState;
pub use troubles::troubles;

pub(super) use owned::list;
