//! Signals during a run.
//!
//! The first signal ends the phase, and locustctl undoes its changes. A second one of another kind also skips the
//! results: a CI system sends SIGINT, SIGTERM and SIGKILL within seconds. A second SIGINT ends the
//! program at once.

use anyhow::Result;

use super::super::signals::{Signal, Signals};
use super::ended::Ended;

/// The signals so far, and those that come.
pub(super) struct Interruptions {
    signals: Signals,
    seen: Vec<Signal>,
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
        Ok(Self { signals: Signals::new()?, seen: Vec::new() })
    }

    /// Does the work.
    ///
    /// # Errors
    /// A signal came first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            result = work => Ok(result),
            signal = self.next() => Err(Ended::Signal(signal)),
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
}
