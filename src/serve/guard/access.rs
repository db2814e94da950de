//! Decides which requests have access, and for which user.

use std::future::pending;
use std::net::IpAddr;

use anyhow::Result;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use secrecy::ExposeSecret;

use super::super::caller::{Caller, Peer, Proof};
use super::super::log::Audit;
use super::super::problem::Problem;
use super::cookie::SessionCookie;
use super::host::Hosts;
use super::login_redirect::{self, RequestedAddress};
use super::options::AccessOptions;
use super::proxy::TrustedProxy;
use super::refusals::Refusals;
use super::relayed::CrossSite;
use super::request::{action, bearer_token, host_of, is_safe, refusal_response, unauthorized};
use super::scheme::Scheme;
use super::session_key::SessionKey;
use super::sessions::Sessions;
use super::throttle::Throttle;
use super::tokens::Tokens;
use super::{body, origin};

/// Addresses that need no authentication: the probes of an orchestrator, and the login page.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/login"];
const OPEN_PREFIX: &str = "/assets/";

/// Addresses that are allowed under any host name. Orchestrators use the pod's address. The files below
/// [`OPEN_PREFIX`] are allowed too: they are public, and the page that refuses a host name needs them.
const ANY_HOST: [&str; 2] = ["/healthz", "/readyz"];

/// The access rules of a server, with its tokens and sessions.
#[derive(Debug)]
pub struct Guard {
    pub(super) tokens: Option<Tokens>,
    pub(super) proxy: Option<TrustedProxy>,
    pub(super) hosts: Hosts,
    is_tls: bool,
    pub(super) mount: &'static str,
    pub(super) cross_site: CrossSite,
    pub(super) cookie: SessionCookie,
    pub(super) sessions: Sessions,
    throttle: Throttle,
    refusals: Refusals,
}

/// A refused request.
pub(super) struct Refusal {
    /// The caller, if authenticated.
    pub user: Option<String>,
    pub problem: Problem,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { user: None, problem }
    }
}

impl Guard {
    /// Checks the options, and reads the token file and the session key.
    ///
    /// # Errors
    /// The options contradict each other, or allow access from other machines without saying so; or
    /// one of the files cannot be used.
    pub fn new(options: AccessOptions) -> Result<Self> {
        options.check()?;
        let tokens = options.token_file.map(Tokens::load).transpose()?;
        let session_key = match &tokens {
            Some(_) => SessionKey::load(options.session_key_file.as_deref())?,
            None => SessionKey::random()?,
        };
        let proxy = match options.trusted_proxies.as_slice() {
            [] => None,
            networks => Some(TrustedProxy::new(options.proxy_header.as_deref(), networks)?),
        };
        Ok(Self {
            tokens,
            proxy,
            hosts: Hosts::new(&options.allowed_hosts)?,
            is_tls: options.is_tls,
            mount: options.mount,
            cross_site: options.cross_site,
            cookie: SessionCookie::new(options.listen.port()),
            sessions: Sessions::new(session_key),
            throttle: Throttle::default(),
            refusals: Refusals::default(),
        })
    }

    /// Names the session cookie after the port that the system has chosen for port 0.
    pub fn set_port(&mut self, port: u16) {
        self.cookie = SessionCookie::new(port);
    }

    /// Reloads the token file when it changes; never ends.
    pub async fn follow_tokens(&self) {
        match &self.tokens {
            Some(tokens) => tokens.follow().await,
            None => pending().await,
        }
    }

    /// Checks a request. Returns the caller, or `None` for an address that is open to everyone.
    pub(super) fn admit(&self, request: &Request, peer: Peer) -> Result<Option<Caller>, Refusal> {
        let (headers, path) = (request.headers(), request.uri().path());
        let is_asset = path.starts_with(OPEN_PREFIX);
        if !is_asset && !ANY_HOST.contains(&path) {
            self.hosts.check(host_of(request)?)?;
        }
        body::check_length(headers)?;
        let is_open = is_asset || OPEN.contains(&path);
        let caller = match is_open {
            true => None,
            false => Some(self.identify(headers, peer)?),
        };
        let proof = caller.as_ref().map_or(Proof::NotRequired, |caller| caller.proof);
        match self.check_change(request, peer, proof) {
            Ok(()) => Ok(caller),
            Err(problem) => Err(Refusal { user: caller.map(|caller| caller.name), problem }),
        }
    }

    /// Checks the origin and the media type of a change. Other requests pass.
    fn check_change(&self, request: &Request, peer: Peer, proof: Proof) -> Result<(), Problem> {
        if is_safe(request.method()) {
            return Ok(());
        }
        if proof != Proof::Bearer {
            let headers = request.headers();
            origin::check(headers, host_of(request)?, self.scheme(headers, peer), proof)?;
        }
        body::check_media_type(request)
    }

    pub(super) fn identify(&self, headers: &HeaderMap, peer: Peer) -> Result<Caller, Problem> {
        let from = self.client_address(headers, peer);
        if let Some(tokens) = &self.tokens {
            if let Some(authorization) = headers.get(AUTHORIZATION) {
                let name = self.check_token(tokens, bearer_token(authorization), from)?;
                return Ok(Caller { name, from, proof: Proof::Bearer });
            }
            if let Some(name) = self.session_user(headers, peer) {
                return Ok(Caller { name, from, proof: Proof::Session });
            }
        }
        if let Some(proxy) = &self.proxy
            && let Some(name) = proxy.user(headers, peer.address.ip())?
        {
            return Ok(Caller { name, from, proof: Proof::Proxy });
        }
        let has_users = self.proxy.as_ref().is_some_and(TrustedProxy::names_users);
        match (&self.tokens, has_users) {
            (None, false) => {
                Ok(Caller { name: "anonymous".to_owned(), from, proof: Proof::NotRequired })
            }
            (Some(_), _) => {
                Err(unauthorized("A token is required: send Authorization: Bearer TOKEN."))
            }
            (None, true) => {
                Err(unauthorized("Access is only possible through the proxy of this server."))
            }
        }
    }

    /// Returns the name of the token's owner. After too many wrong tokens, the client's address has
    /// to wait.
    pub(super) fn check_token(
        &self,
        tokens: &Tokens,
        given: Option<&str>,
        from: IpAddr,
    ) -> Result<String, Problem> {
        if let Some(pause) = self.throttle.pause(from) {
            let detail = "Too many wrong tokens came from this address; try again later.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", detail);
            // Rounded up: after this time, the next request must be accepted.
            let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
            return Err(problem.with_retry_after(seconds));
        }
        match given.and_then(|given| tokens.owner(given)) {
            Some(name) => {
                self.throttle.reset(from);
                Ok(name)
            }
            None => {
                self.throttle.record_failure(from);
                Err(unauthorized("The token is not valid."))
            }
        }
    }

    /// True if a caller with these headers would still be authenticated. It does not count as an
    /// attempt.
    pub fn still_admits(&self, proof: Proof, headers: &HeaderMap, peer: Peer) -> bool {
        match (proof, &self.tokens) {
            (Proof::Bearer, Some(tokens)) => {
                let given = headers.get(AUTHORIZATION).and_then(bearer_token);
                given.is_some_and(|given| tokens.owner(given).is_some())
            }
            (Proof::Session, Some(_)) => self.session_user(headers, peer).is_some(),
            _ => true,
        }
    }

    /// The user of the session that the cookie names. The token of the session must still be valid.
    pub(super) fn session_user(&self, headers: &HeaderMap, peer: Peer) -> Option<String> {
        let tokens = self.tokens.as_ref()?;
        let session = self.sessions.find(self.session_value(headers, peer)?, tokens)?;
        tokens.owner(session.token.expose_secret())
    }

    /// A new cookie for a session that is in use; `None` if the browser needs none.
    pub(super) fn renewed_cookie(&self, headers: &HeaderMap, peer: Peer) -> Option<HeaderValue> {
        let (value, seconds) = self.sessions.renew(self.session_value(headers, peer)?)?;
        self.cookie.header(self.scheme(headers, peer), &value, seconds).ok()
    }

    /// The value of the session cookie.
    pub(super) fn session_value<'a>(&self, headers: &'a HeaderMap, peer: Peer) -> Option<&'a str> {
        self.cookie.value(headers, self.scheme(headers, peer))
    }

    pub(super) fn scheme(&self, headers: &HeaderMap, peer: Peer) -> Scheme {
        Scheme::of(headers, self.is_tls, self.is_trusted(peer))
    }

    /// True if the browser is known to use HTTPS, here or at a trusted proxy.
    pub fn is_https(&self, headers: &HeaderMap, peer: Peer) -> bool {
        self.scheme(headers, peer) == Scheme::Https
    }

    /// The client's address. Behind a trusted proxy it comes from `X-Forwarded-For`.
    pub(super) fn client_address(&self, headers: &HeaderMap, peer: Peer) -> IpAddr {
        let peer = peer.address.ip().to_canonical();
        self.proxy.as_ref().map_or(peer, |proxy| proxy.client(headers, peer))
    }

    fn is_trusted(&self, peer: Peer) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.trusts(peer.address.ip()))
    }

    /// Logs a refusal and answers it. A browser without authentication is redirected to the login.
    pub(super) fn refuse(
        &self,
        request: &Request,
        peer: Peer,
        refusal: Refusal,
        address: RequestedAddress,
    ) -> Response {
        let Refusal { user, problem } = refusal;
        let from = self.client_address(request.headers(), peer);
        self.log_refusal(user.as_deref(), from, &action(request), &problem);
        let is_login = problem.status() == StatusCode::UNAUTHORIZED && self.tokens.is_some();
        match login_redirect::redirect(request, address).filter(|_| is_login) {
            Some(redirect) => redirect,
            None => refusal_response(problem),
        }
    }

    /// Writes a refusal to the audit log, unless there are too many.
    pub fn log_refusal(&self, user: Option<&str>, from: IpAddr, action: &str, problem: &Problem) {
        let (who, detail) = (user.unwrap_or("nobody"), problem.detail());
        let (old, new, outcome) = (None, None, "refused");
        self.refusals.log(&Audit { who, from, action, old, new, outcome, detail });
    }

    /// The server's own cookie.
    pub fn cookie(&self) -> &SessionCookie {
        &self.cookie
    }

    /// True if an `Authorization` header is meant for this server, and not for Locust.
    pub fn owns_authorization(&self) -> bool {
        self.tokens.is_some()
    }

    /// Checks that a change comes from the server's own page or from Locust's page on this server.
    /// It is for callers who are authenticated only by a cookie.
    ///
    /// # Errors
    /// 403 if another page has sent the request, or may have.
    pub fn check_origin(&self, request: &Request, peer: Peer) -> Result<(), Problem> {
        if is_safe(request.method()) {
            return Ok(());
        }
        let headers = request.headers();
        origin::check(headers, host_of(request)?, self.scheme(headers, peer), Proof::Session)
    }
}
