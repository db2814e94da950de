//! Access to Locust's web UI, for requests that are relayed to Locust.

use axum::extract::Request;
use axum::response::Response;

use super::super::caller::Peer;
use super::access::{Guard, Refusal};
use super::headers::secured;
use super::login_redirect::RequestedAddress;
use super::request::{host_of, no_peer};

impl Guard {
    /// Lets a request pass to Locust and returns its peer. Only the host and the caller are checked:
    /// scripts use Locust's web UI too, and the rules for changes are not Locust's.
    ///
    /// # Errors
    /// The answer for a request that has no access.
    pub fn admit_to_locust(&self, request: &Request) -> Result<Peer, Box<Response>> {
        let Some(peer) = request.extensions().get::<Peer>().copied() else {
            return Err(Box::new(no_peer()));
        };
        let admitted = host_of(request)
            .and_then(|host| self.hosts.check(host))
            .and_then(|()| self.identify(request.headers(), peer));
        match admitted {
            Ok(_) => Ok(peer),
            Err(problem) => {
                let refusal = Refusal::from(problem);
                let address = RequestedAddress::Locust { mount: self.mount };
                Err(Box::new(secured(self.refuse(request, peer, refusal, address))))
            }
        }
    }
}
