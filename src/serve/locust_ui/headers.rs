//! The headers of relayed requests and of their answers.

use std::net::IpAddr;

use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, ETAG, EXPECT, HOST, HeaderName,
    LAST_MODIFIED, LOCATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue};
use reqwest::Url;

use super::super::guard::{SessionCookie, pairs};
use crate::locust::Route;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The scope of a service worker (W3C). Locust's page gets none.
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// Hop-by-hop headers (RFC 9110, 7.6.1), in addition to those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authorization"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Headers that the API server adds to the answers of its proxy.
const API_SERVER_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("audit-id"),
    HeaderName::from_static("x-kubernetes-pf-flowschema-uid"),
    HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid"),
    STRICT_TRANSPORT_SECURITY,
];

/// The client of a relayed request, for its headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client<'a> {
    pub host: &'a str,
    pub from: IpAddr,
    pub is_tls: bool,
    /// The server's own cookie.
    pub own_cookie: &'a SessionCookie,
    /// True if `Authorization` is meant for this server.
    pub owns_authorization: bool,
}

/// The headers of a request, as they are sent to Locust.
pub(super) fn outgoing(received: &HeaderMap, client: &Client<'_>, route: &Route) -> HeaderMap {
    let mut headers = received.clone();
    remove_hop_by_hop(&mut headers);
    // The HTTP client sets the length and the host; `Expect` was answered already.
    for name in [CONTENT_LENGTH, EXPECT, HOST] {
        headers.remove(name);
    }
    if client.owns_authorization {
        headers.remove(AUTHORIZATION);
    }
    if let Some(cookies) = cookies(&headers, client.own_cookie) {
        headers.insert(COOKIE, cookies);
    } else {
        headers.remove(COOKIE);
    }
    if let Route::Direct(base) = route {
        forward(&mut headers, client);
        // Locust builds absolute URLs from the host. A TLS proxy in front of Locust needs its own name.
        if base.scheme() == "http" {
            headers.extend(HeaderValue::from_str(client.host).ok().map(|host| (HOST, host)));
        }
    }
    headers
}

/// All cookies in one header, without the server's own. HTTP/2 clients may send several headers.
pub(super) fn cookies(headers: &HeaderMap, own: &SessionCookie) -> Option<HeaderValue> {
    let all = headers.get_all(COOKIE).iter().flat_map(pairs);
    let left: Vec<_> = all.filter(|pair| !pair.is_empty() && !own.is_pair(pair)).collect();
    let joined = left.join(&b"; "[..]);
    let mut value = HeaderValue::from_bytes(&joined).ok().filter(|_| !left.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

fn forward(headers: &mut HeaderMap, client: &Client<'_>) {
    let before = headers.get_all(&FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let from = client.from.to_string();
    let chain = before.chain([from.as_str()]).collect::<Vec<_>>().join(", ");
    let scheme = if client.is_tls { "https" } else { "http" };
    let values =
        [(FORWARDED_FOR, chain.as_str()), (FORWARDED_HOST, client.host), (FORWARDED_PROTO, scheme)];
    for (name, value) in values {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(headers.insert(name, value)),
            Err(_) => drop(headers.remove(name)),
        }
    }
}

/// Adapts the headers of an answer for the client. Locust cannot replace the server's own cookie.
pub(super) fn incoming(
    headers: &mut HeaderMap,
    host: &str,
    own_cookie: &SessionCookie,
    route: &Route,
) {
    remove_hop_by_hop(headers);
    headers.remove(SERVICE_WORKER_ALLOWED);
    let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies.into_iter().filter(|cookie| !own_cookie.is_set_by(cookie)) {
        headers.append(SET_COOKIE, cookie);
    }
    if matches!(route, Route::Proxied { .. }) {
        for name in API_SERVER_HEADERS {
            headers.remove(name);
        }
    }
    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok());
    let own = to.and_then(|to| own_path(to, host, route));
    if let Some(own) = own.and_then(|own| HeaderValue::from_str(&own).ok()) {
        headers.insert(LOCATION, own);
    }
}

/// Converts a URL of Locust to a path of this server, which is also valid behind proxies. `None` for
/// a path that needs no change, and for URLs of other servers.
fn own_path(to: &str, host: &str, route: &Route) -> Option<String> {
    let (path, is_absolute) = match Url::parse(to) {
        Ok(url) => {
            let authority = url.authority();
            let is_locust = match route {
                Route::Direct(base) => authority == base.authority() || authority == host,
                // The API server may use any of its host names.
                Route::Proxied { prefix, .. } => url.path().starts_with(prefix.as_str()),
            };
            if !is_locust {
                return None;
            }
            (url[url::Position::BeforePath..].to_owned(), true)
        }
        Err(_) if to.starts_with('/') && !to.starts_with("//") => (to.to_owned(), false),
        Err(_) => return None,
    };
    match route {
        Route::Proxied { prefix, .. } => path.strip_prefix(prefix.as_str()).map(rooted),
        Route::Direct(_) => is_absolute.then(|| rooted(&path)),
    }
}

/// The path with exactly one leading slash. After two slashes, a browser expects a host name.
fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Changes the headers of an answer whose body gets `added` more bytes.
pub(super) fn lengthen(headers: &mut HeaderMap, added: usize) {
    for name in [ETAG, LAST_MODIFIED] {
        headers.remove(name);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length.and_then(|length: usize| length.checked_add(added)) {
        Some(length) => headers.insert(CONTENT_LENGTH, length.into()),
        // The length is not known before the end.
        None => headers.remove(CONTENT_LENGTH),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locust::Address;

    fn direct(base: &str) -> Route {
        Route::Direct(base.parse().unwrap())
    }

    fn service() -> Route {
        Route::new(&Address::parse("service/b:1").unwrap(), "a").unwrap()
    }

    fn of(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn relayed(sent: &[(&'static str, &'static str)], route: &Route) -> Vec<String> {
        let client = Client {
            host: "workers.example.com",
            from: [10, 0, 0, 9].into(),
            is_tls: true,
            own_cookie: &SessionCookie::new(8088),
            owns_authorization: true,
        };
        let headers = outgoing(&of(sent), &client, route);
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn hop_by_hop_headers_and_those_of_serve_are_not_relayed() {
        let sent = [
            ("host", "workers.example.com"),
            ("connection", "keep-alive, X-Private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "websocket"),
            ("transfer-encoding", "chunked"),
            ("content-length", "9"),
            ("expect", "100-continue"),
            ("authorization", "Bearer ours"),
            ("cookie", "session=locusts; locustctl-session-8088=ours"),
            ("cookie", "theme=dark"),
            ("x-forwarded-for", "192.0.2.7"),
            ("accept", "text/html"),
        ];
        assert_eq!(
            relayed(&sent, &direct("http://locust-master:8089/")),
            [
                "accept: text/html",
                "cookie: session=locusts; theme=dark",
                "host: workers.example.com",
                "x-forwarded-for: 192.0.2.7, 10.0.0.9",
                "x-forwarded-host: workers.example.com",
                "x-forwarded-proto: https",
            ]
        );
        let to_a_proxy = relayed(&sent, &direct("https://load.example.com/"));
        assert!(!to_a_proxy.iter().any(|line| line.starts_with("host:")), "{to_a_proxy:?}");
        let alone = [("cookie", "locustctl-session-8088=ours")];
        assert!(!relayed(&alone, &service()).iter().any(|line| line.starts_with("cookie")));
    }

    #[test]
    fn cookies_beyond_ascii_reach_locust() {
        let own = SessionCookie::new(8088);
        let sent = HeaderValue::from_bytes(b"caf\xe9=1; locustctl-session-8088=ours;a=b").unwrap();
        let left = cookies(&HeaderMap::from_iter([(COOKIE, sent)]), &own).unwrap();
        assert_eq!(left.as_bytes(), b"caf\xe9=1; a=b");
    }

    #[test]
    fn redirects_lead_to_this_server() {
        let (host, base) =
            ("workers.example.com:8088", direct("http://locust-master:8089/locust/"));
        for (to, route, expected) in [
            ("/login?next=%2F", &base, "/login?next=%2F"),
            ("http://workers.example.com:8088/locust/", &base, "/locust/"),
            ("http://locust-master:8089/locust/?a=b#c", &base, "/locust/?a=b#c"),
            ("http://locust-master:8089//evil.example.com/x", &base, "/evil.example.com/x"),
            ("http://locust-master:8089/\\evil.example.com/x", &base, "/evil.example.com/x"),
            ("https://sign-in.example.com/x", &base, "https://sign-in.example.com/x"),
            ("//sign-in.example.com/x", &base, "//sign-in.example.com/x"),
            ("next", &base, "next"),
            ("/api/v1/namespaces/a/services/b:1/proxy/login?x", &service(), "/login?x"),
            ("https://10.0.0.1/api/v1/namespaces/a/services/b:1/proxy/", &service(), "/"),
            (
                "/api/v1/namespaces/a/services/b:1/proxy//evil.example.com",
                &service(),
                "/evil.example.com",
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_str(to).unwrap());
            incoming(&mut headers, host, &SessionCookie::new(8088), route);
            assert_eq!(headers[LOCATION], expected, "{to}");
        }
    }

    #[test]
    fn locusts_cookies_are_relayed_unless_they_have_the_name_of_ours() {
        let mut headers = of(&[
            ("set-cookie", "session=a; Path=/; HttpOnly"),
            ("set-cookie", "locustctl-session-8088=forged; Path=/"),
            ("set-cookie", "theme=dark"),
        ]);
        let own = SessionCookie::new(8088);
        incoming(&mut headers, "localhost", &own, &direct("http://locust:8089/"));
        let kept: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(kept, ["session=a; Path=/; HttpOnly", "theme=dark"]);
    }
}
