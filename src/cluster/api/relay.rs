//! Requests of a browser, relayed through the API server's proxy for Services.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::{self, Response, Uri};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Body, Method};

use super::Error;
use super::address::ServerAddress;
use super::client::{Client, no_credentials};
use super::http::{HttpRequest, Limit, RequestBody};

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
        let server = &transport.server;
        let mut head = http::Request::new(()).into_parts().0;
        head.method = relayed.method.clone();
        head.uri = relayed.uri(server)?;
        head.headers = relayed.headers.clone();
        head.headers.extend(self.impersonation.clone());
        head.headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        let request = HttpRequest {
            head,
            body: RequestBody::Whole(relayed.body.clone()),
            limit: Limit::Whole(longest),
            authority: server.authority(),
            on_resend: &|_| {},
        };
        let sent = transport.http.send(request).await;
        sent.map_err(|failure| Error::Failure(failure.explained(&transport.handshakes)))
    }
}

impl RelayRequest {
    fn uri(&self, server: &ServerAddress) -> Result<Uri, Error> {
        if !has_no_dot_segments(&self.path) {
            return Err(Error::Unreadable(format!(
                "the path {:?} has \".\" or \"..\" and is refused: it could leave {}",
                self.path, self.prefix
            )));
        }
        let path = format!("{}{}", self.prefix, self.path.trim_start_matches('/'));
        server.uri(&server.path(&path, self.query.as_ref())).map_err(Error::Failure)
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
        let server = ServerAddress::parse(server).unwrap();
        relayed.uri(&server).ok().map(|uri| uri.to_string())
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
