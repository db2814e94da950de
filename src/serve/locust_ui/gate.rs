//! Access to the server's own addresses through Locust's login. It applies to callers that the guard
//! did not have to authenticate.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::backend::Backend;
use super::super::caller::{Caller, Peer, Proof};
use super::super::error_page::accepts_html;
use super::super::guard::{Guard, action};
use super::super::problem::Problem;
use super::super::redirect::see_other;
use super::headers::cookies;
use super::login::{Admission, Logins};
use super::upstream::Upstream;

/// The user in the history. Locust does not tell the names of its users.
const LOCUST_USER: &str = "a user of Locust";

/// The path from the server's page to Locust's page. Locust redirects it to its login.
const LOCUST_PAGE: &str = "../../";

pub(super) struct Gate {
    pub guard: Arc<Guard>,
    pub backend: Arc<Backend>,
    pub upstream: Arc<Upstream>,
    pub logins: Logins,
    /// True if only this machine can reach the server.
    pub is_loopback: bool,
}

/// The middleware around the server's own routes, inside the guard's.
pub(super) async fn gate(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Addresses without authentication have no caller.
    let caller = request.extensions().get::<Caller>().cloned();
    let Some(caller) = caller.filter(|caller| caller.proof == Proof::NotRequired) else {
        return next.run(request).await;
    };
    let cookie = cookies(request.headers(), gate.guard.cookie());
    let check = |cookie| gate.upstream.check_login(cookie);
    match gate.logins.admit(cookie.as_ref(), check).await {
        Admission::Open => {
            gate.backend.set_locust_login(false);
            next.run(request).await
        }
        // The same as without --locust-ui: all users of this machine have access.
        Admission::Unknown if gate.is_loopback && !gate.backend.has_locust_login() => {
            next.run(request).await
        }
        Admission::Unknown | Admission::Unverified => {
            let detail = "Locust does not answer, so your login cannot be checked; try again when it is \
                          back.";
            let code = StatusCode::SERVICE_UNAVAILABLE;
            let problem = Problem::new(code, "LocustSilent", detail).with_retry_after(5);
            gate.guard.log_refusal(None, caller.from, &action(&request), &problem);
            problem.into_response()
        }
        Admission::Refused => {
            if accepts_html(request.headers()) {
                return see_other(LOCUST_PAGE);
            }
            let detail = "Log in to Locust first: its login is valid here too.";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail);
            gate.guard.log_refusal(None, caller.from, &action(&request), &problem);
            problem.into_response()
        }
        Admission::ByCookie => {
            if let Some(peer) = request.extensions().get::<Peer>().copied()
                && let Err(problem) = gate.guard.check_origin(&request, peer)
            {
                gate.guard.log_refusal(Some(LOCUST_USER), caller.from, &action(&request), &problem);
                return problem.into_response();
            }
            if let Some(cookie) = &cookie {
                gate.backend.remember_cookie(cookie);
            }
            let caller = Caller { name: LOCUST_USER.to_owned(), proof: Proof::Locust, ..caller };
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    }
}
