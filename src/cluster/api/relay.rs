//! Requests of a browser, relayed through the API server's proxy for Services.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::Response;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap};
use reqwest::{Body, Method, Url};

use super::address::authority;
use super::client::{Client, no_credentials};
use super::transport::Transport;
use super::{Error, Failure};

/// A request to relay.
#[derive(Debug, Clone)]
pub struct RelayRequest {
    pub method: Method,
    /// The path from the server's root, already escaped. The request must stay below it.
    pub prefix: String,
    /// The path below `prefix`, as received.
    pub path: String,
    /// The query, as received.
    pub query: Option<String>,
    /// The headers that may reach the API server. The sender must not be able to set our
    /// credentials.
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// Relays a request, and returns the reply as a stream that lasts `longest` at most. After a
    /// 401, the client renews the credentials if it can, and sends the request once more.
    ///
    /// # Errors
    /// [`Error::Failure`] without a reply, [`Error::NoCredentials`] without credentials,
    /// [`Error::Unreadable`] for a path outside `prefix`.
    pub async fn relay(
        &self,
        relayed: &RelayRequest,
        longest: Duration,
    ) -> Result<Response<Body>, Error> {
        let mut renewed = false;
        loop {
            let response = self.relay_once(relayed, longest).await?;
            if response.status() != 401 || renewed || !self.credentials.renew().await {
                return Ok(response.into());
            }
            renewed = true;
        }
    }

    async fn relay_once(
        &self,
        relayed: &RelayRequest,
        longest: Duration,
    ) -> Result<reqwest::Response, Error> {
        let authorization = self.credentials.authorization().await.map_err(no_credentials)?;
        let transport = self.transport().map_err(no_credentials)?;
        let url = relayed.url(&transport.dialled)?;
        let mut headers = relayed.headers.clone();
        headers.extend(self.impersonation.clone());
        headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        self.name_host(&mut headers, &transport);
        let request = transport.http.request(relayed.method.clone(), url).headers(headers);
        let sent = request.body(relayed.body.clone()).timeout(longest).send().await;
        sent.map_err(|error| {
            let authority = authority(&transport.server);
            let failure = Failure::from_request(&error, &authority, true);
            Error::Failure(failure.explained(&transport.handshakes))
        })
    }

    /// Sets the `Host` header. With `--tls-server-name`, the URL has another name than the server.
    pub(super) fn name_host(&self, headers: &mut HeaderMap, transport: &Transport) {
        if transport.dialled != transport.server
            && let Ok(host) = authority(&transport.server).parse()
        {
            headers.insert(HOST, host);
        }
    }
}

impl RelayRequest {
    fn url(&self, server: &Url) -> Result<Url, Error> {
        let outside =
            || Error::Unreadable(format!("the path {:?} leads out of {}", self.path, self.prefix));
        if !has_no_dot_segments(&self.path) {
            return Err(outside());
        }
        let mut url = server.clone();
        let prefix = format!("{}{}", server.path().trim_end_matches('/'), self.prefix);
        url.set_path(&format!("{prefix}{}", self.path.trim_start_matches('/')));
        url.set_query(self.query.as_deref());
        match url.path().starts_with(&prefix) {
            true => Ok(url),
            false => Err(outside()),
        }
    }
}

/// True if no segment of a path is `.` or `..`, also not in escaped form or after a backslash:
/// servers differ in what they treat as a segment.
pub fn has_no_dot_segments(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).collect::<Vec<u8>>();
    let mut segments = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
    segments.all(|segment| segment != b"." && segment != b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(server: &str, path: &str) -> Option<String> {
        let relayed = RelayRequest {
            method: Method::GET,
            prefix: "/api/v1/namespaces/a/services/b:1/proxy/".to_owned(),
            path: path.to_owned(),
            query: Some("x=%2F&y".to_owned()),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        relayed.url(&server.parse().unwrap()).ok().map(Into::into)
    }

    #[test]
    fn a_relayed_path_stays_below_the_service() {
        let below = "/api/v1/namespaces/a/services/b:1/proxy/";
        for (path, expected) in [
            ("/", Some("?x=%2F&y")),
            ("/stats/requests", Some("stats/requests?x=%2F&y")),
            ("/a%20b/c..d", Some("a%20b/c..d?x=%2F&y")),
            ("/..", None),
            ("/../secrets", None),
            ("/a/../../../../secrets", None),
            ("/%2e%2e/secrets", None),
            ("/.%2E/secrets", None),
            ("/..%2fsecrets", None),
            ("/a%2f..%5csecrets", None),
            ("/..\\secrets", None),
            ("/./a", None),
        ] {
            for server in ["https://h:1", "https://h:1/clusters/c"] {
                let expected = expected.map(|rest| format!("{server}{below}{rest}"));
                assert_eq!(url(server, path), expected, "{path}");
            }
        }
    }
}
