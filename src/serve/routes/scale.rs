//! `/api/scale`: reads and changes the count, for programs.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::app::App;
use super::super::caller::Caller;
use super::super::change::ChangeResult;
use super::super::problem::{PartialResult, Problem};
use super::super::settling::{Settling, settling};
use super::super::snapshot::{ConnectionState, Replicas, Snapshot, Stage, TargetInfo, UserCheck};
use super::scale_input::{Parameters, change_request, order, parameters};
use crate::text::go;

/// The answer to GET.
#[derive(Serialize)]
struct ScaleReply<'a> {
    target: &'a TargetInfo,
    replicas: i64,
    current: i64,
    ready: Option<i64>,
    settled: bool,
}

/// The answer to PUT.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeReply<'a> {
    target: &'a TargetInfo,
    old: Option<i64>,
    new: i64,
    ready: Option<i64>,
    settled: bool,
    dry_run: bool,
    message: String,
    users: Option<UserCheck>,
}

pub(super) async fn read(State(app): State<Arc<App>>) -> Response {
    let frame = app.backend.live.now();
    let snapshot = &frame.snapshot;
    match present_counts(snapshot) {
        Ok(Replicas { desired, current, ready, settled }) => {
            let target = &snapshot.target;
            json(&ScaleReply { target, replicas: desired, current, ready, settled })
        }
        Err(problem) => problem.into_response(),
    }
}

/// The counts, if they are up to date.
fn present_counts(snapshot: &Snapshot) -> Result<Replicas, Problem> {
    let (code, reason) = match (snapshot.connection.state, snapshot.replicas) {
        (ConnectionState::Connected, Some(replicas)) => return Ok(replicas),
        (ConnectionState::Connecting | ConnectionState::Connected, _) => {
            let detail = "The cluster has not answered yet; try again in a moment.";
            let code = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(code, "Connecting", detail).with_retry_after(1));
        }
        (ConnectionState::Lost, _) => (StatusCode::BAD_GATEWAY, "Unreachable"),
        (ConnectionState::Refused, _) => (StatusCode::BAD_GATEWAY, "Refused"),
        (ConnectionState::TargetMissing, _) => (StatusCode::NOT_FOUND, "NotFound"),
    };
    Err(Problem::new(code, reason, &*snapshot.connection.message))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parsed = parameters(query.as_deref().unwrap_or_default())
        .and_then(|parameters| Ok((parameters, order(&headers, &body)?)));
    let (Parameters { is_dry_run, wait }, order) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => {
            app.log_refused_change(&caller, None, &problem);
            return problem.into_response();
        }
    };
    let result = match change_request(&order, is_dry_run) {
        Ok(request) => app.change(request, caller).await,
        Err(problem) => {
            app.log_refused_change(&caller, order.replicas, &problem);
            Err(problem)
        }
    };
    let mut result = match result {
        Ok(result) => result,
        Err(problem) => return problem.into_response(),
    };
    let users = result.users.take();
    let users = match wait.filter(|_| !is_dry_run) {
        None => Ok(users.map(|_| users_pending())),
        Some(limit) => wait_for_users(&app, &result, users, limit).await,
    };
    match users {
        Ok(users) => reply(&app, result, is_dry_run, users),
        Err(problem) => problem.into_response(),
    }
}

/// Waits until the target has its replicas, and then until a running test has its users.
async fn wait_for_users(
    app: &App,
    result: &ChangeResult,
    users: Option<oneshot::Receiver<UserCheck>>,
    limit: Duration,
) -> Result<Option<UserCheck>, Problem> {
    let end = Instant::now() + limit;
    wait_until_settled(app, result, limit).await?;
    let Some(users) = users else { return Ok(None) };
    let users = timeout_at(end, users).await;
    Ok(Some(users.ok().and_then(Result::ok).unwrap_or_else(users_pending)))
}

fn users_pending() -> UserCheck {
    let text = "the users of the running test are not checked yet".to_owned();
    UserCheck { stage: Stage::Waiting, text }
}

fn reply(app: &App, result: ChangeResult, is_dry_run: bool, users: Option<UserCheck>) -> Response {
    let frame = app.backend.live.now();
    let replicas = frame.snapshot.replicas;
    json(&ChangeReply {
        target: &frame.snapshot.target,
        old: result.old,
        new: result.new,
        ready: ready(&frame.snapshot),
        settled: replicas.is_some_and(|now| now.settled && now.desired == result.new)
            && frame.snapshot.connection.state == ConnectionState::Connected,
        dry_run: is_dry_run,
        message: result.message,
        users,
    })
}

/// Waits until the target has its replicas.
async fn wait_until_settled(
    app: &App,
    result: &ChangeResult,
    limit: Duration,
) -> Result<(), Problem> {
    let Some(ended) = result.ended else { return Ok(()) };
    let mut is_stopping = app.is_stopping.clone();
    let outcome = tokio::select! {
        settling = timeout(limit, settling(&app.backend.live, ended, result.new)) => Some(settling),
        _ = is_stopping.wait_for(|is_stopping| *is_stopping) => None,
    };
    let snapshot = &app.backend.live.now().snapshot;
    let ready = ready(snapshot);
    let (target, old, new) =
        (&app.backend.target, crate::scaling::count_text(result.old), result.new);
    let scaled = format!("{target} was scaled from {old} to {new}");
    let problem = match outcome {
        Some(Ok(Settling::Settled)) => return Ok(()),
        Some(Ok(Settling::Overtaken(now))) => {
            let detail =
                format!("{scaled}, but another client scaled it to {now} in the meantime.");
            Problem::new(StatusCode::CONFLICT, "Overtaken", detail).with_current(Some(now))
        }
        Some(Ok(Settling::Gone)) => {
            let detail = format!("{scaled}, but it was deleted in the meantime.");
            Problem::new(StatusCode::NOT_FOUND, "NotFound", detail)
        }
        None => {
            let detail =
                format!("{scaled}; locustctl is stopping and does not wait for the replicas.");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Stopping", detail)
        }
        Some(Err(_)) => {
            let detail = format!("{scaled}{}", shortfall(snapshot, new, limit));
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", detail)
        }
    };
    Err(problem.with_partial_result(PartialResult { old: result.old, new, ready }))
}

/// The progress at the end of the wait, as the end of a sentence.
fn shortfall(snapshot: &Snapshot, new: i64, limit: Duration) -> String {
    let limit = duration_text(limit);
    if snapshot.connection.state != ConnectionState::Connected {
        return format!(
            "; the number of ready replicas is not known after {limit}: the cluster's API server does not answer."
        );
    }
    let ready = ready(snapshot).map_or_else(|| "some".to_owned(), |ready| ready.to_string());
    let reasons = snapshot.start_failures.iter().map(|line| format!(" {line}."));
    let reasons: String = reasons.collect();
    format!(", but after {limit} only {ready} of {new} replicas were ready.{reasons}")
}

/// The number of ready replicas, if it is up to date.
fn ready(snapshot: &Snapshot) -> Option<i64> {
    let is_known = snapshot.connection.state == ConnectionState::Connected;
    snapshot.replicas.filter(|_| is_known).and_then(|replicas| replicas.ready)
}

fn duration_text(limit: Duration) -> String {
    let nanoseconds = i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX);
    go::Duration(nanoseconds).to_string()
}

pub(super) fn json(value: &impl Serialize) -> Response {
    // Serializing cannot fail: the values are plain data.
    let body = serde_json::to_vec(value).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
