//! Access to Locust's web UI, for requests that are relayed to Locust.

use axum::extract::Request;
use axum::response::Response;

use super::super::caller::Peer;
use super::access::{Guard, Refusal};
use super::headers::secured;
use super::login_redirect::RequestedAddress;
use super::relayed;
use super::request::{host_of, no_peer};

impl Guard {
    /// Lets a request pass to Locust and returns its peer.
    ///
    /// # Errors
    /// The answer for a request that has no access, or that [`relayed`] refuses.
    pub fn admit_to_locust(&self, request: &Request) -> Result<Peer, Box<Response>> {
        let Some(peer) = request.extensions().get::<Peer>().copied() else {
            return Err(Box::new(no_peer()));
        };
        self.check_relayed(request, peer).map_err(|refusal| {
            let address = RequestedAddress::Locust { mount: self.mount };
            Box::new(secured(self.refuse(request, peer, refusal, address)))
        })?;
        Ok(peer)
    }

    fn check_relayed(&self, request: &Request, peer: Peer) -> Result<(), Refusal> {
        self.hosts.check(host_of(request)?)?;
        let caller = self.identify(request.headers(), peer)?;
        let scheme = self.scheme(request.headers(), peer);
        relayed::check(request, scheme, caller.proof, self.cross_site)
            .map_err(|problem| Refusal { user: Some(caller.name), problem })
    }
}
