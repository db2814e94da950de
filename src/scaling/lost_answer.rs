//! The sentence about a change whose answer was lost.

use super::order::count_text;
use super::target::Target;
use crate::cluster::api::{Error, FailureKind};

/// A sentence about the current count, and what the PATCH without a clear answer may have done.
pub(super) fn known_state(
    target: &Target,
    old: Option<i64>,
    new: i64,
    now: Option<i64>,
    cause: &Error,
) -> String {
    let is_new = now == Some(new);
    let is_old = now == old;
    let (old, now) = (count_text(old), count_text(now));
    let is_answered = match cause {
        Error::Unreadable(_) => true,
        Error::Failure(failure) => {
            use FailureKind::{Body, TooLarge};
            matches!(failure.kind, Body { status: 200..300 } | TooLarge { status: 200..300 })
        }
        _ => false,
    };
    if is_new {
        format!(
            "{target} is at {now} now, but another client may have scaled it from {old}; check it \
             before you try again"
        )
    } else if !is_old {
        format!(
            "{target} is at {now} now: another client changed it. The change from {old} to {new} may \
             have been made before that. Check {target} before you try again"
        )
    } else if is_answered {
        format!("{target} is still at {now}: it was not scaled to {new}; try again")
    } else {
        format!(
            "{target} is still at {now}; the request may scale it to {new} later; check it again in \
             a moment"
        )
    }
}
