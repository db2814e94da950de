//! Scales the workers for the run, and waits until they are connected to Locust.

use std::cell::Cell;

use super::super::scale::display::Display;
use super::super::scale::worker_display::WorkerDisplay;
use super::check::Plan;
use super::ended::Ended;
use super::interruptions::{Interruptions, SIGNAL_LIMIT};
use super::scale_line::scale_line;
use super::site::{Locust, Site};
use super::undo::Undo;
use crate::locust::{WorkerPods, connected_text, follow_workers};
use crate::output::sentence_of;
use crate::run::{PhaseKind, ReplacedCount, Timeline, set_count_patiently};
use crate::scaling::{ScaleError, Wait, WaitCondition, pods_of, wait};
use crate::text::terminal::say;

impl Site<'_> {
    /// Scales the workers if the plan says so, and waits until they are ready and connected. `undo` gets the
    /// change. Returns the count.
    ///
    /// # Errors
    /// A phase failed, or a signal came.
    pub(super) async fn scale_up(
        &self,
        plan: &Plan,
        undo: &mut Undo,
        timeline: &mut Timeline,
        interruptions: &mut Interruptions,
    ) -> Result<i64, Ended> {
        let count = match plan.replicas {
            Some(count) => {
                timeline.enter(PhaseKind::Scale);
                self.scale(count, plan, undo, interruptions).await?
            }
            None => self.replicas,
        };
        timeline.enter(PhaseKind::Pods);
        self.wait_for_pods(count, plan, interruptions).await?;
        if let Some(locust) = &self.locust {
            timeline.enter(PhaseKind::Workers);
            self.wait_for_workers(locust, plan, interruptions).await?;
        }
        Ok(count)
    }

    /// Scales the workers. Temporary failures are retried until a signal comes. If a signal comes during a
    /// request, locustctl still waits for the answer, because it needs the replaced count.
    async fn scale(
        &self,
        count: i32,
        plan: &Plan,
        undo: &mut Undo,
        interruptions: &mut Interruptions,
    ) -> Result<i64, Ended> {
        undo.count = Some(ReplacedCount { old: Some(self.replicas), new: count.into() });
        let is_interrupted = Cell::new(false);
        let may_retry = || !is_interrupted.get();
        let (client, target, limit) = (self.client, self.target, plan.limit());
        let scaling = set_count_patiently(client, target, count, self.replicas, limit, may_retry);
        let mut scaling = std::pin::pin!(scaling);
        let (result, signal) = match interruptions.unless(scaling.as_mut()).await {
            Ok(result) => (result, None),
            Err(ended) => {
                is_interrupted.set(true);
                match interruptions.finish(scaling, SIGNAL_LIMIT).await {
                    Some(result) => (result, Some(ended)),
                    None => return Err(ended),
                }
            }
        };
        match result {
            Ok(scaled) => {
                undo.count = Some(ReplacedCount { old: scaled.old, new: scaled.new });
                undo.is_count_confirmed = true;
                say(&scale_line(self.target, &scaled, ""));
                scaled.notes.iter().for_each(|note| say(&format!("Warning: {note}")));
                match (signal, scaled.requested) {
                    (Some(ended), _) => Err(ended),
                    (None, Some(requested)) => {
                        let text = format!(
                            "locustctl requested {requested} replicas, but the server set {}",
                            scaled.new
                        );
                        Err(Ended::failed(PhaseKind::Scale, text))
                    }
                    (None, None) => Ok(scaled.new),
                }
            }
            Err(error) => {
                if !matches!(error, ScaleError::AnswerLost { .. }) {
                    undo.count = None;
                }
                let text = match &error {
                    ScaleError::Api(error) => sentence_of(error),
                    error => error.to_string(),
                };
                Err(signal.unwrap_or_else(|| Ended::failed(PhaseKind::Scale, text)))
            }
        }
    }

    async fn wait_for_pods(
        &self,
        count: i64,
        plan: &Plan,
        interruptions: &mut Interruptions,
    ) -> Result<(), Ended> {
        let waits = [Wait { target: self.target.clone(), requested: count }];
        let mut display = Display::new(&waits);
        let ticking = display.ticking();
        let waiting = async {
            let ready = WaitCondition::Ready;
            tokio::select! {
                outcomes = wait(self.client, &waits, ready, plan.timeout, &mut display) => outcomes,
                () = ticking => Vec::new(),
            }
        };
        let waited = interruptions.unless(waiting).await;
        let error = waited.map(|outcomes| outcomes.into_iter().find_map(Result::err));
        display.end(matches!(error, Ok(None)));
        match error? {
            None => Ok(()),
            Some(error) => Err(Ended::failed(PhaseKind::Pods, error)),
        }
    }

    async fn wait_for_workers(
        &self,
        locust: &Locust<'_>,
        plan: &Plan,
        interruptions: &mut Interruptions,
    ) -> Result<(), Ended> {
        let display = WorkerDisplay::new();
        let pods = || async {
            let own = pods_of(self.client, self.target).await;
            own.map(|own| WorkerPods::new(&own.pods)).map_err(|error| error.to_string())
        };
        let Locust { master, before } = locust;
        let on_look = |difference: &_| display.update(difference);
        let waiting = async {
            tokio::select! {
                connected = follow_workers(master, before, plan.limit(), pods, on_look) => connected,
                () = display.tick() => Ok(0),
            }
        };
        let connected = interruptions.unless(waiting).await;
        display.end();
        match connected? {
            Ok(count) => {
                say(&connected_text(count));
                Ok(())
            }
            Err(difference) => Err(Ended::failed(PhaseKind::Workers, difference)),
        }
    }
}
