//! `POST /api/rebalance`: redistributes the users of a running test.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::app::App;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::requested_rebalance::RebalanceError;
use super::scale::json;
use crate::locust::{Error, Outcome};
use crate::text::terminal::printable;

#[derive(Serialize)]
struct RebalanceReply {
    /// True if a start was sent to Locust.
    rebalanced: bool,
    /// The result, as a sentence.
    message: String,
}

pub(super) async fn api(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match rebalance(&app, &caller).await {
        Ok(outcome) => json(&RebalanceReply {
            rebalanced: outcome.is_repaired(),
            message: printable(&outcome.to_string()),
        }),
        Err(problem) => problem.into_response(),
    }
}

/// Redistributes the users. The task is completed even if the client disconnects.
pub(super) async fn rebalance(app: &Arc<App>, caller: &Caller) -> Result<Outcome, Problem> {
    let (app, caller) = (Arc::clone(app), caller.clone());
    let task = tokio::spawn(async move { app.rebalancer.rebalance(&caller).await });
    let problem = |code, reason, detail: &str| Err(Problem::new(code, reason, printable(detail)));
    match task.await {
        Ok(Ok(outcome)) if outcome.is_well() && !outcome.health().is_alarming() => Ok(outcome),
        Ok(Ok(outcome)) => problem(StatusCode::CONFLICT, "NotRebalanced", &outcome.to_string()),
        Ok(Err(error @ (RebalanceError::NoLocust | RebalanceError::Foreign(_)))) => {
            problem(StatusCode::NOT_FOUND, "NotFound", &error.to_string())
        }
        Ok(Err(error @ (RebalanceError::Busy | RebalanceError::Interrupted))) => {
            problem(StatusCode::CONFLICT, "NotRebalanced", &error.to_string())
        }
        Ok(Err(RebalanceError::Locust(error @ Error::Refused(_)))) => {
            problem(StatusCode::CONFLICT, "NotRebalanced", &error.to_string())
        }
        Ok(Err(RebalanceError::Locust(error))) => {
            problem(StatusCode::BAD_GATEWAY, "Unreachable", &error.explanation())
        }
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "The rebalance was interrupted by a bug in locustctl. Check the users in Locust's page.",
        ),
    }
}
