//! What has come of each order: printed in the order of the targets, whichever was done first.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Error, anyhow};

use super::super::again::Again;
use super::super::signals::Signal;
use super::waiting::Done;
use crate::output::{Failed, Printer, ScaleResult, TargetError};
use crate::scaling::{Order, Progress, ScaleError, Scaled, Target};
use crate::text::terminal::say;

type Outcome = Result<Scaled, ScaleError>;

/// Takes outcomes in any order, and prints those that no earlier one is missing for.
pub(super) struct Results<'a, W> {
    orders: &'a [Order],
    printer: Printer<W>,
    errors: Vec<Error>,
    missing: Vec<Target>,
    done: Vec<Done>,
    /// Known, but not their turn yet.
    early: BTreeMap<usize, Outcome>,
    /// Text after the counts in the line of an order.
    suffixes: BTreeMap<usize, String>,
    next: usize,
}

impl<'a, W: Write> Results<'a, W> {
    /// `errors` are those from before anything was scaled; they come first.
    pub(super) fn new(orders: &'a [Order], printer: Printer<W>, errors: Vec<Error>) -> Self {
        let (missing, done, early) = (Vec::new(), Vec::new(), BTreeMap::new());
        let suffixes = BTreeMap::new();
        Self { orders, printer, errors, missing, done, early, suffixes, next: 0 }
    }

    /// The line of this order, when its outcome is known, has this after the counts.
    pub(super) fn suffix(&mut self, index: usize, suffix: String) {
        self.suffixes.insert(index, suffix);
    }

    /// Something else went wrong with this order.
    pub(super) fn error(&mut self, index: usize, error: Error) {
        self.errors.push(TargetError::one_of(self.orders.len(), &self.orders[index].target, error));
    }

    /// One more outcome is known.
    pub(super) fn take(&mut self, index: usize, outcome: Outcome) {
        self.early.insert(index, outcome);
        while let Some(outcome) = self.early.remove(&self.next) {
            self.print(self.next, outcome);
            self.next += 1;
        }
    }

    /// The scales that took place, in the order of the targets.
    pub(super) fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.done)
    }

    /// Everything that went wrong, in the order of the targets, and the targets that do not exist.
    pub(super) fn into_errors(self) -> (Vec<Error>, Vec<Target>) {
        (self.errors, self.missing)
    }

    /// A signal came before everything was done: what is known is printed all the same.
    pub(super) fn interrupted(
        mut self,
        signal: Signal,
        progress: &Progress,
        again: &Again,
    ) -> Failed {
        let mut unknown: Vec<_> = (self.next..self.orders.len()).collect();
        for (index, outcome) in std::mem::take(&mut self.early) {
            unknown.retain(|other| *other != index);
            self.print(index, outcome);
        }
        let mut text = format!("interrupted: {}", self.outlook(&progress.under_way(), again));
        unknown.retain(|index| !progress.is_under_way(*index));
        let rest: Vec<_> =
            unknown.iter().map(|index| self.orders[*index].target.to_string()).collect();
        if !rest.is_empty() {
            text.push_str(&format!("; not changed: {}", rest.join(", ")));
        }
        self.errors.push(anyhow!(text));
        Failed::by_signal(signal.number(), self.errors)
    }

    /// What may have become of the changes that are under way, and how to find out.
    fn outlook(&self, under_way: &[(usize, String)], again: &Again) -> String {
        let Some((first, _)) = under_way.first() else {
            return "no change was under way".to_owned();
        };
        let changes: Vec<_> = under_way.iter().map(|(_, change)| change.as_str()).collect();
        let (were, look) = match changes.len() {
            1 => ("was", "look at it with"),
            _ => ("were", "look at each of them, as with"),
        };
        let changes = changes.join(", ");
        let command = again.command("status", &self.orders[*first].target);
        format!("{changes} {were} sent and may have been made, or be made yet; {look}: {command}")
    }

    fn print(&mut self, index: usize, outcome: Outcome) {
        let target = &self.orders[index].target;
        let scaled = match outcome {
            Ok(scaled) => scaled,
            Err(problem) => {
                if problem.is_missing(target) {
                    self.missing.push(target.clone());
                }
                let error = TargetError::one_of(self.orders.len(), target, problem);
                return self.errors.push(error);
            }
        };
        let Scaled { old, new, object, notes, asked_for } = &scaled;
        self.done.push(Done { target: target.clone(), old: *old, new: *new });
        let suffix = self.suffixes.get(&index).map(String::as_str).unwrap_or_default();
        let result = ScaleResult { target, old: *old, new: *new, object: object.as_ref(), suffix };
        match self.printer.print(&result) {
            Err(error) if object.is_some() => self.errors.push(error),
            // As in kubectl no error, since it took place; but not without a word.
            Err(error) => say(&format!("Warning: {error:#}: {}", self.printer.line(&result))),
            Ok(()) => {}
        }
        for note in notes {
            say(&format!("Warning: {note}"));
        }
        if let Some(asked_for) = asked_for {
            self.errors.push(anyhow!(
                "{target} was asked for {asked_for} replicas, but the server made it {new}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TypedFlags;
    use crate::output::Format;
    use crate::scaling::{Condition, DryRun, NewCount, ObjectSource};

    fn orders() -> Vec<Order> {
        let order = |name: &&str| Order {
            target: Target::for_test(name),
            new: NewCount::Exactly(3),
            condition: Condition::default(),
            dry_run: DryRun::None,
            object: ObjectSource::None,
            listed: None,
            limits: None,
            change_cause: None,
        };
        ["a", "b", "c"].iter().map(order).collect()
    }

    fn scaled() -> Outcome {
        Ok(Scaled { old: Some(1), new: 3, object: None, notes: Vec::new(), asked_for: None })
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
    fn an_interruption_tells_what_is_done_and_what_is_not() {
        let (orders, mut out) = (orders(), Vec::new());
        let printer = Printer::new(&mut out, Format::Line, DryRun::None);
        let mut results = Results::new(&orders, printer, Vec::new());
        results.take(1, scaled());
        let again = Again::new(TypedFlags::default(), "default");
        let failed = results.interrupted(Signal::Interrupt, &Progress::default(), &again);
        assert_eq!(failed.exit_code(), 130);
        assert_eq!(
            failed.errors[0].to_string(),
            "interrupted: no change was under way; not changed: deployment.apps/a, deployment.apps/c"
        );
        assert_eq!(String::from_utf8(out).unwrap(), lines(&["b"]));
    }
}
