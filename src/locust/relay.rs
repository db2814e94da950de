//! Forwards requests of browsers to Locust's web UI.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::Response;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Url};

use super::address::Address;
use super::error::Error;
use super::login::Login;
use super::route::Route;
use crate::cluster::api::plain::{PlainClient, RequestBody};
use crate::cluster::api::{Client, Failure, RelayRequest, has_no_dot_segments};

/// Time limit between two bytes. `/stop` takes up to Locust's `--stop-timeout` and a minute.
pub const MAX_SILENCE: Duration = Duration::from_secs(15 * 60);

/// Time limit for the whole answer. A download of statistics takes far less.
pub const MAX_ANSWER: Duration = Duration::from_secs(60 * 60);

/// The headers of a browser's request that may reach the API server. Others, such as
/// `Impersonate-User` and `X-Remote-User`, could act in the name of locustctl there.
const FORWARDED: [&str; 20] = [
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

/// A request on its way to Locust.
#[derive(Debug)]
pub struct Outgoing {
    pub method: Method,
    /// Path from the root of Locust's server, as received.
    pub path: String,
    /// Query without the question mark, as received.
    pub query: Option<String>,
    /// Headers without those of one connection (RFC 9110, 7.6.1).
    pub headers: HeaderMap,
    pub content: Content,
}

/// A request's body.
#[derive(Debug)]
pub enum Content {
    Whole(Bytes),
    /// Forwarded as it arrives; only for [`Route::Direct`].
    Streamed(Body),
}

/// Forwards requests to Locust.
#[derive(Debug)]
pub struct Relay {
    http: PlainClient,
    /// Credentials for a proxy in front of Locust; the caller's own take precedence.
    authorization: Option<HeaderValue>,
}

impl Relay {
    /// A relay to Locust at this address. It does not connect yet.
    ///
    /// # Errors
    /// The system's certificate authorities cannot be read.
    pub fn new(address: &Address, login: &Login) -> Result<Self, Failure> {
        let http =
            PlainClient::relaying(MAX_SILENCE, address.is_encrypted(), login.authorities.as_ref())?;
        Ok(Self { http, authorization: login.authorization.clone() })
    }

    /// Forwards a request, and returns the answer while its body still arrives.
    ///
    /// # Errors
    /// Locust does not answer, or the API server refuses the request.
    pub async fn send(
        &self,
        client: &Client,
        route: &Route,
        outgoing: Outgoing,
    ) -> Result<Response<Body>, Error> {
        match route {
            Route::Direct(base) => self.send_directly(base, outgoing).await,
            Route::Proxied { prefix, .. } => {
                let relayed = relayed(prefix, outgoing)?;
                let response = client.relay(&relayed, MAX_ANSWER).await.map_err(Error::Api)?;
                route.without_refusal(response).await
            }
        }
    }

    async fn send_directly(&self, base: &Url, outgoing: Outgoing) -> Result<Response<Body>, Error> {
        let Outgoing { method, path, query, mut headers, content } = outgoing;
        let mut url = base.clone();
        url.set_path(&path);
        url.set_query(query.as_deref());
        if !has_no_dot_segments(&path) || !url.path().starts_with(base.path()) {
            let status = "404: the path is not below Locust's address".to_owned();
            return Err(Error::NotLocust { path, status });
        }
        if let Some(authorization) = &self.authorization {
            headers.entry(AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        let body = match content {
            Content::Whole(bytes) => RequestBody::Whole(bytes),
            Content::Streamed(body) => RequestBody::Streamed(body),
        };
        let sent = self.http.send(method, &url, headers, body).await;
        sent.map(Response::from).map_err(Error::of_failure)
    }
}

fn relayed(prefix: &str, outgoing: Outgoing) -> Result<RelayRequest, Error> {
    let Outgoing { method, path, query, headers, content } = outgoing;
    let is_forwarded = |name: &HeaderName| FORWARDED.contains(&name.as_str());
    let headers = headers.iter().filter(|(name, _)| is_forwarded(name));
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
    fn headers_that_change_the_identity_do_not_reach_the_api_server() {
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
