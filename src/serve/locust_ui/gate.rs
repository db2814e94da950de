//! Before our own addresses: whoever has not shown who they are needs Locust's login, where Locust
//! has one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::caller::{Caller, Peer, Proof};
use super::super::guard::{Guard, action};
use super::super::problem::Problem;
use super::super::redirect::see_other;
use super::headers::cookies;
use super::inject::accepts_html;
use super::login::{Admission, Logins};
use super::upstream::Upstream;

/// For the history: Locust does not tell who its users are.
const SOMEBODY: &str = "a user of Locust";

/// From our page to Locust's, which leads to its login.
const LOCUSTS_PAGE: &str = "../../";

pub(super) struct Gate {
    pub guard: Arc<Guard>,
    pub upstream: Arc<Upstream>,
    pub logins: Logins,
    /// Whether only this machine can reach us.
    pub is_loopback: bool,
}

/// The middleware around our routes, inside the guard's.
pub(super) async fn gate(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    // What is open to everybody has no caller.
    let caller = request.extensions().get::<Caller>().cloned();
    let Some(caller) = caller.filter(|caller| caller.proof == Proof::NotAsked) else {
        return next.run(request).await;
    };
    let cookie = cookies(request.headers(), gate.guard.cookie_name());
    let ask = |cookie| gate.upstream.tries(cookie);
    match gate.logins.admit(cookie.as_ref(), ask).await {
        Admission::Open => next.run(request).await,
        // As without --locust-ui: everybody on this machine may.
        Admission::Unknown if gate.is_loopback => next.run(request).await,
        Admission::Unknown => {
            let detail = "Locust does not answer, and whether it would let you in is not known; try \
                          again when it is back.";
            let code = StatusCode::SERVICE_UNAVAILABLE;
            let problem = Problem::new(code, "LocustSilent", detail).with_retry_after(5);
            gate.guard.refused(None, caller.from, &action(&request), &problem);
            problem.into_response()
        }
        Admission::Refused => {
            if accepts_html(request.headers()) {
                return see_other(LOCUSTS_PAGE);
            }
            let detail = "Log in to Locust first: its login holds here too.";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail);
            gate.guard.refused(None, caller.from, &action(&request), &problem);
            problem.into_response()
        }
        Admission::ByCookie => {
            if let Some(peer) = request.extensions().get::<Peer>().copied()
                && let Err(problem) = gate.guard.check_origin(&request, peer)
            {
                gate.guard.refused(Some(SOMEBODY), caller.from, &action(&request), &problem);
                return problem.into_response();
            }
            if let Some(cookie) = &cookie {
                gate.upstream.app.borrow_cookie(cookie);
            }
            let caller = Caller { name: SOMEBODY.to_owned(), proof: Proof::Locust, ..caller };
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    }
}
