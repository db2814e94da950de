//! Conditions on the results of a test: `[NAME: ]METRIC OP VALUE`, for `--fail-if` and `--abort-if`.

mod condition;
mod evaluate;
mod metric;
mod parse;
mod result;

pub use condition::Condition;
pub use result::{ConditionKind, ConditionResult, Status};
