//! Requests of others, passed on to what stands behind the API server's proxy for Services.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::Response;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap};
use reqwest::{Body, Method, Url};

use super::address::authority;
use super::client::{Client, unprepared};
use super::transport::Transport;
use super::{Error, Failure};

/// A request to pass on.
#[derive(Debug, Clone)]
pub struct Relayed {
    /// HTTP method.
    pub method: Method,
    /// From the server's root, already escaped: what the request must not leave.
    pub prefix: String,
    /// What follows it, as received.
    pub path: String,
    /// Behind the question mark, as received.
    pub query: Option<String>,
    /// Only what may reach the API server: whoever sends the request must not speak in our name.
    pub headers: HeaderMap,
    /// As received.
    pub body: Bytes,
}

impl Client {
    /// Passes a request on, and gives the answer as it comes. After a 401 the credentials are
    /// renewed where they can be, and it is sent once more. It is over after `longest`.
    ///
    /// # Errors
    /// [`Error::Failure`] without an answer, [`Error::Unprepared`] when there are no credentials to
    /// send, [`Error::Unreadable`] for a path that leads elsewhere.
    pub async fn relay(
        &self,
        relayed: &Relayed,
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
        relayed: &Relayed,
        longest: Duration,
    ) -> Result<reqwest::Response, Error> {
        let authorization = self.credentials.authorization().await.map_err(unprepared)?;
        let transport = self.transport().map_err(unprepared)?;
        let url = relayed.url(&transport.dialled)?;
        let mut headers = relayed.headers.clone();
        headers.extend(self.impersonation.clone());
        headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        self.name_host(&mut headers, &transport);
        let request = transport.http.request(relayed.method.clone(), url).headers(headers);
        let sent = request.body(relayed.body.clone()).timeout(longest).send().await;
        sent.map_err(|error| {
            let authority = authority(&transport.server);
            Error::Failure(Failure::from_request(&error, &authority, true))
        })
    }

    /// Under `--tls-server-name` the URL holds another name than the server's.
    pub(super) fn name_host(&self, headers: &mut HeaderMap, transport: &Transport) {
        if transport.dialled != transport.server
            && let Ok(host) = authority(&transport.server).parse()
        {
            headers.insert(HOST, host);
        }
    }
}

impl Relayed {
    fn url(&self, server: &Url) -> Result<Url, Error> {
        let elsewhere = || {
            Error::Unreadable(format!("{:?} leads out of what may be asked for here", self.path))
        };
        if !leads_down(&self.path) {
            return Err(elsewhere());
        }
        let mut url = server.clone();
        let prefix = format!("{}{}", server.path().trim_end_matches('/'), self.prefix);
        url.set_path(&format!("{prefix}{}", self.path.trim_start_matches('/')));
        url.set_query(self.query.as_deref());
        match url.path().starts_with(&prefix) {
            true => Ok(url),
            false => Err(elsewhere()),
        }
    }
}

/// Whether no segment of a path leads upwards, however it is escaped: servers differ in what they
/// take for one.
pub fn leads_down(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).collect::<Vec<u8>>();
    let mut segments = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
    segments.all(|segment| segment != b"." && segment != b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(server: &str, path: &str) -> Option<String> {
        let relayed = Relayed {
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
    fn what_is_passed_on_stays_below_the_service() {
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
