//! The page and its form. They work without JavaScript.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use url::Host;

use super::super::app::App;
use super::super::caller::{Caller, Proof};
use super::super::change::ChangeRequest;
use super::super::page::{self, Context, Notice};
use super::super::problem::Problem;
use super::super::question::Question;
use super::super::redirect::see_other;
use super::super::root::Root;
use super::super::snapshot::{Change, Outcome, Snapshot};
use super::super::test_before::TestBefore;
use super::scale_input;
use crate::locust::Address;
use crate::scaling::{NewCount, count_text};

/// The fields of the form.
#[derive(Debug, Default, PartialEq, Eq)]
struct Submitted {
    worker_count: Option<String>,
    /// The current count in the text of the confirmed question.
    current_replicas: Option<String>,
    is_confirmed: bool,
    ignores_locust: bool,
}

/// The requested change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FormOrder {
    new: i32,
    /// The required current count, if any.
    current: Option<i64>,
}

/// The page. With `?done=ID`, it shows the result of that change.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
    RawQuery(query): RawQuery,
) -> Response {
    let frame = app.backend.live.with_fresh_look().await;
    let id = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == "done").then(|| value.parse::<u64>().ok())?);
    let change = id.and_then(|id| frame.snapshot.history.iter().find(|change| change.id == id));
    let text = change.map(|change| summary(&frame.snapshot, change));
    let is_error =
        change.is_some_and(|change| matches!(change.outcome, Outcome::Failed | Outcome::Unknown));
    let notice = text.as_deref().map(|text| Notice { is_error, text });
    html(StatusCode::OK, &frame.snapshot, Context { notice, ..context(&app, &caller, &root) })
}

/// Redirects to the page. Browsers send a GET to the address of a form if a user reloads or enters it.
pub(super) async fn go_to_page(root: Root) -> Response {
    match root.0 {
        "" => see_other("./"),
        root => see_other(root),
    }
}

/// Carries out the submitted change. A success redirects to the page, which shows the result. An error
/// or a question is shown at once, with an error status for programs.
pub(super) async fn rescale(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
    body: Bytes,
) -> Response {
    let submitted = parse(&body);
    let entered = submitted.worker_count.as_deref();
    let FormOrder { new, mut current } = match form_order(&submitted) {
        Ok(order) => order,
        Err(problem) => {
            app.log_refused_change(&caller, None, &problem);
            return error_page(&app, &caller, &root, entered, &problem);
        }
    };
    if !submitted.is_confirmed {
        let test = match app.look_for_question().await {
            Ok(test) => test,
            Err(problem) => return error_page(&app, &caller, &root, entered, &problem),
        };
        let frame = app.backend.live.with_fresh_look().await;
        let old = desired(&frame.snapshot);
        if let Some(question) =
            Question::of(frame.snapshot.limits, old, new, &test, app.backend.locust.rebalance)
        {
            let question = Some(&question);
            let context = Context { question, entered, ..context(&app, &caller, &root) };
            return html(StatusCode::PRECONDITION_REQUIRED, &frame.snapshot, context);
        }
        // The check for a running test is only valid for this count.
        current = old.filter(|_| matches!(test, TestBefore::Running(_)));
    }
    let (new_count, ignores_locust) = (NewCount::Exactly(new), submitted.ignores_locust);
    let request = ChangeRequest { new: new_count, current, is_dry_run: false, ignores_locust };
    match app.change(request, caller.clone()).await {
        Ok(result) => {
            let id = result.ended.map(|ended| ended.id).unwrap_or_default();
            see_other(&format!("./?done={id}"))
        }
        Err(problem) => match problem.current() {
            Some(now) => ask_again(&app, &caller, &root, (new, now), &problem).await,
            None => error_page(&app, &caller, &root, entered, &problem),
        },
    }
}

/// Shows that the count has changed, and asks again with the current count.
async fn ask_again(
    app: &App,
    caller: &Caller,
    root: &Root,
    (new, now): (i32, i64),
    problem: &Problem,
) -> Response {
    let test = match app.look_for_question().await {
        Ok(test) => test,
        Err(problem) => return error_page(app, caller, root, Some(&new.to_string()), &problem),
    };
    let frame = app.backend.live.now();
    let snapshot = &frame.snapshot;
    let question = Question::after_conflict(Some(now), new, &test, app.backend.locust.rebalance);
    let question = (i64::from(new) != now).then_some(&question);
    let entered = new.to_string();
    let notice = Some(Notice { is_error: true, text: problem.detail() });
    let entered = Some(entered.as_str());
    let context = Context { question, notice, entered, ..context(app, caller, root) };
    html(problem.status(), snapshot, context)
}

/// Redistributes the users of a running test. A success redirects to the page; an error is shown.
pub(super) async fn rebalance(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    root: Root,
) -> Response {
    match super::rebalance::rebalance(&app, &caller).await {
        Ok(_) => see_other("./"),
        Err(problem) => error_page(&app, &caller, &root, None, &problem),
    }
}

fn error_page(
    app: &App,
    caller: &Caller,
    root: &Root,
    entered: Option<&str>,
    problem: &Problem,
) -> Response {
    let notice = Some(Notice { is_error: true, text: problem.detail() });
    let context = Context { notice, entered, ..context(app, caller, root) };
    html(problem.status(), &app.backend.live.now().snapshot, context)
}

fn context<'a>(app: &'a App, caller: &'a Caller, root: &Root) -> Context<'a> {
    let viewer = match caller.proof {
        Proof::NotRequired => "",
        _ => &caller.name,
    };
    let can_log_out = caller.proof == Proof::Session;
    let locust = &app.backend.locust;
    let locust_page = match (locust.is_in_front, root.0) {
        (true, "") => Some("../../"),
        (true, _) => Some("./"),
        (false, _) => url_for_browsers(&locust.location.address, caller.from),
    };
    Context { root: root.0, viewer, can_log_out, locust_page, ..Context::default() }
}

/// The URL of Locust, if a browser at this address probably reaches it too. Names of Services and
/// other short names are only valid in the cluster, and loopback only on this machine.
fn url_for_browsers(address: &Address, browser: IpAddr) -> Option<&str> {
    let Address::Url(url) = address else { return None };
    let is_reachable = match url.host()? {
        Host::Domain("localhost") => browser.to_canonical().is_loopback(),
        Host::Domain(name) => {
            let labels = name.trim_end_matches('.').rsplit('.').collect::<Vec<_>>();
            labels.len() > 2 && !matches!(labels[0], "svc" | "local" | "internal")
        }
        Host::Ipv4(ip) => ip.is_loopback() && browser.to_canonical().is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback() && browser.to_canonical().is_loopback(),
    };
    is_reachable.then_some(url.as_str())
}

fn html(code: StatusCode, snapshot: &Snapshot, context: Context<'_>) -> Response {
    let text = page::page(snapshot, context);
    (code, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// Reads the fields of the form. Other fields are ignored.
fn parse(body: &[u8]) -> Submitted {
    let mut submitted = Submitted::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "worker_count" => submitted.worker_count = Some(value.into_owned()),
            "current_replicas" => submitted.current_replicas = Some(value.into_owned()),
            "ignore_locust" => submitted.ignores_locust = value == "yes",
            "confirm" => submitted.is_confirmed = value == "yes",
            _ => {}
        }
    }
    submitted
}

fn form_order(submitted: &Submitted) -> Result<FormOrder, Problem> {
    let new = number(submitted.worker_count.as_deref())?;
    let current = submitted.current_replicas.as_deref().filter(|_| submitted.is_confirmed);
    let current = current.map(|text| number(Some(text))).transpose()?.map(i64::from);
    Ok(FormOrder { new, current })
}

fn number(entered: Option<&str>) -> Result<i32, Problem> {
    let invalid =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail);
    let text = entered.map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err(invalid("Enter the number of workers (the field worker_count).".to_owned()));
    }
    match text.parse::<i64>() {
        Ok(number) => scale_input::count(number),
        Err(_) => {
            let text: String = text.chars().take(40).collect();
            Err(invalid(format!("{text:?} is not a whole number.")))
        }
    }
}

/// Reads a body as that of the form; for `fuzz/`.
pub(super) fn try_form(content: &[u8]) {
    let _ = form_order(&parse(content));
}

fn desired(snapshot: &Snapshot) -> Option<i64> {
    snapshot.replicas.map(|replicas| replicas.desired)
}

/// The result of a change, as a sentence.
fn summary(snapshot: &Snapshot, change: &Change) -> String {
    let name = &snapshot.target.name;
    let (old, new) = (count_text(change.old), count_text(change.new));
    let text = match change.outcome {
        Outcome::Unchanged => format!("{name} already had this number of replicas ({new})."),
        Outcome::Failed => format!("{name} was not scaled."),
        // The message says what is known, and what to do.
        Outcome::Unknown => format!("{name} may have been scaled to {new}."),
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
    fn the_page_links_to_a_locust_that_the_browser_can_reach() {
        for (address, browser, is_linked) in [
            ("https://locust.example.com/load/", "10.0.0.9", true),
            ("http://locust-master:8089", "10.0.0.9", false),
            ("http://locust-master.load:8089", "10.0.0.9", false),
            ("http://locust-master.load.svc:8089", "10.0.0.9", false),
            ("http://locust-master.load.svc.cluster.local.:8089", "10.0.0.9", false),
            ("http://10.1.2.3:8089", "10.0.0.9", false),
            ("http://127.0.0.1:8089", "10.0.0.9", false),
            ("http://127.0.0.1:8089", "::ffff:127.0.0.1", true),
            ("http://[::1]:8089", "127.0.0.1", true),
            ("http://localhost:8089", "127.0.0.1", true),
            ("http://localhost:8089", "10.0.0.9", false),
            ("service/locust-master", "127.0.0.1", false),
            ("auto", "127.0.0.1", false),
        ] {
            let parsed = Address::parse(address).unwrap();
            let url = url_for_browsers(&parsed, browser.parse().unwrap());
            assert_eq!(url.is_some(), is_linked, "{address} from {browser}");
        }
    }

    #[test]
    fn only_whole_numbers_are_accepted() {
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
