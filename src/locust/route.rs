//! The route of a request to Locust's web UI, and the refusals on the way.

use std::fmt;

use http_body_util::{BodyExt, Limited};
use hyper::http::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Url};

use super::address::{Address, ProxiedKind};
use super::error::Error;
use crate::cluster::api::{self, Reply, RequestSubject};

/// Maximum size of a body that is read as a refusal of the API server, in bytes. A refusal has a few
/// hundred bytes.
const MAX_REFUSAL: usize = 64 * 1024;

/// The route to Locust's web UI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Directly to Locust, or to a proxy in front of it. The URL ends with Locust's base path and a
    /// slash.
    Direct(Url),
    /// Through the API server's proxy for Services and pods.
    Proxied {
        kind: ProxiedKind,
        /// Name of the Service or the pod.
        name: String,
        /// Path of the proxy on the API server; ends with a slash.
        prefix: String,
        /// Locust's base path; begins and ends with a slash.
        base_path: String,
    },
}

impl Route {
    /// The route to an address; `None` if the address names no server.
    pub fn new(address: &Address, namespace: &str) -> Option<Self> {
        match address {
            Address::Auto | Address::None => None,
            Address::Url(base) => Some(Self::Direct(base.clone())),
            Address::Proxied(proxied) => Some(Self::Proxied {
                kind: proxied.kind,
                name: proxied.name.clone(),
                prefix: proxied.proxy_path(namespace),
                base_path: proxied.base_path.clone(),
            }),
        }
    }

    /// Path of Locust's page on its own server.
    pub fn base_path(&self) -> &str {
        match self {
            Self::Direct(base) => base.path(),
            Self::Proxied { base_path, .. } => base_path,
        }
    }

    /// Separates refusals of the API server from Locust's answers.
    ///
    /// # Errors
    /// The API server has refused the request.
    pub(super) async fn without_refusal(
        &self,
        response: Response<Body>,
    ) -> Result<Response<Body>, Error> {
        let status = response.status().as_u16();
        let Self::Proxied { kind, name, prefix, .. } = self else { return Ok(response) };
        if status < 400 || !is_json(response.headers()) {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = Limited::new(body, MAX_REFUSAL).collect().await else {
            let status = format!("{status} with more than {MAX_REFUSAL} bytes");
            return Err(Error::NotLocust { path: prefix.clone(), status });
        };
        let body = body.to_bytes();
        let reply = Reply { status, headers: parts.headers.clone(), body: body.to_vec().into() };
        match api::Error::from_api_server(&reply, &request_subject("get", *kind, name)) {
            Some(error) => Err(Error::Api(error)),
            None => Ok(Response::from_parts(parts, body.into())),
        }
    }
}

/// The route in messages: a URL, `service/NAME`, or `pod/NAME`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(base) => write!(f, "{base}"),
            Self::Proxied { kind, name, .. } => write!(f, "{}/{name}", kind.singular()),
        }
    }
}

/// Describes a request through the proxy of a Service or a pod, for messages.
pub(super) fn request_subject(verb: &'static str, kind: ProxiedKind, name: &str) -> RequestSubject {
    RequestSubject { verb, resource: kind.subresource().to_owned(), name: name.to_owned() }
}

/// True for the status codes with which Locust, or a proxy in front of it, asks for a login: a
/// redirect to a login page, 401 and 403.
pub fn asks_for_login(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403)
}

/// True if the answer is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with("application/json"))
}
