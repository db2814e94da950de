//! The login page and the logout, for people with a browser.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use secrecy::SecretString;

use super::super::caller::Peer;
use super::super::log::{Audit, audit};
use super::super::page;
use super::super::problem::Problem;
use super::super::redirect::see_other;
use super::access::Guard;
use super::login_redirect::is_local;
use super::sessions::LIFETIME;

/// The message after a change that was refused because the session had ended.
const CHANGE_LOST: &str = "You were signed out, and nothing was changed. Sign in, and try again.";

/// The routes `/login` and `/logout`.
pub fn routes(guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .with_state(guard)
}

async fn form(
    State(guard): State<Arc<Guard>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let next = next(query.as_bytes());
    let is_lost = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "lost");
    match guard.tokens.is_none() || guard.session_user(&headers, peer).is_some() {
        true => see_other(&guard.path_from_form(&next)),
        false => answer(StatusCode::OK, &next, is_lost.then_some(CHANGE_LOST)),
    }
}

async fn log_in(
    State(guard): State<Arc<Guard>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(tokens) = &guard.tokens else { return see_other(&guard.path_from_form("")) };
    let from = guard.client_address(&headers, peer);
    let next = next(&body);
    let given = url::form_urlencoded::parse(&body)
        .find_map(|(name, value)| (name == "token").then(|| value.trim().to_owned()));
    let log = |who: &str, outcome: &str, detail: &str| {
        audit(&Audit { who, from, action: "login", old: None, new: None, outcome, detail });
    };
    let owner = match guard.check_token(tokens, given.as_deref(), from) {
        Ok(owner) => owner,
        Err(problem) => {
            guard.log_refusal(None, from, "login", &problem);
            return refused(&next, problem);
        }
    };
    let token = SecretString::from(given.unwrap_or_default());
    let scheme = guard.scheme(&headers, peer);
    let cookie = |value: String| guard.cookie.header(scheme, &value, LIFETIME.as_secs());
    match guard.sessions.begin(token).and_then(cookie) {
        Ok(cookie) => {
            log(&owner, "admitted", "");
            let mut response = see_other(&guard.path_from_form(&next));
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(error) => {
            let text = format!("Signing in failed: {error:#}");
            log(&owner, "failed", &text);
            answer(StatusCode::INTERNAL_SERVER_ERROR, &next, Some(&text))
        }
    }
}

async fn log_out(
    State(guard): State<Arc<Guard>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let owner = guard.session_user(&headers, peer);
    if guard.session_value(&headers, peer).is_some_and(|value| guard.sessions.end(value)) {
        audit(&Audit {
            who: owner.as_deref().unwrap_or("nobody"),
            from: guard.client_address(&headers, peer),
            action: "logout",
            old: None,
            new: None,
            outcome: "ended",
            detail: "",
        });
    }
    let mut response = see_other("./login");
    if let Ok(cookie) = guard.cookie.header(guard.scheme(&headers, peer), "", 0) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

impl Guard {
    /// The path from the login form to `next`, which is relative to the root. An empty `next` is the
    /// page.
    fn path_from_form(&self, next: &str) -> String {
        match self.mount.matches('/').count() {
            0 => format!("./{next}"),
            depth => format!("{}{next}", "../".repeat(depth)),
        }
    }
}

fn refused(next: &str, problem: Problem) -> Response {
    let retry = problem.clone().into_response().headers_mut().remove(RETRY_AFTER);
    let mut response = answer(problem.status(), next, Some(problem.detail()));
    if let Some(retry) = retry {
        response.headers_mut().insert(RETRY_AFTER, retry);
    }
    response
}

fn answer(code: StatusCode, next: &str, error: Option<&str>) -> Response {
    let text = page::login(next, error);
    (code, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// The address to continue with after the login, from a form or a query. It is never on another
/// server.
fn next(pairs: &[u8]) -> String {
    url::form_urlencoded::parse(pairs)
        .find_map(|(name, value)| (name == "next").then(|| value.into_owned()))
        .filter(|next| is_local(next))
        .unwrap_or_default()
}
