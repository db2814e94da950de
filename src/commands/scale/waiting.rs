//! The wait after a scale. It covers all targets and displays the progress.

use std::collections::HashMap;
use std::pin::Pin;

use anyhow::{Error, anyhow};

use super::super::signals::Signal;
use super::display::Display;
use super::results::CompletedChange;
use crate::cli::ScaleArgs;
use crate::cluster::api::Client;
use crate::output::TargetError;
use crate::scaling::{Wait, WaitCondition, WaitError, count_text, wait};
use crate::text::go;

/// The limit with `--wait` and without `--timeout`.
const DEFAULT_LIMIT: &str = "5m";

/// The goal of the wait, and its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitPlan {
    condition: WaitCondition,
    limit: go::Duration,
}

impl WaitPlan {
    /// `None` without `--wait` and with kubectl's default, `--timeout=0`.
    pub(super) fn new(args: &ScaleArgs) -> Option<Self> {
        let is_timed = args.timeout != go::Duration(0);
        match (args.wait, is_timed) {
            (true, _) => Some(Self::until_ready(args)),
            (false, true) => Some(Self { condition: WaitCondition::Synced, limit: args.timeout }),
            (false, false) => None,
        }
    }

    /// The wait of `--wait`. A running test needs it even if the flag is not given.
    ///
    /// `--timeout=0` is kubectl's default and means no wait, so here it stands for [`DEFAULT_LIMIT`].
    pub(super) fn until_ready(args: &ScaleArgs) -> Self {
        let limit = match args.timeout {
            go::Duration(0) => go::Duration::parse(DEFAULT_LIMIT).unwrap_or_default(),
            given => given,
        };
        Self { condition: WaitCondition::Ready, limit }
    }

    /// True if the wait ends with ready pods.
    pub(super) fn is_until_ready(self) -> bool {
        self.condition == WaitCondition::Ready
    }

    pub(super) fn limit(self) -> std::time::Duration {
        self.limit.positive().unwrap_or_default()
    }

    /// Waits until each target has reached its goal or failed, or until the signal comes. Returns
    /// the errors, and the signal. `changes` has each target once, and `count` is the number of all
    /// targets, also of those that were not changed.
    pub(super) async fn carry_out(
        self,
        client: &Client,
        changes: Vec<CompletedChange>,
        count: usize,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> (Vec<Error>, Option<Signal>) {
        let waits: Vec<_> = changes
            .iter()
            .map(|CompletedChange { target, new, .. }| Wait {
                target: target.clone(),
                requested: *new,
            })
            .collect();
        let mut display = match self.condition {
            WaitCondition::Ready => Display::new(&waits),
            WaitCondition::Synced => Display::silent(&waits),
        };
        let ticking = display.ticking();
        let result = tokio::select! {
            outcomes = wait(client, &waits, self.condition, self.limit, &mut display) => Ok(outcomes),
            signal = signal => Err(signal),
            () = ticking => Ok(Vec::new()),
        };
        match result {
            Ok(outcomes) => {
                let named = |(outcome, wait): (Result<(), WaitError>, &Wait)| {
                    Some(TargetError::one_of(count, &wait.target, outcome.err()?))
                };
                let errors: Vec<Error> =
                    outcomes.into_iter().zip(&waits).filter_map(named).collect();
                display.end(errors.is_empty());
                (errors, None)
            }
            Err(signal) => {
                display.end(false);
                (interrupted(&changes, &display), Some(signal))
            }
        }
    }
}

/// Keeps only the last change of each target, since a target can be named twice.
pub(super) fn last_of_each(changes: Vec<CompletedChange>) -> Vec<CompletedChange> {
    let last: HashMap<_, _> =
        changes.iter().enumerate().map(|(index, it)| (it.target.clone(), index)).collect();
    let is_last = |(index, it): &(usize, CompletedChange)| last[&it.target] == *index;
    changes.into_iter().enumerate().filter(is_last).map(|(_, it)| it).collect()
}

fn interrupted(changes: &[CompletedChange], display: &Display) -> Vec<Error> {
    let error = |(index, change): (usize, &CompletedChange)| {
        let CompletedChange { target, old, new } = change;
        let last = display.last(index);
        if last.is_some_and(|last| last.done) {
            return None;
        }
        let state = last.map(|last| format!("; {}", last.past_text())).unwrap_or_default();
        let old = count_text(*old);
        Some(anyhow!(
            "interrupted while waiting: {target} was scaled from {old} to {new} and keeps that count{state}"
        ))
    };
    changes.iter().enumerate().filter_map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::Target;

    #[test]
    fn a_target_that_was_scaled_twice_is_waited_for_once() {
        let change =
            |name: &str, new| CompletedChange { target: Target::for_test(name), old: Some(1), new };
        let last = last_of_each(vec![change("a", 2), change("b", 3), change("a", 4)]);
        let counts: Vec<_> = last.iter().map(|it| (&*it.target.name, it.new)).collect();
        assert_eq!(counts, [("b", 3), ("a", 4)]);
    }
}
