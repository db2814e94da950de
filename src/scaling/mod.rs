//! `kubectl scale`: the targets, the preconditions, the PATCH, its outcome, and waiting for the pods.
//! The command line and the HTTP API both use this module. It does not use Locust.

mod autoscaler;
mod count_location;
mod current_scale;
mod job;
mod lost_answer;
pub mod manifests;
mod missing;
mod order;
mod patch;
mod pods;
mod progress;
mod read_workload;
mod record;
mod remembered_count;
mod resolve;
mod restored_count;
mod scale_all;
mod scaler;
mod selection;
mod send;
mod status_condition;
mod suggest;
mod target;
mod types;
mod wait;
mod workload;

pub use autoscaler::{Autoscaler, AutoscalerLists, autoscalers};
pub use count_location::{count_field, is_test_of_locust_cloud};
pub use job::job_has_ended;
pub use manifests::{ListErrors, ManifestRules, resolve_manifests};
pub use missing::explain_missing;
pub use order::{
    ATTEMPTS, Condition, DryRun, Limits, ListedObject, NewCount, ObjectSource, Order, ScaleError,
    Scaled, count_text,
};
pub use pods::{OwnPods, PODS, Pod, PodState, StartFailure, pods_of, start_failures};
pub use progress::Progress;
pub use read_workload::{counts_of, workload_of};
pub use remembered_count::{AnnotationChange, try_annotation};
pub use resolve::{Resolved, Selected, resolve};
pub use restored_count::restored_count;
pub use scale_all::{scale_all, scale_one};
pub use scaler::scale;
pub use selection::{Selection, SelectionArgs, SelectionError};
pub use suggest::{scale_support, suggest};
pub use target::{Target, check_namespace};
pub use types::{Types, UnknownType};
pub use wait::{
    Observer, Readiness, Wait, WaitCondition, WaitError, WorkloadKind, readiness,
    readiness_of_scale, wait,
};
pub use workload::{Workload, label_selector};
