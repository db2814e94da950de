//! Signals during a run.
//!
//! The first signal ends the phase, and locustctl undoes its changes. If SIGINT comes twice, locustctl
//! ends at once. After any other two signals, locustctl still undoes its changes, but does not read the results,
//! because a CI system sends SIGINT, SIGTERM and SIGKILL within seconds.

use std::pin::pin;
use std::time::Duration;

use anyhow::Result;
use tokio::time::timeout;

use super::super::signals::{Signal, Signals};
use super::ended::Ended;
use crate::text::terminal::say;

/// After a signal: time limit for what must end before the changes are undone: the answer to a request that was sent,
/// the user's command, or the test. GitHub Actions sends SIGTERM 7.5 s after SIGINT.
pub(super) const SIGNAL_LIMIT: Duration = Duration::from_secs(5);

/// The signals so far, and those that come.
pub(super) struct Interruptions {
    signals: Signals,
    seen: Vec<Signal>,
    /// The number of signals that [`Self::announce`] has answered.
    announced: usize,
}

/// How fast a run must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Haste {
    /// No signal has come.
    None,
    /// Undo all changes, and read the results.
    Orderly,
    /// Undo all changes.
    Fast,
    /// End at once.
    AtOnce,
}

impl Interruptions {
    /// From now on, the signals do not end the program by themselves.
    ///
    /// # Errors
    /// The operating system refuses the handlers.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { signals: Signals::new()?, seen: Vec::new(), announced: 0 })
    }

    /// Runs `work` until it ends or a signal comes.
    ///
    /// # Errors
    /// A signal came first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            result = work => Ok(result),
            signal = self.next() => Err(Ended::Signal(signal)),
        }
    }

    /// After a signal: waits for the outcome of a request that was already sent, for at most `limit`. `None` if it
    /// does not come in this time, or if the run must end at once.
    pub(super) async fn finish<T>(
        &mut self,
        work: impl Future<Output = T>,
        limit: Duration,
    ) -> Option<T> {
        let mut work = pin!(timeout(limit, work));
        while self.haste() < Haste::AtOnce {
            self.announce();
            tokio::select! {
                result = &mut work => return result.ok(),
                _ = self.next() => {}
            }
        }
        None
    }

    /// Says once for each signal that locustctl undoes its changes, unless the run must end at once.
    pub(super) fn announce(&mut self) {
        if self.announced < self.seen.len() && self.haste() < Haste::AtOnce {
            self.announced = self.seen.len();
            say(&clean_up_text(&self.seen));
        }
    }

    /// Waits for the next signal. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Signal {
        let signal = self.signals.next().await;
        self.seen.push(signal);
        signal
    }

    /// The first signal.
    pub(super) fn first(&self) -> Option<Signal> {
        self.seen.first().copied()
    }

    pub(super) fn haste(&self) -> Haste {
        haste(&self.seen)
    }
}

/// The message after these signals. Only a second SIGINT ends the run at once.
fn clean_up_text(seen: &[Signal]) -> String {
    let times = if seen.contains(&Signal::Interrupt) { "again" } else { "twice" };
    format!(
        "Interrupted: locustctl undoes its changes before it ends. To end locustctl at once, press Ctrl-C {times}"
    )
}

fn haste(seen: &[Signal]) -> Haste {
    let interrupts = seen.iter().filter(|signal| **signal == Signal::Interrupt).count();
    match (seen.len(), interrupts) {
        (0, _) => Haste::None,
        (_, 2..) => Haste::AtOnce,
        (1, _) => Haste::Orderly,
        (2.., _) => Haste::Fast,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_interrupt_ends_the_run_at_once() {
        use Signal::{HangUp, Interrupt, Terminate};
        for (seen, expected) in [
            (vec![], Haste::None),
            (vec![Interrupt], Haste::Orderly),
            (vec![Terminate], Haste::Orderly),
            (vec![Interrupt, Terminate], Haste::Fast),
            (vec![Terminate, Interrupt], Haste::Fast),
            (vec![HangUp, HangUp], Haste::Fast),
            (vec![Interrupt, Interrupt], Haste::AtOnce),
            (vec![Interrupt, Terminate, Interrupt], Haste::AtOnce),
        ] {
            assert_eq!(haste(&seen), expected, "{seen:?}");
        }
    }

    #[test]
    fn the_message_says_how_often_ctrl_c_must_be_pressed() {
        use Signal::{HangUp, Interrupt, Terminate};
        for (seen, expected) in [
            (vec![Interrupt], "again"),
            (vec![Terminate], "twice"),
            (vec![HangUp, HangUp], "twice"),
            (vec![Terminate, Interrupt], "again"),
        ] {
            assert!(clean_up_text(&seen).ends_with(expected), "{seen:?}");
        }
    }
}
