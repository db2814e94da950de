//! The orders: one for each target, and the running test that they affect.

use std::pin::Pin;

use anyhow::{Error, anyhow};
use futures_util::stream::{self, StreamExt};

use super::super::question;
use super::super::signals::Signal;
use super::locust_search::LocustSearch;
use super::results::Results;
use super::running_test::RunningTest;
use super::scaled::Scaled;
use super::settings::{Goal, Settings};
use super::stepping::Stepping;
use super::waiting::WaitPlan;
use crate::cluster::api::{Client, MAX_CONCURRENT_REQUESTS};
use crate::output::{Failed, Format, Printer, TargetError};
use crate::scaling::{
    AnnotationChange, NewCount, ObjectSource, Order, Progress, Resolved, ScaleError, Selected,
    restored_count, scale_all,
};

/// All orders, before the first change.
pub(super) struct Ordered<'a> {
    client: &'a Client,
    settings: &'a Settings,
    orders: Vec<Order>,
    /// Errors with other targets.
    errors: Vec<Error>,
    test: Option<RunningTest<'a>>,
    /// The reason why Locust's master was not found. The workers wait for it.
    missing_master: Option<String>,
    /// The error if Locust did not answer. The targets are scaled anyway.
    locust_error: Option<Error>,
    /// The warning if Locust did not answer, although a test may be running.
    risk: Option<String>,
}

impl<'a> Ordered<'a> {
    /// Makes an order for each target, and looks at Locust if that was asked for.
    ///
    /// # Errors
    /// There is no target, or the condition does not fit several targets.
    pub(super) async fn new(
        client: &'a Client,
        settings: &'a Settings,
        resolved: Resolved,
    ) -> Result<Self, Failed> {
        let Resolved { selected, mut errors } = resolved;
        if settings.condition.resource_version.is_some() && selected.len() > 1 {
            return Err(anyhow!("cannot use --resource-version with multiple resources").into());
        }
        if selected.is_empty() {
            return Err(match errors.is_empty() {
                true => anyhow!("no objects passed to scale").into(),
                false => Failed::all(errors),
            });
        }
        let orders = orders(client, settings, selected, &mut errors).await;
        if orders.is_empty() {
            return Err(Failed::all(errors));
        }
        let looked = match &settings.location {
            Some(location) => LocustSearch::before(client, location, &orders).await,
            None => LocustSearch::Ignored,
        };
        let (mut test, mut missing_master, mut locust_error) = (None, None, None);
        let mut risk = None;
        match looked {
            LocustSearch::Found(found) => test = Some(*found),
            LocustSearch::Missing { why, risk: one } => {
                missing_master = Some(why);
                risk = one;
            }
            LocustSearch::Failed { error, risk: one } => {
                locust_error = Some(error.context("locustctl did not check the running test"));
                risk = one;
            }
            LocustSearch::Ignored => {}
        }
        Ok(Self { client, settings, orders, errors, test, missing_master, locust_error, risk })
    }

    /// Warns about the effect on the running test. On a terminal it asks whether to continue.
    ///
    /// # Errors
    /// The answer is no.
    pub(super) async fn confirm(&self) -> Result<(), Error> {
        match &self.test {
            Some(test) => test.confirm_losses(&self.orders, &self.settings.args).await,
            None => question::confirm(self.risk.as_slice(), self.settings.args.yes).await,
        }
    }

    /// Carries out all orders.
    ///
    /// # Errors
    /// The signal came. The error says which targets were changed.
    pub(super) async fn scale(
        self,
        format: Format,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Scaled<'a>, Failed> {
        let Self { client, settings, orders, errors, test, missing_master, locust_error, .. } =
            self;
        let (args, progress) = (&settings.args, Progress::default());
        let printer = Printer::new(std::io::stdout(), format, settings.dry_run);
        let mut results = Results::new(&orders, printer, errors);
        let steps: Vec<_> = match &test {
            Some(test) => (0..orders.len()).map(|index| test.steps(&orders, index, args)).collect(),
            None => Vec::new(),
        };
        let has_steps = steps.iter().any(Option::is_some);
        let ended = match &test {
            Some(test) if has_steps || test.needs_sequence(&orders, args) => {
                let limit = WaitPlan::until_ready(args).limit();
                let stepping = Stepping { client, test, orders: &orders, steps: &steps, limit };
                stepping.run(&progress, &mut results, signal).await
            }
            _ => tokio::select! {
                () = scale_all(client, &orders, &progress, |index, outcome| {
                    results.take(index, outcome);
                }) => Ok(()),
                signal = signal => Err(signal),
            },
        };
        if let Err(signal) = ended {
            return Err(results.interrupted(signal, &progress, &settings.follow_up));
        }
        let changes = results.take_changes();
        let (errors, missing) = results.into_errors();
        let count = orders.len();
        Ok(Scaled {
            client,
            settings,
            count,
            changes,
            errors,
            missing,
            test,
            missing_master,
            orders,
            locust_error,
        })
    }
}

/// One order for each target. A target that cannot have one gets an error.
async fn orders(
    client: &Client,
    settings: &Settings,
    selected: Vec<Selected>,
    errors: &mut Vec<Error>,
) -> Vec<Order> {
    let count = selected.len();
    let each = selected.into_iter().map(|selected| async move {
        let target = selected.target.clone();
        let made = match settings.goal {
            Goal::Count(new) => Ok(order(settings, new, None, selected)),
            Goal::Remember(_) | Goal::Restore if !target.resource.has_replicas_in_spec() => {
                Err(anyhow!(BUILT_IN_ONLY))
            }
            Goal::Remember(new) => {
                Ok(order(settings, new, Some(AnnotationChange::Remember), selected))
            }
            Goal::Restore => restoring(client, settings, selected).await.map_err(Error::from),
        };
        made.map_err(|error| TargetError::one_of(count, &target, error))
    });
    // Only --restore sends a request here.
    let made: Vec<_> = stream::iter(each).buffered(MAX_CONCURRENT_REQUESTS).collect().await;
    made.into_iter().filter_map(|made| made.map_err(|error| errors.push(error)).ok()).collect()
}

const BUILT_IN_ONLY: &str = "--remember and --restore are only for Deployments, StatefulSets, \
                             ReplicaSets and ReplicationControllers; nothing was changed";

/// The order that restores the number in the annotation.
async fn restoring(
    client: &Client,
    settings: &Settings,
    selected: Selected,
) -> Result<Order, ScaleError> {
    let (count, mut listed) = restored_count(client, &selected.target).await?;
    // The object of a manifest is printed as in the manifest.
    listed.object = listed.object.filter(|_| settings.needs_object && selected.object.is_none());
    let selected = Selected { listed: Some(listed), ..selected };
    Ok(order(settings, NewCount::Exactly(count), Some(AnnotationChange::Restore), selected))
}

fn order(
    settings: &Settings,
    new: NewCount,
    annotation_change: Option<AnnotationChange>,
    selected: Selected,
) -> Order {
    let Selected { target, listed, object } = selected;
    Order {
        target,
        new,
        annotation_change,
        condition: settings.condition.clone(),
        dry_run: settings.dry_run,
        object: match object {
            _ if !settings.needs_object => ObjectSource::None,
            Some(object) => ObjectSource::Given(object),
            None => ObjectSource::Server,
        },
        listed,
        limits: None,
        change_cause: settings.args.change_cause.clone(),
    }
}
