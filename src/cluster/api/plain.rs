//! A GET of any address, without anything that belongs to the cluster: a manifest's URL.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use rustls::ClientConfig;

use super::address::authority;
use super::failure::{Failure, FailureKind};
use super::proxy::ProxyVariables;
use super::tls::{self, VerifiedName};
use crate::cluster::body::{BodyError, read_body};
use crate::cluster::kubeconfig::Cluster;

/// Go's own limit is only that of dialling; a server that trickles must not hang us for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// As many as Go's client follows.
const MOST_REDIRECTS: usize = 10;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    /// `404 Not Found`, with the server's own words behind the number where it has any.
    pub status_line: String,
    /// Empty unless the status is 200.
    pub body: Vec<u8>,
}

/// The certificate authorities that a server outside the cluster's API is verified with.
#[derive(Debug, Clone)]
pub struct Authorities(Arc<ClientConfig>);

impl Authorities {
    /// Those of a PEM file; the system's are then not trusted.
    ///
    /// # Errors
    /// The file has no usable certificate.
    pub fn from_pem(bundle: Vec<u8>) -> Result<Self> {
        Self::of(&Cluster { certificate_authority: Some(bundle), ..Cluster::default() })
    }

    fn of_system() -> Result<Self> {
        Self::of(&Cluster::default())
    }

    fn of(cluster: &Cluster) -> Result<Self> {
        let config = tls::client_config(cluster, VerifiedName::UrlHost, None)?;
        Ok(Self(Arc::new(config)))
    }
}

/// Gets `url` with the system's trust roots and proxies, following redirects as Go's
/// `http.Get` does; reads at most `limit` bytes.
///
/// # Errors
/// There is no whole answer.
pub(crate) async fn get(url: &Url, limit: usize) -> Result<Answer, Failure> {
    let client = client(Policy::limited(MOST_REDIRECTS), TIMEOUT, None)?;
    let authority = authority(url);
    let response = client
        .get(url.clone())
        .send()
        .await
        .map_err(|error| Failure::from_request(&error, &authority, true))?;
    read(response, &authority, limit).await
}

/// A client for addresses outside the cluster's API, with the system's proxies. Without `authorities`
/// it trusts the system's.
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

/// The same for what is passed on as it is: answers are left compressed, and may last as long as
/// something comes within `idle`. Connections that are not encrypted are not kept: on one that is,
/// a server that sends an answer in two pieces (Locust's does) waits for us to acknowledge the first,
/// which the system delays for 40 ms.
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
    let proxy = reqwest::Proxy::custom(move |url| variables.for_server(url));
    Ok(reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .proxy(proxy)
        .tls_backend_preconfigured(Arc::unwrap_or_clone(trust)))
}

fn unprepared(text: String) -> Failure {
    Failure { kind: FailureKind::Connection, text, sent: false }
}

async fn read(response: Response, authority: &str, limit: usize) -> Result<Answer, Failure> {
    let status = response.status();
    let own_words = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let words = match own_words {
        Some(words) => String::from_utf8_lossy(words.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let status_line = format!("{} {words}", status.as_u16());
    let status = status.as_u16();
    if status != 200 {
        return Ok(Answer { status, status_line, body: Vec::new() });
    }
    match read_body(response, limit).await {
        Ok(body) => Ok(Answer { status, status_line, body }),
        Err(BodyError::TooLarge) => Err(Failure::too_large("GET", limit, status)),
        Err(BodyError::Broken(error)) => Err(Failure::from_body(&error, authority, status)),
    }
}
