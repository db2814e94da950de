//! The results of the orders, printed in the order of the targets.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Error, anyhow};

use super::super::follow_up::FollowUp;
use super::super::hints::{MissingPart, MissingTarget};
use super::super::signals::Signal;
use crate::output::{Failed, Printer, ScaleResult, TargetError};
use crate::scaling::{Order, Progress, ScaleError, Scaled, Target};
use crate::text::terminal::say;

type Outcome = Result<Scaled, ScaleError>;

/// A change that was made.
#[derive(Debug, Clone)]
pub(super) struct CompletedChange {
    pub target: Target,
    pub old: Option<i64>,
    pub new: i64,
}

/// Takes outcomes in any order. Prints an outcome when all earlier ones are printed.
pub(super) struct Results<'a, W> {
    orders: &'a [Order],
    printer: Printer<W>,
    errors: Vec<Error>,
    missing: Vec<MissingTarget>,
    changes: Vec<CompletedChange>,
    /// Outcomes that cannot be printed yet, since an earlier one is not known.
    early: BTreeMap<usize, Outcome>,
    /// Text that follows the counts in the line of an order.
    suffixes: BTreeMap<usize, String>,
    /// The index of the order to print next.
    next: usize,
}

impl<'a, W: Write> Results<'a, W> {
    /// `errors` come first: they happened before anything was scaled.
    pub(super) fn new(orders: &'a [Order], printer: Printer<W>, errors: Vec<Error>) -> Self {
        let (missing, changes, early) = (Vec::new(), Vec::new(), BTreeMap::new());
        let suffixes = BTreeMap::new();
        Self { orders, printer, errors, missing, changes, early, suffixes, next: 0 }
    }

    /// Sets the text that follows the counts in the line of this order.
    pub(super) fn suffix(&mut self, index: usize, suffix: String) {
        self.suffixes.insert(index, suffix);
    }

    /// Adds an error to those of this order.
    pub(super) fn error(&mut self, index: usize, error: Error) {
        self.errors.push(TargetError::one_of(self.orders.len(), &self.orders[index].target, error));
    }

    /// Takes the outcome of an order.
    pub(super) fn take(&mut self, index: usize, outcome: Outcome) {
        self.early.insert(index, outcome);
        while let Some(outcome) = self.early.remove(&self.next) {
            self.print(self.next, outcome);
            self.next += 1;
        }
    }

    /// The changes that were made, in the order of the targets.
    pub(super) fn take_changes(&mut self) -> Vec<CompletedChange> {
        std::mem::take(&mut self.changes)
    }

    /// All errors in the order of the targets, and the targets that do not exist.
    pub(super) fn into_errors(self) -> (Vec<Error>, Vec<MissingTarget>) {
        (self.errors, self.missing)
    }

    /// Ends after a signal: prints the outcomes that are known, and returns an error that names the
    /// other targets.
    pub(super) fn interrupted(
        mut self,
        signal: Signal,
        progress: &Progress,
        follow_up: &FollowUp,
    ) -> Failed {
        let mut unknown: Vec<_> = (self.next..self.orders.len()).collect();
        for (index, outcome) in std::mem::take(&mut self.early) {
            unknown.retain(|other| *other != index);
            self.print(index, outcome);
        }
        let mut text = format!("interrupted: {}", self.outlook(&progress.under_way(), follow_up));
        unknown.retain(|index| !progress.is_under_way(*index));
        let rest: Vec<_> =
            unknown.iter().map(|index| self.orders[*index].target.to_string()).collect();
        if !rest.is_empty() {
            text.push_str(&format!("; not changed: {}", rest.join(", ")));
        }
        self.errors.push(anyhow!(text));
        Failed::by_signal(signal.number(), self.errors)
    }

    /// The state of the changes under way, and the command that shows it.
    fn outlook(&self, under_way: &[(usize, String)], follow_up: &FollowUp) -> String {
        let Some((first, _)) = under_way.first() else {
            return "no change was under way".to_owned();
        };
        let changes: Vec<_> = under_way.iter().map(|(_, change)| change.as_str()).collect();
        let (were, count) = match changes.len() {
            1 => ("was", "the number of replicas"),
            _ => ("were", "the number of replicas of the first target"),
        };
        let changes = changes.join(", ");
        let command = follow_up.command("status", &self.orders[*first].target);
        format!("{changes} {were} sent and may take effect; to see {count}, run: {command}")
    }

    fn print(&mut self, index: usize, outcome: Outcome) {
        let target = &self.orders[index].target;
        let scaled = match outcome {
            Ok(scaled) => scaled,
            Err(problem) => {
                let cause = match &problem {
                    problem if problem.is_missing(target) => Some(MissingPart::Object),
                    problem if problem.is_unknown_path() => Some(MissingPart::Path),
                    _ => None,
                };
                let missing = cause.map(|cause| MissingTarget { target: target.clone(), cause });
                self.missing.extend(missing);
                let error = TargetError::one_of(self.orders.len(), target, problem);
                return self.errors.push(error);
            }
        };
        let Scaled { old, new, object, notes, requested } = &scaled;
        self.changes.push(CompletedChange { target: target.clone(), old: *old, new: *new });
        let suffix = self.suffixes.get(&index).map(String::as_str).unwrap_or_default();
        let result = ScaleResult { target, old: *old, new: *new, object: object.as_ref(), suffix };
        match self.printer.print(&result) {
            Err(error) if object.is_some() => self.errors.push(error),
            // kubectl ignores this error, since the scale took place. locustctl warns.
            Err(error) => say(&format!("Warning: {error:#}: {}", self.printer.line(&result))),
            Ok(()) => {}
        }
        for note in notes {
            say(&format!("Warning: {note}"));
        }
        if let Some(requested) = requested {
            self.errors.push(anyhow!(
                "{target}: locustctl requested {requested} replicas, but the server set {new}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TypedFlags;
    use crate::output::Format;
    use crate::scaling::{DryRun, NewCount};

    fn orders() -> Vec<Order> {
        let order = |name: &&str| Order::new(Target::for_test(name), NewCount::Exactly(3));
        ["a", "b", "c"].iter().map(order).collect()
    }

    fn scaled() -> Outcome {
        Ok(Scaled { old: Some(1), new: 3, object: None, notes: Vec::new(), requested: None })
    }

    fn lines(names: &[&str]) -> String {
        names.iter().map(|name| format!("deployment.apps/{name} scaled from 1 to 3\n")).collect()
    }

    #[test]
    fn results_are_printed_in_the_order_of_the_targets() {
        let (orders, mut out) = (orders(), Vec::new());
        let printer = Printer::new(&mut out, Format::Line, DryRun::None);
        let mut results = Results::new(&orders, printer, vec![anyhow!("before")]);
        results.take(2, scaled());
        results.take(1, Err(ScaleError::NoSpec));
        results.take(0, scaled());
        let errors: Vec<_> = results.into_errors().0.iter().map(ToString::to_string).collect();
        assert_eq!(errors, ["before", &format!("deployment.apps/b: {}", ScaleError::NoSpec)]);
        assert_eq!(String::from_utf8(out).unwrap(), lines(&["a", "c"]));
    }

    #[test]
    fn an_interruption_names_the_targets_that_were_not_changed() {
        let (orders, mut out) = (orders(), Vec::new());
        let printer = Printer::new(&mut out, Format::Line, DryRun::None);
        let mut results = Results::new(&orders, printer, Vec::new());
        results.take(1, scaled());
        let follow_up = FollowUp::new(TypedFlags::default(), "default");
        let failed = results.interrupted(Signal::Interrupt, &Progress::default(), &follow_up);
        assert_eq!(failed.exit_code(), 130);
        assert_eq!(
            failed.errors[0].to_string(),
            "interrupted: no change was under way; not changed: deployment.apps/a, deployment.apps/c"
        );
        assert_eq!(String::from_utf8(out).unwrap(), lines(&["b"]));
    }
}
