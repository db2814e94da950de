//! Who may: every request passes here before a route sees it.
//!
//! Against other web pages in the same browser: the Host must be one of ours, so that no name that
//! an attacker owns leads here (DNS rebinding), and a change must come from our own page, which
//! the browser itself says in `Sec-Fetch-Site`, else in `Origin`. A browser sends one of them with
//! every change; what has neither is no browser and carries nobody's cookies.

mod body;
mod headers;
mod host;
mod login;
mod origin;
mod passing;
mod proxy;
mod refusals;
mod sessions;
mod throttle;
mod tokens;

#[cfg(test)]
mod tests;

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;

pub use login::routes;
pub use passing::secured;

use self::host::Hosts;
use self::proxy::TrustedProxy;
use self::refusals::Refusals;
use self::sessions::Sessions;
use self::throttle::Throttle;
use self::tokens::Tokens;
use super::caller::{Caller, Peer, Proof};
use super::log::Audit;
use super::problem::Problem;
use crate::text::terminal::harmless;

/// Answered without a login: what an orchestrator asks, and what the login page needs.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/login"];
const OPEN_BELOW: &str = "/assets/";

/// Asked by machines that know the address alone.
const ANY_HOST: [&str; 2] = ["/healthz", "/readyz"];

/// Who may, as it was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where we listen.
    pub listen: SocketAddr,
    /// Whether over TLS.
    pub is_tls: bool,
    /// `--auth-token-file`
    pub token_file: Option<PathBuf>,
    /// `--auth-proxy-header`
    pub proxy_header: Option<String>,
    /// `--trusted-proxy`
    pub trusted_proxies: Vec<String>,
    /// `--auth none`
    pub is_open: bool,
    /// `--allowed-host`
    pub allowed_hosts: Vec<String>,
    /// Where our addresses begin, seen from the root: empty, or ends with a slash.
    pub mount: &'static str,
}

/// Who may.
#[derive(Debug)]
pub struct Guard {
    tokens: Option<Tokens>,
    proxy: Option<TrustedProxy>,
    hosts: Hosts,
    is_tls: bool,
    mount: &'static str,
    /// The cookie's name; cookies know no ports, so the port is in it.
    cookie: String,
    sessions: Sessions,
    throttle: Throttle,
    refusals: Refusals,
}

/// Somebody who is not let in, or not let do this.
struct Refusal {
    /// When it was known.
    who: Option<String>,
    problem: Problem,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { who: None, problem }
    }
}

impl Guard {
    /// Reads what is needed to tell who may.
    ///
    /// # Errors
    /// Nobody has said who may, though others can reach the address; flags that do not go
    /// together; a token file that cannot be used.
    pub fn new(options: Options) -> Result<Self> {
        check(&options)?;
        let tokens = options.token_file.map(Tokens::load).transpose()?;
        let proxy = match options.trusted_proxies.as_slice() {
            [] => None,
            networks => Some(TrustedProxy::new(options.proxy_header.as_deref(), networks)?),
        };
        let prefix = if options.is_tls { "__Host-" } else { "" };
        let cookie = format!("{prefix}locustctl-session-{}", options.listen.port());
        Ok(Self {
            tokens,
            proxy,
            hosts: Hosts::new(&options.allowed_hosts)?,
            is_tls: options.is_tls,
            mount: options.mount,
            cookie,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            refusals: Refusals::default(),
        })
    }

    /// Keeps up with the file of the tokens.
    pub async fn follow_tokens(&self) {
        match &self.tokens {
            Some(tokens) => tokens.follow().await,
            None => pending().await,
        }
    }

    /// Who asks, or the answer for somebody who is not let in.
    fn admit(&self, request: &Request, peer: Peer) -> Result<Option<Caller>, Refusal> {
        let (headers, path) = (request.headers(), request.uri().path());
        if !ANY_HOST.contains(&path) {
            self.hosts.check(host_of(request)?)?;
        }
        body::check_length(headers)?;
        let is_open = OPEN.contains(&path) || path.starts_with(OPEN_BELOW);
        let caller = match is_open {
            true => None,
            false => Some(self.identify(headers, peer)?),
        };
        let proof = caller.as_ref().map_or(Proof::NotAsked, |caller| caller.proof);
        match self.check_change(request, peer, proof) {
            Ok(()) => Ok(caller),
            Err(problem) => Err(Refusal { who: caller.map(|caller| caller.name), problem }),
        }
    }

    /// Nothing is asked of what changes nothing.
    fn check_change(&self, request: &Request, peer: Peer, proof: Proof) -> Result<(), Problem> {
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        if proof != Proof::Bearer {
            let (headers, host) = (request.headers(), host_of(request)?);
            origin::check(headers, host, self.is_tls, self.is_trusted(peer), proof)?;
        }
        body::check_media_type(request)
    }

    fn identify(&self, headers: &HeaderMap, peer: Peer) -> Result<Caller, Problem> {
        let from = self.from(headers, peer);
        if let Some(tokens) = &self.tokens {
            if let Some(authorization) = headers.get(AUTHORIZATION) {
                let name = self.token(tokens, bearer(authorization), from)?;
                return Ok(Caller { name, from, proof: Proof::Bearer });
            }
            if let Some(name) = self.session(headers) {
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
                Ok(Caller { name: "anonymous".to_owned(), from, proof: Proof::NotAsked })
            }
            (Some(_), _) => {
                Err(unauthorized("A token is needed: send Authorization: Bearer TOKEN."))
            }
            (None, true) => Err(unauthorized("Only the proxy in front of this server lets in.")),
        }
    }

    /// The name of the token's owner. Who was wrong too often has to wait.
    fn token(&self, tokens: &Tokens, given: Option<&str>, from: IpAddr) -> Result<String, Problem> {
        if let Some(pause) = self.throttle.pause(from) {
            let detail = "Too many wrong tokens came from this address; try again later.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", detail);
            // Rounded up: who waits as long as this says must be heard then.
            let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
            return Err(problem.with_retry_after(seconds));
        }
        match given.and_then(|given| tokens.owner(given)) {
            Some(name) => {
                self.throttle.right(from);
                Ok(name)
            }
            None => {
                self.throttle.wrong(from);
                Err(unauthorized("The token is not one of those that let somebody in."))
            }
        }
    }

    /// Whether somebody who was let in would still be, by the same headers. It counts as no try.
    pub fn still_admits(&self, proof: Proof, headers: &HeaderMap) -> bool {
        match (proof, &self.tokens) {
            (Proof::Bearer, Some(tokens)) => {
                let given = headers.get(AUTHORIZATION).and_then(bearer);
                given.is_some_and(|given| tokens.owner(given).is_some())
            }
            (Proof::Session, Some(_)) => self.session(headers).is_some(),
            _ => true,
        }
    }

    fn session(&self, headers: &HeaderMap) -> Option<String> {
        let tokens = self.tokens.as_ref()?;
        let session = self.sessions.find(self.session_id(headers)?)?;
        tokens.owner(session.token.expose_secret())
    }

    fn session_id<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find_map(|(name, value)| (name == self.cookie).then_some(value))
    }

    /// The client's address, as far as it can be known.
    fn from(&self, headers: &HeaderMap, peer: Peer) -> IpAddr {
        let peer = peer.address.ip().to_canonical();
        self.proxy.as_ref().map_or(peer, |proxy| proxy.client(headers, peer))
    }

    fn is_trusted(&self, peer: Peer) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.trusts(peer.address.ip()))
    }

    /// Answers somebody who is not let in, and writes it down. Who has a browser is led to the login.
    fn refuse(&self, request: &Request, peer: Peer, refusal: Refusal, way: login::Way) -> Response {
        let Refusal { who, problem } = refusal;
        let from = self.from(request.headers(), peer);
        self.refused(who.as_deref(), from, &action(request), &problem);
        let is_login = problem.status() == StatusCode::UNAUTHORIZED && self.tokens.is_some();
        match login::redirect(request, way).filter(|_| is_login) {
            Some(redirect) => redirect,
            None => answer(problem),
        }
    }

    /// Writes down a refusal, unless there are too many.
    pub fn refused(&self, who: Option<&str>, from: IpAddr, action: &str, problem: &Problem) {
        let (who, detail) = (who.unwrap_or("nobody"), problem.detail());
        let (old, new, outcome) = (None, None, "refused");
        self.refusals.note(&Audit { who, from, action, old, new, outcome, detail });
    }
}

fn check(options: &Options) -> Result<()> {
    let Options { listen, token_file, proxy_header, trusted_proxies, is_open, .. } = options;
    let has_way = token_file.is_some() || proxy_header.is_some();
    if *is_open && has_way {
        bail!("--auth=none and a login cannot be asked for together; leave one of them out");
    }
    if proxy_header.is_some() && trusted_proxies.is_empty() {
        bail!(
            "--auth-proxy-header needs --trusted-proxy, as --trusted-proxy=10.0.0.0/8: anybody \
             else could send the header as well"
        );
    }
    if !has_way && !trusted_proxies.is_empty() {
        bail!(
            "--trusted-proxy needs --auth-proxy-header, the header in which it says who asks, or \
             --auth-token-file"
        );
    }
    if !listen.ip().to_canonical().is_loopback() && !has_way && !is_open {
        bail!(
            "others can reach {listen}: say who may change the number of workers, by \
             --auth-token-file=FILE, or --auth-proxy-header=NAME with --trusted-proxy=CIDR; or \
             let everybody, by --auth=none"
        );
    }
    Ok(())
}

/// A request, as it is named in the audit log.
pub fn action(request: &Request) -> String {
    let path: String = harmless(request.uri().path()).chars().take(100).collect();
    format!("{} {path}", request.method())
}

/// The middleware around all routes.
pub async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    // The listener puts it in; without it nobody is known.
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return no_peer();
    };
    let admitted = guard.admit(&request, peer);
    let read = body::read(&mut request).await;
    let admitted = admitted.and_then(|caller| match read {
        Ok(()) => Ok(caller),
        Err(problem) => Err(Refusal { who: caller.map(|caller| caller.name), problem }),
    });
    let response = match admitted {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
                request.extensions_mut().insert(Arc::clone(&guard));
            }
            next.run(request).await
        }
        Err(refusal) => guard.refuse(&request, peer, refusal, login::Way::FromOurs(guard.mount)),
    };
    secured(response)
}

fn no_peer() -> Response {
    let code = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(code, "InternalError", "The connection is not known.").into_response()
}

fn answer(problem: Problem) -> Response {
    let is_unknown = problem.status() == StatusCode::UNAUTHORIZED;
    let mut response = problem.into_response();
    if is_unknown {
        let scheme = HeaderValue::from_static("Bearer realm=\"locustctl\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}

/// Whether a name is shown as it is: one that is not could pass for another.
fn is_showable(name: &str) -> bool {
    !name.chars().any(char::is_control) && harmless(name) == name
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}

fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The name under which somebody asks; HTTP/2 and the absolute form have it in the address.
///
/// # Errors
/// There is none, or several.
pub fn host_of(request: &Request) -> Result<&str, Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (request.uri().authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    host.ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "BadRequest", "The request needs one Host header.")
    })
}
