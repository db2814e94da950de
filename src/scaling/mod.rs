//! The logic of scaling: what to scale, on which conditions, the PATCH, and the truth about what
//! became of it. The command line and the web endpoint both stand on this.

mod autoscaler;
mod order;
mod progress;
mod scaler;
mod target;

pub use autoscaler::{Autoscaler, Autoscalers, autoscalers};
pub use order::{Condition, DryRun, NewCount, Order, Problem, Scaled};
pub use progress::Progress;
pub use scaler::{explain_missing, scale};
pub use target::{Target, TargetError, check_namespace, parse_targets};
