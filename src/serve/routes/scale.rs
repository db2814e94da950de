//! `/api/scale`: the count, read and changed by programs.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::app::{App, Asked, Done};
use super::super::caller::Caller;
use super::super::problem::{Problem, Standing};
use super::super::settling::Settling;
use super::super::snapshot::{Link, Replicas, Snapshot, Stage, TargetInfo, Users};
use crate::scaling::NewCount;
use crate::text::go;

/// Nobody needs to hold a request for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The answer to reading.
#[derive(Serialize)]
struct Count<'a> {
    target: &'a TargetInfo,
    replicas: i64,
    current: i64,
    ready: Option<i64>,
    settled: bool,
}

/// The answer to changing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    target: &'a TargetInfo,
    old: Option<i64>,
    new: i64,
    ready: Option<i64>,
    settled: bool,
    dry_run: bool,
    message: String,
    users: Option<Users>,
}

/// The body of a change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
struct Order {
    #[serde(default, deserialize_with = "given")]
    replicas: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    by: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    current_replicas: Option<i64>,
}

/// A whole number, where the field is there: `null` is none, and `3.0` is 3, as in JSON Schema.
fn given<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    /// Up to here every whole number has a float of its own.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole =
        |float: f64| (float.fract() == 0.0 && float.abs() < LARGEST).then_some(float as i64);
    let read = number.as_i64().or_else(|| whole(number.as_f64()?));
    read.map(Some)
        .ok_or_else(|| D::Error::custom(format!("{number} is not a whole number in range")))
}

/// What stands behind the question mark.
#[derive(Debug, Default, PartialEq, Eq)]
struct Terms {
    is_dry_run: bool,
    wait: Option<Duration>,
}

pub(super) async fn read(State(app): State<Arc<App>>) -> Response {
    let frame = app.live.now();
    let snapshot = &frame.snapshot;
    match known(snapshot) {
        Ok(Replicas { desired, current, ready, settled }) => {
            let target = &snapshot.target;
            json(&Count { target, replicas: desired, current, ready, settled })
        }
        Err(problem) => problem.into_response(),
    }
}

/// The counts, if they are those of the present.
fn known(snapshot: &Snapshot) -> Result<Replicas, Problem> {
    let (code, reason) = match (snapshot.connection.state, snapshot.replicas) {
        (Link::Connected, Some(replicas)) => return Ok(replicas),
        (Link::Connecting | Link::Connected, _) => {
            let detail = "The cluster has not answered yet; try again in a moment.";
            let code = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(code, "Connecting", detail).with_retry_after(1));
        }
        (Link::Lost, _) => (StatusCode::BAD_GATEWAY, "Unreachable"),
        (Link::Refused, _) => (StatusCode::BAD_GATEWAY, "Refused"),
        (Link::Missing, _) => (StatusCode::NOT_FOUND, "NotFound"),
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
    let asked = terms(query.as_deref().unwrap_or_default())
        .and_then(|terms| Ok((terms.is_dry_run, terms.wait, order(&headers, &body)?)));
    let (is_dry_run, wait, order) = match asked {
        Ok(asked) => asked,
        Err(problem) => {
            app.refused(&caller, None, &problem);
            return problem.into_response();
        }
    };
    let result = match ask(&order, is_dry_run) {
        Ok(asked) => app.change(asked, caller).await,
        Err(problem) => {
            app.refused(&caller, order.replicas, &problem);
            Err(problem)
        }
    };
    let mut done = match result {
        Ok(done) => done,
        Err(problem) => return problem.into_response(),
    };
    let users = done.users.take();
    let users = match wait.filter(|_| !is_dry_run) {
        None => Ok(users.map(|_| unknown_yet())),
        Some(limit) => waited(&app, &done, users, limit).await,
    };
    match users {
        Ok(users) => answer(&app, done, is_dry_run, users),
        Err(problem) => problem.into_response(),
    }
}

/// Waits until the count is true, and then until a running test has its users back.
async fn waited(
    app: &App,
    done: &Done,
    users: Option<oneshot::Receiver<Users>>,
    limit: Duration,
) -> Result<Option<Users>, Problem> {
    let end = Instant::now() + limit;
    settled(app, done, limit).await?;
    let Some(users) = users else { return Ok(None) };
    let users = timeout_at(end, users).await;
    Ok(Some(users.ok().and_then(Result::ok).unwrap_or_else(unknown_yet)))
}

fn unknown_yet() -> Users {
    let text = "whether the running test has its users is not known yet".to_owned();
    Users { stage: Stage::Waiting, text }
}

fn answer(app: &App, done: Done, is_dry_run: bool, users: Option<Users>) -> Response {
    let frame = app.live.now();
    let replicas = frame.snapshot.replicas;
    json(&Changed {
        target: &frame.snapshot.target,
        old: done.old,
        new: done.new,
        ready: ready(&frame.snapshot),
        settled: replicas.is_some_and(|now| now.settled && now.desired == done.new)
            && frame.snapshot.connection.state == Link::Connected,
        dry_run: is_dry_run,
        message: done.message,
        users,
    })
}

/// Waits until the count is true.
async fn settled(app: &App, done: &Done, limit: Duration) -> Result<(), Problem> {
    let Some(ended) = done.ended else { return Ok(()) };
    let mut is_stopping = app.is_stopping.clone();
    let outcome = tokio::select! {
        settling = timeout(limit, app.settling(ended, done.new)) => Some(settling),
        _ = is_stopping.wait_for(|is_stopping| *is_stopping) => None,
    };
    let snapshot = &app.live.now().snapshot;
    let ready = ready(snapshot);
    let (target, old, new) = (&app.target, crate::scaling::count_text(done.old), done.new);
    let scaled = format!("{target} was scaled from {old} to {new}");
    let problem = match outcome {
        Some(Ok(Settling::Settled)) => return Ok(()),
        Some(Ok(Settling::Overtaken(now))) => {
            let detail = format!("{scaled}, but somebody else scaled it to {now} meanwhile.");
            Problem::new(StatusCode::CONFLICT, "Overtaken", detail).with_current(Some(now))
        }
        Some(Ok(Settling::Gone)) => {
            let detail = format!("{scaled}, but it does not exist any more.");
            Problem::new(StatusCode::NOT_FOUND, "NotFound", detail)
        }
        None => {
            let detail = format!("{scaled}; locustctl is about to end and waits no longer.");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Stopping", detail)
        }
        Some(Err(_)) => {
            let detail = format!("{scaled}{}", shortfall(snapshot, new, limit));
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", detail)
        }
    };
    Err(problem.with_standing(Standing { old: done.old, new, ready }))
}

/// How far it has come when the time is over: the end of a sentence.
fn shortfall(snapshot: &Snapshot, new: i64, limit: Duration) -> String {
    let limit = words(limit);
    if snapshot.connection.state != Link::Connected {
        return format!(
            ", but after {limit} how many are ready is not known: the cluster does not answer."
        );
    }
    let ready = ready(snapshot).map_or_else(|| "some".to_owned(), |ready| ready.to_string());
    let troubles = snapshot.troubles.iter().map(|trouble| format!(" {trouble}."));
    let troubles: String = troubles.collect();
    format!(" and stays so, but after {limit} only {ready} of {new} were ready.{troubles}")
}

/// How many are ready, where that is known of the present.
fn ready(snapshot: &Snapshot) -> Option<i64> {
    let is_known = snapshot.connection.state == Link::Connected;
    snapshot.replicas.filter(|_| is_known).and_then(|replicas| replicas.ready)
}

fn words(limit: Duration) -> String {
    let nanoseconds = i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX);
    go::Duration(nanoseconds).to_string()
}

fn order(headers: &HeaderMap, bytes: &[u8]) -> Result<Order, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "The body must be JSON: send Content-Type: application/json.";
        let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(code, "UnsupportedMediaType", detail));
    }
    // An array would be taken for an object whose fields come in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad("The body is not an object, as {\"replicas\": 3}."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        bad(format!("The body is not what is expected, as {{\"replicas\": 3}}: {error}"))
    })
}

fn ask(order: &Order, is_dry_run: bool) -> Result<Asked, Problem> {
    let new = match (order.replicas, order.by) {
        (Some(replicas), None) => NewCount::Exactly(count(replicas)?),
        (None, Some(by)) => NewCount::By(by),
        (None, None) => return Err(bad("Either replicas or by must be given.")),
        (Some(_), Some(_)) => return Err(bad("replicas and by cannot be given together.")),
    };
    let current = order.current_replicas;
    if let Some(current) = current {
        count(current)?;
    }
    Ok(Asked { new, current, is_dry_run })
}

/// A count as the API can hold it.
pub(super) fn count(count: i64) -> Result<i32, Problem> {
    i32::try_from(count).ok().filter(|count| *count >= 0).ok_or_else(|| {
        let detail =
            format!("{count} is not a number of replicas: it must be from 0 to {}.", i32::MAX);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail)
    })
}

fn terms(query: &str) -> Result<Terms, Problem> {
    let mut terms = Terms::default();
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&name) {
            return Err(bad("A parameter is given twice."));
        }
        match (&*name, &*value) {
            ("dryRun", "true") => terms.is_dry_run = true,
            ("dryRun", "false") => terms.is_dry_run = false,
            ("dryRun", _) => return Err(bad("dryRun must be true or false.")),
            ("wait", value) => {
                let duration = go::Duration::parse(value).ok().and_then(go::Duration::positive);
                terms.wait =
                    Some(duration.filter(|wait| *wait <= LONGEST_WAIT).ok_or_else(|| {
                        bad("wait must be a duration of at most 10m, as 30s or 2m.")
                    })?);
            }
            (name, _) => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!(
                    "There is no parameter {name:?}; there are dryRun and wait."
                )));
            }
        }
        seen.push(name);
    }
    Ok(terms)
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BadRequest", detail)
}

pub(super) fn json(value: &impl Serialize) -> Response {
    // Plain data: there is nothing in it that JSON cannot hold.
    let body = serde_json::to_vec(value).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terms_of_a_change_are_read_strictly() {
        let terms = |query: &str| terms(query).map_err(|problem| problem.detail().to_owned());
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (query, expected) in [
            ("", Terms::default()),
            ("dryRun=true", Terms { is_dry_run: true, wait: None }),
            ("dryRun=false&wait=1m30s", Terms { is_dry_run: false, wait: wait(90) }),
            ("wait=10m", Terms { is_dry_run: false, wait: wait(600) }),
        ] {
            assert_eq!(terms(query), Ok(expected), "{query}");
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
            assert!(terms(query).is_err(), "{query}");
        }
    }

    #[test]
    fn either_a_count_or_a_change_is_asked_for() {
        let order = |text: &str| serde_json::from_str::<Order>(text).map_err(|_| 400);
        let asked = |text: &str| {
            order(text).and_then(|order| ask(&order, false).map_err(|p| p.status().as_u16()))
        };
        let of = |new, current| Ok(Asked { new, current, is_dry_run: false });
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
            assert_eq!(asked(text), expected, "{text}");
        }
    }
}
