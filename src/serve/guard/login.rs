//! Logging in and out, for people with a browser.

use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use secrecy::{ExposeSecret, SecretString};

use super::super::caller::Peer;
use super::super::log::{Audit, audit};
use super::super::page;
use super::super::problem::Problem;
use super::super::redirect::see_other;
use super::super::root::Root;
use super::Guard;
use super::sessions::LASTS;

/// For who has sent a change that was not made.
const LOST: &str = "You were signed out, and nothing was changed. Sign in, and try again.";

/// A longer one is nothing that we have sent.
const LONGEST_NEXT: usize = 200;

/// `login` and `logout`.
pub fn routes(guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .with_state(guard)
}

/// Where somebody is who has to log in. What is given is where our addresses begin, seen from the
/// root.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// At one of our addresses, which is seen without that beginning.
    FromOurs(&'static str),
    /// At one of Locust's.
    FromLocust(&'static str),
}

/// Leads somebody with a browser to the form; `None` for everybody else. Who has sent a change is not
/// led back to it: it was not made, and they are told so.
pub(super) fn redirect(request: &Request, way: Way) -> Option<Response> {
    let accept = request.headers().get(ACCEPT)?.to_str().ok()?;
    let path = request.uri().path_and_query()?.as_str().strip_prefix('/')?;
    let root = request.extensions().get::<Root>().copied().unwrap_or_default().0;
    let (form, next, is_lost) = match (way, request.method()) {
        (Way::FromLocust(mount), &Method::GET) => (mount, to_local("", path, mount), false),
        (Way::FromOurs(mount), &Method::GET) => (root, to_local(mount, path, mount), false),
        (Way::FromOurs(mount), &Method::POST) => (root, mount.to_owned(), true),
        _ => return None,
    };
    let depth = request.uri().path().matches('/').count().saturating_sub(1);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &next);
    if is_lost {
        query.append_pair("lost", "1");
    }
    let to = format!("{}{form}login?{}", "../".repeat(depth), query.finish());
    accept.contains("text/html").then(|| see_other(&to))
}

/// Where to go afterwards; `otherwise` for what leads elsewhere.
fn to_local(mount: &str, path: &str, otherwise: &str) -> String {
    if is_local(path) { format!("{mount}{path}") } else { otherwise.to_owned() }
}

async fn form(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let next = next(query.as_bytes());
    let is_lost = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "lost");
    match guard.tokens.is_none() || guard.session(&headers).is_some() {
        true => see_other(&guard.way_to(&next)),
        false => answer(StatusCode::OK, &next, is_lost.then_some(LOST)),
    }
}

async fn log_in(
    State(guard): State<Arc<Guard>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(tokens) = &guard.tokens else { return see_other(&guard.way_to("")) };
    let from = guard.from(&headers, peer);
    let next = next(&body);
    let given = url::form_urlencoded::parse(&body)
        .find_map(|(name, value)| (name == "token").then(|| value.trim().to_owned()));
    let noted = |who: &str, outcome: &str, detail: &str| {
        audit(&Audit { who, from, action: "login", old: None, new: None, outcome, detail });
    };
    let owner = match guard.token(tokens, given.as_deref(), from) {
        Ok(owner) => owner,
        Err(problem) => {
            guard.refused(None, from, "login", &problem);
            return refused(&next, problem);
        }
    };
    let token = SecretString::from(given.unwrap_or_default());
    match guard.sessions.begin(token).and_then(|id| guard.cookie(&id, LASTS.as_secs())) {
        Ok(cookie) => {
            noted(&owner, "admitted", "");
            let mut response = see_other(&guard.way_to(&next));
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(error) => {
            let text = format!("Nobody can log in: {error:#}");
            noted(&owner, "failed", &text);
            answer(StatusCode::INTERNAL_SERVER_ERROR, &next, Some(&text))
        }
    }
}

async fn log_out(
    State(guard): State<Arc<Guard>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let session = guard.session_id(&headers).and_then(|id| guard.sessions.end(id));
    if let Some(session) = session {
        let owner =
            guard.tokens.as_ref().and_then(|tokens| tokens.owner(session.token.expose_secret()));
        audit(&Audit {
            who: owner.as_deref().unwrap_or("nobody"),
            from: guard.from(&headers, peer),
            action: "logout",
            old: None,
            new: None,
            outcome: "ended",
            detail: "",
        });
    }
    let mut response = see_other("./login");
    if let Ok(cookie) = guard.cookie("", 0) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

impl Guard {
    /// From the form to an address that is seen from the root; the page there when it is empty.
    fn way_to(&self, next: &str) -> String {
        match self.mount.matches('/').count() {
            0 => format!("./{next}"),
            depth => format!("{}{next}", "../".repeat(depth)),
        }
    }

    /// The cookie (RFC 6265): no script can read it, and no other site's page sends it along.
    fn cookie(&self, id: &str, seconds: u64) -> Result<HeaderValue> {
        let (name, secure) = (&self.cookie, if self.is_tls { "; Secure" } else { "" });
        let text =
            format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        Ok(HeaderValue::from_str(&text)?)
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

/// Where to go afterwards, from a form or a query: never to another server.
fn next(pairs: &[u8]) -> String {
    url::form_urlencoded::parse(pairs)
        .find_map(|(name, value)| (name == "next").then(|| value.into_owned()))
        .filter(|next| is_local(next))
        .unwrap_or_default()
}

/// Below the page, in characters that mean nothing else to any browser.
fn is_local(next: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/?=&%".contains(&byte);
    next.len() <= LONGEST_NEXT
        && !next.starts_with('/')
        && !next.contains("//")
        && !next.contains("..")
        // Browsers take an escaped dot for a dot.
        && !next.to_ascii_lowercase().contains("%2e")
        && next.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::LOCATION;

    use super::*;

    #[test]
    fn nobody_is_led_to_another_server() {
        for (next, expected) in [
            ("", true),
            ("?done=3", true),
            ("rescale-form", true),
            ("api/scale?x=%20", true),
            ("/", false),
            ("//evil.example.com", false),
            ("/evil.example.com", false),
            ("https://evil.example.com", false),
            ("\\evil.example.com", false),
            ("javascript:alert(1)", false),
            ("x\r\nSet-Cookie:a=b", false),
            ("../x", false),
            ("a//b", false),
            ("%2e%2E/x", false),
            (".%2e/x", false),
        ] {
            assert_eq!(is_local(next), expected, "{next:?}");
        }
    }

    #[test]
    fn the_form_is_found_from_below_too() {
        let to = |uri: &str, accept: &'static str| {
            let request = Request::get(uri).header(ACCEPT, accept).body(Body::empty()).unwrap();
            redirect(&request, Way::FromOurs(""))
                .map(|response| response.headers()[LOCATION].to_str().unwrap().to_owned())
        };
        let html = "text/html,application/xhtml+xml";
        assert_eq!(to("/", html).as_deref(), Some("login?next="));
        assert_eq!(to("/?done=3", html).as_deref(), Some("login?next=%3Fdone%3D3"));
        assert_eq!(to("/api/scale", html).as_deref(), Some("../login?next=api%2Fscale"));
        assert_eq!(to("//evil.example.com", html).as_deref(), Some("../login?next="));
        assert_eq!(to("/", "application/json"), None);
    }

    #[test]
    fn in_front_of_locust_it_is_found_from_its_pages_and_from_ours() {
        let mount = "-/locustctl/";
        for (uri, way, expected) in [
            ("/", Way::FromLocust(mount), "-/locustctl/login?next="),
            ("/locust/?a=b", Way::FromLocust(mount), "../-/locustctl/login?next=locust%2F%3Fa%3Db"),
            ("/", Way::FromOurs(mount), "login?next=-%2Flocustctl%2F"),
            ("/?done=3", Way::FromOurs(mount), "login?next=-%2Flocustctl%2F%3Fdone%3D3"),
        ] {
            let request = Request::get(uri).header(ACCEPT, "text/html").body(Body::empty());
            let response = redirect(&request.unwrap(), way).unwrap();
            assert_eq!(response.headers()[LOCATION], expected, "{uri}");
        }
    }

    #[test]
    fn who_has_sent_a_change_is_told_that_it_was_not_made() {
        let to = |uri: &str, way, root: Option<Root>| {
            let mut request =
                Request::post(uri).header(ACCEPT, "text/html").body(Body::empty()).unwrap();
            if let Some(root) = root {
                request.extensions_mut().insert(root);
            }
            let response = redirect(&request, way)?;
            Some(response.headers()[LOCATION].to_str().unwrap().to_owned())
        };
        let mount = "-/locustctl/";
        assert_eq!(to("/rescale", Way::FromOurs(""), None).as_deref(), Some("login?next=&lost=1"));
        assert_eq!(
            to("/rescale", Way::FromOurs(mount), Some(Root(mount))).as_deref(),
            Some("-/locustctl/login?next=-%2Flocustctl%2F&lost=1")
        );
        assert_eq!(to("/swarm", Way::FromLocust(mount), None), None);
    }
}
