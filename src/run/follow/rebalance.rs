//! Gives a running test its users back when workers have left.

use std::time::Duration;

use super::super::shortage::{Reason, Shortage};
use super::{Follow, Following, users};
use crate::locust::{Error, Outcome, Page, Stats, UnreportedStarts, Verdict, Watched, WorkerPods};
use crate::scaling::pods_of;
use crate::text::terminal::harmless;

impl Following<'_, '_> {
    /// Gives the test its users back, if it has lost some. A whole look costs more requests, so it is taken only
    /// then, and when the test has all its users with other workers than before.
    pub(super) async fn rebalance(&mut self, page: &Page, stats: &Stats) -> Result<(), Error> {
        let Some(known) = self.requested.known() else { return Ok(()) };
        let wanted = self.requested.wanted(page).unwrap_or(known.start.users);
        let idle = stats.connected().filter(|worker| worker.user_count == 0).count();
        let has_idle = idle > 0 && wanted >= stats.connected().count() as u64;
        let has_all_users = page.state == "running" && users(page) >= wanted;
        if has_all_users {
            self.rebalancer.see_all_users(wanted, has_idle);
        }
        let is_whole = has_all_users && !has_idle;
        // A look at the complete test shows later if users ended by themselves.
        let steady = self.rebalancer.steady();
        let is_seen =
            steady.is_some_and(|look| look.stats.connected_ids() == stats.connected_ids());
        let is_needed = !is_whole || !is_seen;
        if page.state != "running" || !is_needed || self.follow.is_over(Duration::ZERO) {
            return Ok(());
        }
        let Follow { client, target, master, .. } = self.follow;
        let Ok(own) = pods_of(client, target).await else { return Ok(()) };
        self.pods = WorkerPods::new(&own.pods).remember(&self.pods);
        let pods = Some(self.pods.clone());
        let known = self.requested.known();
        let mut ignored = |_: &str| {};
        let in_progress = Some(self.follow.in_progress);
        let rebalancer = &mut self.rebalancer;
        let result =
            rebalancer.look_and_rebalance(master, pods, known, in_progress, &mut ignored).await;
        match self.rebalancer.take_unreported_starts() {
            UnreportedStarts { accepted: Some(sent), .. } => self.requested.sent(&sent),
            UnreportedStarts { attempt: Some(attempt), .. } if attempt.is_open => {
                self.requested.attempted(attempt);
            }
            UnreportedStarts { .. } => {}
        }
        let watched = match result {
            // The test goes on without the rebalance.
            Err(error @ Error::Refused(_)) => {
                self.seen.note(error.to_string());
                return Ok(());
            }
            result => result?,
        };
        let reason = self.reason(&watched).filter(|_| !is_whole);
        if let Some(reason) = self.shortage.explain(reason) {
            self.seen.note(harmless(&reason));
        }
        if let Some(outcome) = watched.outcome {
            self.seen.note(harmless(&outcome.to_string()));
            if matches!(outcome, Outcome::Repaired { .. }) {
                self.shortage = Shortage::default();
            }
            if let Some(sent) = outcome.sent() {
                self.requested.sent(sent);
            }
        }
        Ok(())
    }

    /// The reason why no start was sent, although users are missing.
    fn reason(&self, watched: &Watched) -> Option<Reason> {
        let Watched { look, health, outcome } = watched;
        match &health.verdict {
            _ if outcome.is_some() => None,
            Verdict::Repairable(_) | Verdict::WorkerSilent(_) => {
                let unconnected = look.table().unconnected;
                let pods = (!unconnected.is_empty()).then(|| unconnected.join(", "));
                let waits = pods.map(|pods| {
                    format!("ready, but not connected to Locust: {pods}; locustctl redistributes the users when each \
                             ready pod has a connected worker")
                });
                let text = self.rebalancer.given_up().map(str::to_owned).or(waits)?;
                Some(Reason { kind: text.clone(), text })
            }
            Verdict::Unsafe(why) | Verdict::Unknown(why) => {
                Some(Reason { kind: why.clone(), text: health.to_string() })
            }
            Verdict::MasterBroken => {
                Some(Reason { kind: "master broken".to_owned(), text: health.to_string() })
            }
            _ => None,
        }
    }
}
