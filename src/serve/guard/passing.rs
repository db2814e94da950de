//! Who may, where a request is not for us but is passed on to Locust.

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use super::super::caller::{Peer, Proof};
use super::super::problem::Problem;
use super::{Guard, Refusal, headers, host_of, login, origin};

impl Guard {
    /// Lets a request pass on to Locust, and tells where it comes from. Of what is sent there only
    /// who sends it is asked: Locust's page is used by scripts too, and none of our own rules for
    /// changes is Locust's.
    ///
    /// # Errors
    /// The answer for somebody who is not let in.
    pub fn let_pass(&self, request: &Request) -> Result<Peer, Box<Response>> {
        let Some(peer) = request.extensions().get::<Peer>().copied() else {
            return Err(Box::new(super::no_peer()));
        };
        let admitted = host_of(request)
            .and_then(|host| self.hosts.check(host))
            .and_then(|()| self.identify(request.headers(), peer));
        match admitted {
            Ok(_) => Ok(peer),
            Err(problem) => {
                let refusal = Refusal { who: None, problem };
                let way = login::Way::FromLocust(self.mount);
                Err(Box::new(secured(self.refuse(request, peer, refusal, way))))
            }
        }
    }

    /// The cookie that is ours alone.
    pub fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// Whether `Authorization` holds a token for us.
    pub fn owns_authorization(&self) -> bool {
        self.tokens.is_some()
    }

    /// Lets a change pass that our own page, or Locust's beside it, has sent; asked where a cookie
    /// is all that tells who somebody is.
    ///
    /// # Errors
    /// 403 for what another page has sent, or may have.
    pub fn check_origin(&self, request: &Request, peer: Peer) -> Result<(), Problem> {
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let (headers, host) = (request.headers(), host_of(request)?);
        origin::check(headers, host, self.is_tls, self.is_trusted(peer), Proof::Session)
    }
}

/// An answer of ours, as no other page can make use of it.
pub fn secured(mut response: Response) -> Response {
    headers::secure(response.headers_mut());
    response
}
