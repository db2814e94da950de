//! HTTP to servers outside the cluster's API, without the cluster's credentials: manifests behind a
//! URL, and Locust.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::http::{self, Uri};
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Method, Response, Url};
use rustls::ClientConfig;
use url::{Host, Position};

use super::connect::{Connector, Proxies};
use super::failure::Failure;
use super::http::{Compression, HttpClient, HttpOptions, HttpRequest, Limit};
use super::proxy::ProxyVariables;
use crate::cluster::body::{BodyError, read_body};
use crate::cluster::trust::{self, Settings};
use crate::text::go;
use crate::text::go::url::ip_address;
use crate::text::terminal::conceal;

pub(crate) use super::http::RequestBody;

/// The limit for a whole GET. Go limits only dialling; a slow server must not block us for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The size of the buffer of a relay, in bytes. Many clients may load a large page at the same time.
const RELAY_BUFFER: u32 = 64 * 1024;

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

/// A client for servers outside the cluster's API, with the system's proxies.
pub(crate) struct PlainClient {
    http: Box<HttpClient>,
    limit: Limit,
}

impl fmt::Debug for PlainClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainClient").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl PlainClient {
    /// A client with a limit for each whole exchange. It trusts the system's authorities if
    /// `authorities` is `None`.
    ///
    /// # Errors
    /// The system's authorities cannot be read.
    pub fn new(limit: Duration, authorities: Option<&Authorities>) -> Result<Self, Failure> {
        let http = HttpClient::new(connector(authorities)?, HttpOptions::WHOLE_REPLIES);
        Ok(Self { http: Box::new(http), limit: Limit::Whole(limit) })
    }

    /// A client that relays requests. It does not decompress replies. A reply ends with an error if no
    /// byte arrives for `idle`.
    ///
    /// Plain HTTP connections are not reused. Locust's server sends a reply in two pieces, and waits
    /// for our ACK of the first one. On a reused connection the system delays this ACK by 40 ms.
    ///
    /// # Errors
    /// The system's authorities cannot be read.
    pub fn relaying(
        idle: Duration,
        is_encrypted: bool,
        authorities: Option<&Authorities>,
    ) -> Result<Self, Failure> {
        let max_idle = if is_encrypted { 32 } else { 0 };
        let compression = Compression::None;
        let options = HttpOptions { compression, max_idle, buffer: RELAY_BUFFER };
        let http = HttpClient::new(connector(authorities)?, options);
        Ok(Self { http: Box::new(http), limit: Limit::Idle(idle) })
    }

    /// Sends a request. A redirect is not followed.
    ///
    /// # Errors
    /// No headers arrived, or not in time.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        body: RequestBody,
    ) -> Result<Response, Failure> {
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        let target = &url[Position::BeforePath..Position::AfterQuery];
        let uri = format!("{}://{authority}{target}", url.scheme());
        let invalid = |_| Failure::unsent(format!("{uri} has a character that a URL cannot have"));
        if let Some(login) = login(url) {
            headers.entry(AUTHORIZATION).or_insert(login);
        }
        let mut head = http::Request::new(()).into_parts().0;
        head.uri = uri.parse().map_err(invalid)?;
        (head.method, head.headers) = (method, headers);
        let limit = self.limit;
        let request = HttpRequest { head, body, limit, authority, on_resend: &|_| {} };
        self.http.send(request).await
    }
}

/// The `Authorization` header for the login of a URL, which Go's HTTP client sends too.
fn login(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text| percent_decode_str(text).decode_utf8_lossy();
    let password = decode(url.password().unwrap_or_default());
    conceal(&password);
    let pair = BASE64_STANDARD.encode(format!("{}:{password}", decode(url.username())));
    conceal(&pair);
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that names locustctl to servers outside the cluster's API.
pub(crate) fn user_agent() -> HeaderValue {
    HeaderValue::from_static(concat!("locustctl/", env!("CARGO_PKG_VERSION")))
}

/// Gets `url` with the system's trust roots and proxies. Follows redirects as Go's `http.Get` does,
/// and reads at most `limit` bytes.
///
/// # Errors
/// The request failed, or the reply is incomplete.
pub(crate) async fn get(url: &Url, limit: usize) -> Result<PlainReply, Failure> {
    let client = PlainClient::new(TIMEOUT, None)?;
    let mut url = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let headers = HeaderMap::from_iter([(USER_AGENT, user_agent())]);
        let body = RequestBody::Whole(Bytes::new());
        let response = client.send(Method::GET, &url, headers, body).await?;
        match redirect(&url, &response) {
            Some(next) => url = next,
            None => return read(response, url.authority(), limit).await,
        }
    }
    Err(Failure::unsent(format!("stopped after {MAX_REDIRECTS} redirects")))
}

/// The URL that a reply leads to.
fn redirect(url: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    url.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn connector(authorities: Option<&Authorities>) -> Result<Connector, Failure> {
    let Authorities(trust) = match authorities {
        Some(authorities) => authorities.clone(),
        None => Authorities::of_system().map_err(|error| Failure::unsent(error.to_string()))?,
    };
    let proxies = Proxies::Environment(Arc::new(ProxyVariables::from_process()));
    Ok(Connector::new(Some(Arc::unwrap_or_clone(trust)), None, proxies))
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
        Err(BodyError::TooLarge | BodyError::OverBudget) => {
            Err(Failure::too_large("GET", limit, status))
        }
        Err(BodyError::Broken(error)) => Err(Failure::from_body(&error, authority, status)),
    }
}
