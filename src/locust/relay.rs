//! Passing requests of browsers on to Locust's web UI, as they are.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::Response;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Url};

use super::address::Address;
use super::master::{Error, Login};
use crate::cluster::api::{Client, Failure, RelayRequest, has_no_dot_segments, plain};

/// `/stop` takes as long as Locust's `--stop-timeout`, and a minute.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);

/// By way of the API server; a download of statistics is over long before.
const LONGEST_ANSWER: Duration = Duration::from_secs(60 * 60);

/// What may reach the API server of a browser's request. With the others somebody could speak in
/// our name there: `Impersonate-User`, `X-Remote-User`.
const HARMLESS: [&str; 20] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "cookie",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "range",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "user-agent",
    "x-requested-with",
];

/// Where requests are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Locust itself, or a proxy in front of it; the path is its base path, with a slash at its end.
    Direct(Url),
    /// By way of the API server's proxy for Services.
    Service {
        /// Below this path of the API server's.
        prefix: String,
        /// Locust's base path.
        base_path: String,
    },
}

impl Place {
    /// `None` for what is no place.
    pub fn of(address: &Address, namespace: &str) -> Option<Self> {
        match address {
            Address::Auto | Address::None => None,
            Address::Url(base) => Some(Self::Direct(base.clone())),
            Address::Service(service) => {
                let (prefix, base_path) =
                    (service.proxy_path(namespace), service.base_path.clone());
                Some(Self::Service { prefix, base_path })
            }
        }
    }

    /// Where Locust's page is, seen from its server's root.
    pub fn base_path(&self) -> &str {
        match self {
            Self::Direct(base) => base.path(),
            Self::Service { base_path, .. } => base_path,
        }
    }
}

/// A request on its way to Locust.
#[derive(Debug)]
pub struct Outgoing {
    /// HTTP method.
    pub method: Method,
    /// From Locust's root, as received.
    pub path: String,
    /// Behind the question mark, as received.
    pub query: Option<String>,
    /// Without those that concern one connection alone (RFC 9110, 7.6.1).
    pub headers: HeaderMap,
    /// The body.
    pub content: Content,
}

/// A request's body.
#[derive(Debug)]
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// As it comes; only for [`Place::Direct`].
    Streamed(Body),
}

/// Passes requests on.
#[derive(Debug)]
pub struct Relay {
    http: reqwest::Client,
    /// For a proxy in front of Locust, where the caller has sent none of its own.
    authorization: Option<HeaderValue>,
}

impl Relay {
    /// For Locust at this address; connects to nothing yet.
    ///
    /// # Errors
    /// The system's certificate authorities cannot be read.
    pub fn new(address: &Address, login: &Login) -> Result<Self, Failure> {
        let http =
            plain::relay(LONGEST_SILENCE, address.is_encrypted(), login.authorities.as_ref())?;
        Ok(Self { http, authorization: login.authorization.clone() })
    }

    /// Passes a request on and gives the answer as it comes.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn send(
        &self,
        client: &Client,
        place: &Place,
        outgoing: Outgoing,
    ) -> Result<Response<Body>, Error> {
        match place {
            Place::Direct(base) => self.send_directly(base, outgoing).await,
            Place::Service { prefix, .. } => {
                let relayed = relayed(prefix, outgoing)?;
                client.relay(&relayed, LONGEST_ANSWER).await.map_err(Error::Api)
            }
        }
    }

    async fn send_directly(&self, base: &Url, outgoing: Outgoing) -> Result<Response<Body>, Error> {
        let Outgoing { method, path, query, mut headers, content } = outgoing;
        let mut url = base.clone();
        url.set_path(&path);
        url.set_query(query.as_deref());
        if !has_no_dot_segments(&path) || !url.path().starts_with(base.path()) {
            let status = "404: this is not below Locust's address".to_owned();
            return Err(Error::NotLocust { path, status });
        }
        if let Some(authorization) = &self.authorization {
            headers.entry(AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        let body = match content {
            Content::Whole(bytes) => bytes.into(),
            Content::Streamed(body) => body,
        };
        let sent = self.http.request(method, url).headers(headers).body(body).send().await;
        let authority = base.authority();
        sent.map(Response::from).map_err(|error| Error::of_url(&error, authority))
    }
}

fn relayed(prefix: &str, outgoing: Outgoing) -> Result<RelayRequest, Error> {
    let Outgoing { method, path, query, headers, content } = outgoing;
    let is_harmless = |name: &HeaderName| HARMLESS.contains(&name.as_str());
    let headers = headers.iter().filter(|(name, _)| is_harmless(name));
    let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
    match content {
        Content::Whole(body) => {
            Ok(RelayRequest { method, prefix: prefix.to_owned(), path, query, headers, body })
        }
        Content::Streamed(_) => {
            let status = "413: the body is too large to pass on".to_owned();
            Err(Error::NotLocust { path, status })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_speaks_in_our_name_to_the_api_server() {
        let names = [
            "Authorization",
            "Impersonate-User",
            "Impersonate-Group",
            "X-Remote-User",
            "X-Forwarded-User",
            "Host",
            "Cookie",
            "Accept",
        ];
        let headers = names.map(|name| (name.parse().unwrap(), HeaderValue::from_static("x")));
        let outgoing = Outgoing {
            method: Method::GET,
            path: "/".to_owned(),
            query: None,
            headers: headers.into_iter().collect(),
            content: Content::Whole(Bytes::new()),
        };
        let relayed = relayed("/proxy/", outgoing).unwrap();
        let mut left: Vec<_> = relayed.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "cookie"]);
    }
}
