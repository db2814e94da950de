//! `/api/scale`: reads and changes the count, for programs.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::app::App;
use super::super::caller::Caller;
use super::super::change::{ChangeRequest, ChangeResult};
use super::super::problem::{PartialResult, Problem};
use super::super::settling::{Settling, settling};
use super::super::snapshot::{ConnectionState, Replicas, Snapshot, Stage, TargetInfo, UserCheck};
use crate::scaling::NewCount;
use crate::text::go;

/// Limit of the parameter `wait`.
const MAX_WAIT: Duration = Duration::from_secs(600);

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

/// The body of PUT.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
struct OrderBody {
    #[serde(default, deserialize_with = "whole_number")]
    replicas: Option<i64>,
    #[serde(default, deserialize_with = "whole_number")]
    by: Option<i64>,
    #[serde(default, deserialize_with = "whole_number")]
    current_replicas: Option<i64>,
    #[serde(default)]
    ignore_locust: bool,
}

/// Reads a whole number. `null` is an error, and `3.0` is 3, as in JSON Schema.
fn whole_number<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    /// Every whole number up to this one has an exact float.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole =
        |float: f64| (float.fract() == 0.0 && float.abs() < LARGEST).then_some(float as i64);
    let read = number.as_i64().or_else(|| whole(number.as_f64()?));
    read.map(Some)
        .ok_or_else(|| D::Error::custom(format!("{number} is not a whole number in range")))
}

/// The query parameters of PUT.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parameters {
    is_dry_run: bool,
    wait: Option<Duration>,
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

fn order(headers: &HeaderMap, bytes: &[u8]) -> Result<OrderBody, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "The body must be JSON: send Content-Type: application/json.";
        let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(code, "UnsupportedMediaType", detail));
    }
    // serde would read an array as an object, by the order of the fields.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad("The body must be an object, such as {\"replicas\": 3}."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        bad(format!("The body is not valid; an example is {{\"replicas\": 3}}: {error}"))
    })
}

fn change_request(order: &OrderBody, is_dry_run: bool) -> Result<ChangeRequest, Problem> {
    let new = match (order.replicas, order.by) {
        (Some(replicas), None) => NewCount::Exactly(count(replicas)?),
        (None, Some(by)) => NewCount::By(by),
        (None, None) => return Err(bad("The body needs replicas or by.")),
        (Some(_), Some(_)) => return Err(bad("The body must not have both replicas and by.")),
    };
    let current = order.current_replicas;
    if let Some(current) = current {
        count(current)?;
    }
    Ok(ChangeRequest { new, current, is_dry_run, ignores_locust: order.ignore_locust })
}

/// Checks a count: the API server stores it as a 32-bit number.
pub(super) fn count(count: i64) -> Result<i32, Problem> {
    i32::try_from(count).ok().filter(|count| *count >= 0).ok_or_else(|| {
        let detail =
            format!("{count} is not a number of replicas: it must be from 0 to {}.", i32::MAX);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail)
    })
}

fn parameters(query: &str) -> Result<Parameters, Problem> {
    let mut parameters = Parameters::default();
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&name) {
            return Err(bad("A parameter is repeated."));
        }
        match (&*name, &*value) {
            ("dryRun", "true") => parameters.is_dry_run = true,
            ("dryRun", "false") => parameters.is_dry_run = false,
            ("dryRun", _) => return Err(bad("dryRun must be true or false.")),
            ("wait", value) => {
                let duration = go::Duration::parse(value).ok().and_then(go::Duration::positive);
                parameters.wait =
                    Some(duration.filter(|wait| *wait <= MAX_WAIT).ok_or_else(|| {
                        bad("wait must be a duration of at most 10m, such as 30s or 2m.")
                    })?);
            }
            (name, _) => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!(
                    "The parameter {name:?} is unknown; the parameters are dryRun and wait."
                )));
            }
        }
        seen.push(name);
    }
    Ok(parameters)
}

/// Reads a body and a query as those of `PUT /api/scale`; for `fuzz/`.
pub(super) fn try_change(content: &[u8]) {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
    let _ = order(&headers, content).and_then(|order| change_request(&order, true));
    let _ = parameters(&String::from_utf8_lossy(content));
}

pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BadRequest", detail)
}

pub(super) fn json(value: &impl Serialize) -> Response {
    // Serializing cannot fail: the values are plain data.
    let body = serde_json::to_vec(value).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_invalid_parameters_are_refused() {
        let parameters =
            |query: &str| parameters(query).map_err(|problem| problem.detail().to_owned());
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (query, expected) in [
            ("", Parameters::default()),
            ("dryRun=true", Parameters { is_dry_run: true, wait: None }),
            ("dryRun=false&wait=1m30s", Parameters { is_dry_run: false, wait: wait(90) }),
            ("wait=10m", Parameters { is_dry_run: false, wait: wait(600) }),
        ] {
            assert_eq!(parameters(query), Ok(expected), "{query}");
        }
        for query in [
            "dryRun",
            "dryRun=All",
            "dryRun=true&dryRun=false",
            "wait=",
            "wait=30",
            "wait=-1s",
            "wait=0s",
            "wait=11m",
            "x=1",
        ] {
            assert!(parameters(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_body_has_either_replicas_or_by() {
        let order = |text: &str| serde_json::from_str::<OrderBody>(text).map_err(|_| 400);
        let read = |text: &str| {
            order(text)
                .and_then(|order| change_request(&order, false).map_err(|p| p.status().as_u16()))
        };
        let of = |new, current| {
            Ok(ChangeRequest { new, current, is_dry_run: false, ignores_locust: false })
        };
        for (text, expected) in [
            (r#"{"replicas": 3}"#, of(NewCount::Exactly(3), None)),
            (r#"{"replicas": 0, "currentReplicas": 2}"#, of(NewCount::Exactly(0), Some(2))),
            (r#"{"by": -2}"#, of(NewCount::By(-2), None)),
            (r#"{"replicas": -1}"#, Err(422)),
            (r#"{"replicas": 2147483648}"#, Err(422)),
            (r#"{"replicas": 1, "currentReplicas": -1}"#, Err(422)),
            (r#"{"replicas": 1, "by": 1}"#, Err(400)),
            ("{}", Err(400)),
            (r#"{"replicas": "3"}"#, Err(400)),
            (r#"{"replicas": 3.0}"#, of(NewCount::Exactly(3), None)),
            (r#"{"replicas": 3.5}"#, Err(400)),
            (r#"{"replicas": 1e300}"#, Err(400)),
            (r#"{"replicas": 9223372036854775808}"#, Err(400)),
            (r#"{"by": 1, "currentReplicas": null}"#, Err(400)),
            (r#"{"replicas": 3, "replicas": 4}"#, Err(400)),
            (r#"{"replicas": 3, "x": 4}"#, Err(400)),
            ("[]", Err(400)),
            ("", Err(400)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
