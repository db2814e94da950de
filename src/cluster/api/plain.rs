//! HTTP to servers outside the cluster's API, without the cluster's credentials: manifests behind a
//! URL, and Locust.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hyper::http::Uri;
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use rustls::ClientConfig;
use url::Host;

use super::failure::{Failure, FailureKind};
use super::proxy::ProxyVariables;
use crate::cluster::body::{BodyError, read_body};
use crate::cluster::trust::{self, Settings};
use crate::text::go;
use crate::text::go::url::ip_address;

/// The limit for a whole GET. Go limits only dialling; a slow server must not block us for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The number that Go's client follows.
const MAX_REDIRECTS: usize = 10;

/// A whole reply.
#[derive(Debug)]
pub(crate) struct PlainReply {
    pub status: u16,
    /// `404 Not Found`. The words are the server's own if it sends any.
    pub status_line: String,
    /// Empty unless the status is 200.
    pub body: Vec<u8>,
}

/// The certificate authorities that verify a server outside the cluster's API.
#[derive(Debug, Clone)]
pub struct Authorities(Arc<ClientConfig>);

impl Authorities {
    /// The authorities of a PEM file. The system's are then not trusted.
    ///
    /// # Errors
    /// The file has no usable certificate.
    pub fn from_pem(bundle: Vec<u8>) -> Result<Self> {
        Self::of(Some(&bundle))
    }

    fn of_system() -> Result<Self> {
        Self::of(None)
    }

    fn of(roots: Option<&[u8]>) -> Result<Self> {
        let config = trust::client_config(Settings::for_roots(roots))?;
        Ok(Self(Arc::new(config)))
    }
}

/// The URL for a request. The HTTP library reads a URL as a browser does. A text that means another
/// host by Go's rules is refused.
///
/// # Errors
/// The text is no URL with a host. The message is Go's, and shows no login.
pub(crate) fn url(text: &str) -> Result<Url, String> {
    let read = go::url::Url::parse(text).map_err(|error| error.to_string())?;
    let host = read.hostname();
    let no_such_host = || format!("dial tcp: lookup {host}: no such host");
    let url = Url::parse(text).map_err(|_| no_such_host())?;
    let same_host = match (url.host(), ip_address(host)) {
        (Some(Host::Ipv4(found)), Some(address)) => IpAddr::from(found) == address,
        (Some(Host::Ipv6(found)), Some(address)) => found.to_canonical() == address,
        (Some(Host::Domain(found)), None) => !host.is_ascii() || found.eq_ignore_ascii_case(host),
        _ => false,
    };
    let is_valid = same_host && !text.contains('\\') && url.as_str().parse::<Uri>().is_ok();
    is_valid.then_some(url).ok_or_else(no_such_host)
}

/// Gets `url` with the system's trust roots and proxies. Follows redirects as Go's `http.Get` does,
/// and reads at most `limit` bytes.
///
/// # Errors
/// There is no whole reply.
pub(crate) async fn get(url: &Url, limit: usize) -> Result<PlainReply, Failure> {
    let client = client(Policy::limited(MAX_REDIRECTS), TIMEOUT, None)?;
    let authority = url.authority().to_owned();
    let response = client
        .get(url.clone())
        .send()
        .await
        .map_err(|error| Failure::from_request(&error, &authority, true))?;
    read(response, &authority, limit).await
}

/// A client for servers outside the cluster's API, with the system's proxies. It trusts the
/// system's authorities if `authorities` is `None`.
///
/// # Errors
/// The system's authorities cannot be read.
pub(crate) fn client(
    redirects: Policy,
    timeout: Duration,
    authorities: Option<&Authorities>,
) -> Result<reqwest::Client, Failure> {
    let builder = builder(authorities)?.redirect(redirects).timeout(timeout);
    let builder = builder.user_agent(concat!("locustctl/", env!("CARGO_PKG_VERSION")));
    builder.build().map_err(|error| unprepared(error.to_string()))
}

/// A client that relays requests. Replies stay compressed, and last until nothing arrives for
/// `idle`.
///
/// Plain HTTP connections are not kept. On a kept connection, a server that sends a reply in two
/// pieces, as Locust's does, waits for our acknowledgement of the first piece, which the system
/// delays for 40 ms.
///
/// # Errors
/// The system's authorities cannot be read.
pub(crate) fn relay(
    idle: Duration,
    is_encrypted: bool,
    authorities: Option<&Authorities>,
) -> Result<reqwest::Client, Failure> {
    let kept = if is_encrypted { 32 } else { 0 };
    let builder = builder(authorities)?.redirect(Policy::none()).read_timeout(idle).no_gzip();
    let builder = builder.pool_max_idle_per_host(kept);
    builder.build().map_err(|error| unprepared(error.to_string()))
}

fn builder(authorities: Option<&Authorities>) -> Result<reqwest::ClientBuilder, Failure> {
    let Authorities(trust) = match authorities {
        Some(authorities) => authorities.clone(),
        None => Authorities::of_system().map_err(|error| unprepared(error.to_string()))?,
    };
    let variables = ProxyVariables::from_process();
    let proxy = reqwest::Proxy::custom(move |url| {
        let host = url.host_str()?.trim_matches(['[', ']']);
        variables.for_server(url.scheme(), host, url.port_or_known_default()?)
    });
    Ok(reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .proxy(proxy)
        .tls_backend_preconfigured(Arc::unwrap_or_clone(trust)))
}

fn unprepared(text: String) -> Failure {
    Failure { kind: FailureKind::Connection, text, sent: false }
}

async fn read(response: Response, authority: &str, limit: usize) -> Result<PlainReply, Failure> {
    let status = response.status();
    let own_words = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let words = match own_words {
        Some(words) => String::from_utf8_lossy(words.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let status_line = format!("{} {words}", status.as_u16());
    let status = status.as_u16();
    if status != 200 {
        return Ok(PlainReply { status, status_line, body: Vec::new() });
    }
    match read_body(response, limit).await {
        Ok(body) => Ok(PlainReply { status, status_line, body }),
        Err(BodyError::TooLarge) => Err(Failure::too_large("GET", limit, status)),
        Err(BodyError::Broken(error)) => Err(Failure::from_body(&error, authority, status)),
    }
}
