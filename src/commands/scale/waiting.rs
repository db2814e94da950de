//! The second half of a scale that waits: for all targets at once, with what can be seen meanwhile.

use std::collections::HashMap;
use std::pin::Pin;

use anyhow::{Error, anyhow};

use super::super::signals::Signal;
use super::display::Display;
use crate::cli::ScaleArgs;
use crate::cluster::api::Client;
use crate::output::TargetError;
use crate::scaling::{Target, Until, Wait, WaitError, count_text, wait};
use crate::text::go;

/// With `--wait` and no time.
const DEFAULT_LIMIT: &str = "5m";

/// A scale that took place.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub target: Target,
    pub old: Option<i64>,
    pub new: i64,
}

/// What to wait for, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    until: Until,
    limit: go::Duration,
}

impl Plan {
    /// `None` without `--wait` and with kubectl's default, `--timeout=0`.
    pub(super) fn new(args: &ScaleArgs) -> Option<Self> {
        let is_timed = args.timeout != go::Duration(0);
        match (args.wait, is_timed) {
            (true, _) => Some(Self::until_ready(args)),
            (false, true) => Some(Self { until: Until::Synced, limit: args.timeout }),
            (false, false) => None,
        }
    }

    /// What a running test needs, whether it was asked for or not. kubectl's default for the time
    /// cannot be told from none, so it is none: whoever waits means to.
    pub(super) fn until_ready(args: &ScaleArgs) -> Self {
        let limit = match args.timeout {
            go::Duration(0) => go::Duration::parse(DEFAULT_LIMIT).unwrap_or_default(),
            given => given,
        };
        Self { until: Until::Ready, limit }
    }

    /// Whether it ends with ready pods.
    pub(super) fn is_until_ready(self) -> bool {
        self.until == Until::Ready
    }

    /// For how long.
    pub(super) fn limit(self) -> std::time::Duration {
        self.limit.positive().unwrap_or_default()
    }

    /// Waits until all is decided or the signal comes; gives what went wrong, and the signal.
    /// `count` is how many targets there are, done or not.
    pub(super) async fn carry_out(
        self,
        client: &Client,
        done: Vec<Done>,
        count: usize,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> (Vec<Error>, Option<Signal>) {
        let done = last_of_each(done);
        let waits: Vec<_> = done
            .iter()
            .map(|Done { target, new, .. }| Wait { target: target.clone(), wanted: *new })
            .collect();
        let mut display = match self.until {
            Until::Ready => Display::new(&waits),
            Until::Synced => Display::silent(&waits),
        };
        let ticking = display.ticking();
        let result = tokio::select! {
            outcomes = wait(client, &waits, self.until, self.limit, &mut display) => Ok(outcomes),
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
                (interrupted(&done, &display), Some(signal))
            }
        }
    }
}

/// What was scaled twice is waited for once, at the count that it was given last.
fn last_of_each(done: Vec<Done>) -> Vec<Done> {
    let last: HashMap<_, _> =
        done.iter().enumerate().map(|(index, done)| (done.target.clone(), index)).collect();
    let is_last = |(index, done): &(usize, Done)| last[&done.target] == *index;
    done.into_iter().enumerate().filter(is_last).map(|(_, done)| done).collect()
}

fn interrupted(done: &[Done], display: &Display) -> Vec<Error> {
    let stands = |(index, done): (usize, &Done)| {
        let Done { target, old, new } = done;
        let last = display.last(index);
        if last.is_some_and(|last| last.done) {
            return None;
        }
        let standing = last.map(|last| format!("; {}", last.past_text())).unwrap_or_default();
        let old = count_text(*old);
        Some(anyhow!(
            "interrupted while waiting: {target} was scaled from {old} to {new} and stays so{standing}"
        ))
    };
    done.iter().enumerate().filter_map(stands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_scaled_twice_is_waited_for_once() {
        let done = |name: &str, new| Done { target: Target::for_test(name), old: Some(1), new };
        let last = last_of_each(vec![done("a", 2), done("b", 3), done("a", 4)]);
        let counts: Vec<_> = last.iter().map(|done| (&*done.target.name, done.new)).collect();
        assert_eq!(counts, [("b", 3), ("a", 4)]);
    }
}
