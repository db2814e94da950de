//! `POST /api/rebalance`: gives a running test its users back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::app::App;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::scale::json;
use crate::locust::{Error, Outcome};
use crate::text::terminal::printable;

/// The answer.
#[derive(Serialize)]
struct Answer {
    /// Whether anything had to be done.
    rebalanced: bool,
    /// What was done, or why nothing had to be.
    message: String,
}

pub(super) async fn api(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match rebalance(&app, &caller).await {
        Ok(outcome) => json(&Answer {
            rebalanced: matches!(outcome, Outcome::Repaired { .. }),
            message: printable(&outcome.to_string()),
        }),
        Err(problem) => problem.into_response(),
    }
}

/// Carried to its end even when whoever asked has gone.
pub(super) async fn rebalance(app: &Arc<App>, caller: &Caller) -> Result<Outcome, Problem> {
    let (app, caller) = (Arc::clone(app), caller.clone());
    let task = tokio::spawn(async move { app.rebalance(&caller).await });
    let problem = |code, reason, detail: &str| Err(Problem::new(code, reason, printable(detail)));
    match task.await {
        Ok(Ok(Some(outcome))) if outcome.is_well() && !outcome.health().is_alarming() => {
            Ok(outcome)
        }
        Ok(Ok(Some(outcome))) => {
            problem(StatusCode::CONFLICT, "NotRebalanced", &outcome.to_string())
        }
        Ok(Ok(None)) => problem(StatusCode::NOT_FOUND, "NotFound", "No Locust was found."),
        Ok(Err(Error::Refused(why))) => {
            let detail = format!("Locust refused to start the users: {why}");
            problem(StatusCode::CONFLICT, "NotRebalanced", &detail)
        }
        Ok(Err(error)) => {
            let detail = format!("Locust cannot be asked: {error}");
            problem(StatusCode::BAD_GATEWAY, "Unreachable", &detail)
        }
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "It broke off by a mistake of locustctl's own.",
        ),
    }
}
