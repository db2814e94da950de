//! The page with its form, which needs no JavaScript.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::super::app::{App, Asked};
use super::super::caller::{Caller, Proof};
use super::super::page::{self, Context, Notice};
use super::super::problem::Problem;
use super::super::question::{Question, cost_of};
use super::super::redirect::see_other;
use super::super::root::Root;
use super::super::snapshot::{Change, Outcome, Snapshot};
use super::scale;
use crate::locust::is_running;
use crate::scaling::{NewCount, count_text};

/// What was submitted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Submitted {
    worker_count: Option<String>,
    /// The count that the confirmed question named.
    current_replicas: Option<String>,
    is_confirmed: bool,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    new: i32,
    /// The count that must still be the present one.
    current: Option<i64>,
}

/// The page; with `?done=ID`, what became of that change.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
    RawQuery(query): RawQuery,
) -> Response {
    // For the next look, where the page does not follow by itself.
    app.live.look_again();
    let frame = app.live.now();
    let id = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == "done").then(|| value.parse::<u64>().ok())?);
    let change = id.and_then(|id| frame.snapshot.history.iter().find(|change| change.id == id));
    let text = change.map(|change| summary(&frame.snapshot, change));
    let is_error =
        change.is_some_and(|change| matches!(change.outcome, Outcome::Failed | Outcome::Unknown));
    let notice = text.as_deref().map(|text| Notice { is_error, text });
    html(StatusCode::OK, &frame.snapshot, Context { notice, ..context(&caller, &root) })
}

/// Carries out what was submitted. A success leads back to the page, which tells of it; anything
/// else is told at once, with a status that says so to programs as well.
pub(super) async fn rescale(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
    body: Bytes,
) -> Response {
    let submitted = read(&body);
    let entered = submitted.worker_count.as_deref();
    let Wanted { new, mut current } = match wanted(&submitted) {
        Ok(wanted) => wanted,
        Err(problem) => {
            app.refused(&caller, None, &problem);
            return answer(&app, &caller, &root, entered, &problem);
        }
    };
    if !submitted.is_confirmed {
        let frame = app.live.now();
        let seen = desired(&frame.snapshot);
        let cost = cost_of(&frame.snapshot, seen, new);
        if let Some(question) = Question::of(&frame.snapshot, seen, new, cost.as_deref()) {
            let context = Context { question: Some(question), entered, ..context(&caller, &root) };
            return html(StatusCode::PRECONDITION_REQUIRED, &frame.snapshot, context);
        }
        // A running test loses nothing only if this is still the count.
        current = seen.filter(|_| has_running_test(&frame.snapshot));
    }
    let asked = Asked { new: NewCount::Exactly(new), current, is_dry_run: false };
    match app.change(asked, caller.clone()).await {
        Ok(done) => {
            let id = done.ended.map(|ended| ended.id).unwrap_or_default();
            see_other(&format!("./?done={id}"))
        }
        Err(problem) => match problem.current() {
            Some(now) => ask_again(&app, &caller, &root, (new, now), &problem),
            None => answer(&app, &caller, &root, entered, &problem),
        },
    }
}

/// Says that the count is another one by now, and renews the question with it.
fn ask_again(
    app: &App,
    caller: &Caller,
    root: &Root,
    (new, now): (i32, i64),
    problem: &Problem,
) -> Response {
    let frame = app.live.now();
    let snapshot = &frame.snapshot;
    let cost = cost_of(snapshot, Some(now), new);
    let question = Question::again(now, new, cost.as_deref());
    let entered = new.to_string();
    let notice = Some(Notice { is_error: true, text: problem.detail() });
    let entered = Some(entered.as_str());
    let context = Context { question, notice, entered, ..context(caller, root) };
    html(problem.status(), snapshot, context)
}

/// Gives a running test its users back; a success leads back to the page, anything else is told.
pub(super) async fn rebalance(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
) -> Response {
    match super::rebalance::rebalance(&app, &caller).await {
        Ok(_) => see_other("./"),
        Err(problem) => answer(&app, &caller, &root, None, &problem),
    }
}

fn answer(
    app: &App,
    caller: &Caller,
    root: &Root,
    entered: Option<&str>,
    problem: &Problem,
) -> Response {
    let notice = Some(Notice { is_error: true, text: problem.detail() });
    let context = Context { notice, entered, ..context(caller, root) };
    html(problem.status(), &app.live.now().snapshot, context)
}

fn context<'a>(caller: &'a Caller, root: &Root) -> Context<'a> {
    let viewer = match caller.proof {
        Proof::NotAsked => "",
        _ => &caller.name,
    };
    let can_log_out = caller.proof == Proof::Session;
    Context { root: root.0, viewer, can_log_out, ..Context::default() }
}

fn html(code: StatusCode, snapshot: &Snapshot, context: Context<'_>) -> Response {
    let text = page::page(snapshot, context);
    (code, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// Fields that are not the form's own are let go.
fn read(body: &[u8]) -> Submitted {
    let mut submitted = Submitted::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "worker_count" => submitted.worker_count = Some(value.into_owned()),
            "current_replicas" => submitted.current_replicas = Some(value.into_owned()),
            "confirm" => submitted.is_confirmed = value == "yes",
            _ => {}
        }
    }
    submitted
}

fn wanted(submitted: &Submitted) -> Result<Wanted, Problem> {
    let new = number(submitted.worker_count.as_deref())?;
    let current = submitted.current_replicas.as_deref().filter(|_| submitted.is_confirmed);
    let current = current.map(|text| number(Some(text))).transpose()?.map(i64::from);
    Ok(Wanted { new, current })
}

fn number(entered: Option<&str>) -> Result<i32, Problem> {
    let invalid =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail);
    let text = entered.map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err(invalid("Enter the number of workers (the field worker_count).".to_owned()));
    }
    match text.parse::<i64>() {
        Ok(number) => scale::count(number),
        Err(_) => {
            let text: String = text.chars().take(40).collect();
            Err(invalid(format!("{text:?} is not a whole number.")))
        }
    }
}

fn desired(snapshot: &Snapshot) -> Option<i64> {
    snapshot.replicas.map(|replicas| replicas.desired)
}

fn has_running_test(snapshot: &Snapshot) -> bool {
    snapshot.locust.as_ref().is_some_and(|locust| is_running(&locust.state))
}

fn summary(snapshot: &Snapshot, change: &Change) -> String {
    let name = &snapshot.target.name;
    let (old, new) = (count_text(change.old), count_text(change.new));
    let text = match change.outcome {
        Outcome::Unchanged => format!("{name} was at {new} already."),
        Outcome::Failed => format!("{name} was not scaled."),
        Outcome::Unknown => format!("Whether {name} was scaled to {new} is not known."),
        Outcome::Scaled | Outcome::Observed => format!("{name} was scaled from {old} to {new}."),
    };
    match change.message.as_str() {
        "" => text,
        message => format!("{text} {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_number_is_a_count() {
        for (text, expected) in [
            (Some("3"), Ok(3)),
            (Some(" 3 "), Ok(3)),
            (Some("0"), Ok(0)),
            (Some("-1"), Err("-1 is not a number of replicas: it must be from 0 to 2147483647.")),
            (Some("3.5"), Err("\"3.5\" is not a whole number.")),
            (Some("<b>"), Err("\"<b>\" is not a whole number.")),
            (Some(""), Err("Enter the number of workers (the field worker_count).")),
            (None, Err("Enter the number of workers (the field worker_count).")),
        ] {
            let read = number(text).map_err(|problem| problem.detail().to_owned());
            assert_eq!(read, expected.map_err(str::to_owned), "{text:?}");
        }
    }
}
