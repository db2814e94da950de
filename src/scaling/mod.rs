//! The logic of scaling: what to scale, on which conditions, the PATCH, and the truth about what
//! became of it. The command line and the web endpoint both stand on this.

mod autoscaler;
pub mod manifests;
mod many;
mod order;
mod patch;
mod progress;
mod record;
mod resolve;
mod scaler;
mod seen;
mod selection;
mod suggest;
mod target;
mod types;
mod wait;
mod workload;

pub use autoscaler::{Autoscaler, Autoscalers, autoscalers};
pub use manifests::{ListErrors, ManifestRules, resolve_manifests};
pub use many::{scale_all, scale_one};
pub use order::{
    Condition, DryRun, Known, Limits, NewCount, ObjectSource, Order, Problem, Scaled, count_text,
};
pub use progress::Progress;
pub use resolve::{Resolved, Selected, resolve};
pub use scaler::{explain_missing, scale};
pub use selection::{Selection, SelectionError, Typed};
pub use suggest::{Likeness, Suggestion, suggest};
pub use target::{Target, check_namespace};
pub use types::{Types, UnknownType};
pub use wait::{
    Kind, Observer, OwnPods, PODS, Pod, Readiness, Unmet, Until, Wait, pods_of, readiness,
    readiness_of_scale, troubles, wait,
};
pub use workload::{Workload, label_selector, workload_of};
