//! The middleware around all routes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::middleware::Next;
use axum::response::Response;

use super::super::caller::{Peer, Proof};
use super::access::{Guard, Refusal};
use super::body;
use super::headers::secured;
use super::login_redirect::RequestedAddress;
use super::request::no_peer;

/// Lets a request pass to its route, with the caller in its extensions, or answers it.
pub async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return no_peer();
    };
    let admitted = guard.admit(&request, peer);
    let read = body::read(&mut request).await;
    let admitted = admitted.and_then(|caller| match read {
        Ok(()) => Ok(caller),
        Err(problem) => Err(Refusal { user: caller.map(|caller| caller.name), problem }),
    });
    let response = match admitted {
        Ok(caller) => {
            let is_session = caller.as_ref().is_some_and(|caller| caller.proof == Proof::Session);
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
                request.extensions_mut().insert(Arc::clone(&guard));
            }
            let renewed = match is_session {
                true => guard.renewed_cookie(request.headers(), peer),
                false => None,
            };
            let mut response = next.run(request).await;
            if let Some(cookie) = renewed {
                response.headers_mut().entry(SET_COOKIE).or_insert(cookie);
            }
            response
        }
        Err(refusal) => {
            let address = RequestedAddress::Own { mount: guard.mount };
            guard.refuse(&request, peer, refusal, address)
        }
    };
    secured(response)
}
