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
use super::super::page::{self, Context, Notice, Question};
use super::super::problem::Problem;
use super::super::redirect::see_other;
use super::super::root::Root;
use super::super::snapshot::{Change, Outcome, Snapshot, Swarm};
use super::scale;
use crate::scaling::{self, NewCount, Test, count_text};

/// What was submitted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Submitted {
    worker_count: Option<String>,
    is_confirmed: bool,
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
    let new = match number(entered) {
        Ok(new) => new,
        Err(problem) => {
            app.refused(&caller, None, &problem);
            return answer(&app, &caller, &root, entered, &problem);
        }
    };
    let frame = app.live.now();
    let cost = cost_of(&frame.snapshot, new);
    if let Some(question) = question(&frame.snapshot, new.into(), cost.as_deref())
        && !submitted.is_confirmed
    {
        let context = Context { question: Some(question), entered, ..context(&caller, &root) };
        return html(StatusCode::PRECONDITION_REQUIRED, &frame.snapshot, context);
    }
    let asked = Asked { new: NewCount::Exactly(new), current: None, is_dry_run: false };
    match app.change(asked, caller.clone()).await {
        Ok(done) => {
            let id = done.ended.map(|ended| ended.id).unwrap_or_default();
            see_other(&format!("./?done={id}"))
        }
        Err(problem) => answer(&app, &caller, &root, entered, &problem),
    }
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
            "confirm" => submitted.is_confirmed = value == "yes",
            _ => {}
        }
    }
    submitted
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

/// Nothing at all, or more than twice as many, may be a slip of the finger, and so may anything where
/// it is not known how many there are; and a running test may lose by it. What will be refused anyway
/// is not asked about.
fn question<'a>(snapshot: &Snapshot, new: i64, cost: Option<&'a str>) -> Option<Question<'a>> {
    let old = snapshot.replicas.map(|replicas| replicas.desired);
    let is_slip = old.is_none_or(|old| {
        let is_end = new == 0 && old > 0;
        let is_leap = new > old.max(1).saturating_mul(2);
        is_end || is_leap
    });
    let is_asked = (is_slip || cost.is_some()) && snapshot.limits.allow(new);
    is_asked.then_some(Question { new, old, cost })
}

fn cost_of(snapshot: &Snapshot, new: i32) -> Option<String> {
    let Swarm { state, users, workers, own_workers, .. } = snapshot.locust.as_ref()?;
    let pods = snapshot.replicas?.desired;
    let test = Test { state, users: *users, workers: *workers };
    scaling::cost(
        test,
        &[scaling::Change { workers: *own_workers, pods, new: NewCount::Exactly(new) }],
    )
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
    use crate::serve::live::Live;
    use crate::serve::snapshot::{Limits, Replicas, TargetInfo};

    fn at(desired: i64) -> Snapshot {
        let text = || "x".to_owned();
        let target = TargetInfo {
            kind: text(),
            name: text(),
            namespace: text(),
            cluster: text(),
            context: None,
        };
        let live = Live::new(target, Limits { min: 0, max: 100 });
        let mut snapshot = live.now().snapshot.clone();
        let (current, ready) = (desired, Some(desired));
        snapshot.replicas = Some(Replicas { desired, current, ready, settled: true });
        snapshot
    }

    #[test]
    fn zero_and_more_than_double_are_asked_about() {
        for (old, new, is_asked) in [
            (5, 0, true),
            (5, 1, false),
            (5, 10, false),
            (5, 11, true),
            (1, 2, false),
            (1, 3, true),
            (0, 0, false),
            (0, 2, false),
            (0, 3, true),
        ] {
            assert_eq!(question(&at(old), new, None).is_some(), is_asked, "{old} to {new}");
        }
        let unknown = Snapshot { replicas: None, ..at(0) };
        assert!(question(&unknown, 0, None).is_some() && question(&unknown, 3, None).is_some());
        assert!(question(&at(5), 101, None).is_none(), "it is beyond the limits");
    }

    #[test]
    fn what_costs_a_running_test_something_is_asked_about() {
        let mut snapshot = at(5);
        assert_eq!(cost_of(&snapshot, 4), None);
        let state = "running".to_owned();
        snapshot.locust =
            Some(Swarm { state, users: 60, workers: 5, own_workers: 5, ..Swarm::default() });
        let cost = cost_of(&snapshot, 4).unwrap();
        assert!(cost.contains("60 users on 5 workers; 1 of them will leave"), "{cost}");
        assert!(question(&snapshot, 4, Some(&cost)).is_some());
        assert_eq!(cost_of(&snapshot, 5), None);
    }

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
