//! A rebalance of a running test on request, by a button or the HTTP API.

use super::caller::Caller;
use super::rebalancer::{Rebalancer, audit_rebalance};
use super::snapshot::{Stage, UserCheck};
use crate::locust::{Error, Outcome, RebalanceMode, Search, Verdict, foreign_text};
use crate::text::terminal::printable;

/// The reason why a requested rebalance has no outcome.
#[derive(Debug, thiserror::Error)]
pub(super) enum RebalanceError {
    #[error(
        "A change of the number of replicas or another rebalance is under way. Try again when it has \
         ended."
    )]
    Busy,
    #[error(
        "A change of the number of replicas began before locustctl could confirm the rebalance. \
         locustctl checks the users after that change."
    )]
    Interrupted,
    #[error("No Locust was found. Start serve with --locust=URL or --locust=service/NAME[:PORT].")]
    NoLocust,
    /// The text of [`foreign_text`].
    #[error(
        "{0}. Start serve with the address of the right Locust: --locust=URL or --locust=service/NAME[:PORT]."
    )]
    Foreign(String),
    #[error("{0}")]
    Locust(Error),
}

impl Rebalancer {
    /// Redistributes the users of a running test on request.
    ///
    /// # Errors
    /// The users were not redistributed, or locustctl cannot confirm it.
    pub(super) async fn rebalance(&self, caller: &Caller) -> Result<Outcome, RebalanceError> {
        let live = &self.backend.live;
        let _turn = self.backend.turns.try_rebalance().ok_or(RebalanceError::Busy)?;
        let pods = live.worker_pods();
        let found =
            self.backend.find_locust(pods.as_ref()).await.map_err(RebalanceError::Locust)?;
        let master = match found {
            Search::Found(master) => master,
            Search::Absent => return Err(RebalanceError::NoLocust),
            Search::Foreign { place, workers } => {
                let text = foreign_text(&place, workers, &self.backend.target);
                return Err(RebalanceError::Foreign(text));
            }
        };
        let steady = self.steady(&master).await;
        let result = match self.run(&master, steady.as_ref(), RebalanceMode::AtOnce, None).await {
            // The search accepts every Locust at a given address, and before serve knows the pods.
            Ok(Some(Outcome::NothingSent(health))) if health.verdict == Verdict::Foreign => {
                let text = foreign_text(&master.place(), health.workers, &self.backend.target);
                Err(RebalanceError::Foreign(text))
            }
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Err(RebalanceError::Interrupted),
            Err(error) => Err(RebalanceError::Locust(error)),
        };
        let (stage, text) = match &result {
            Ok(outcome) if outcome.is_well() && !outcome.health().is_alarming() => {
                (Stage::Passed, outcome.to_string())
            }
            Ok(outcome) => (Stage::Failed, outcome.to_string()),
            Err(error) => (Stage::Failed, error.to_string()),
        };
        let users = UserCheck { stage, text: printable(&text) };
        audit_rebalance(caller, &users);
        if result.as_ref().is_ok_and(Outcome::is_repaired) {
            live.record_repair(users);
        }
        result
    }
}
