//! The address of an API server, and the URLs of its requests.

use hyper::http::Uri;
use idna::AsciiDenyList;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Failure;
use super::connect::Endpoint;
use super::exchange::{Request, Timeout};
use crate::text::go::url::split_port;

/// The characters of a path that a request cannot carry. All others stay as they are.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The address of an API server. It keeps the host as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// `https://host:port/prefix`
    url: String,
    /// `host` or `host:port`, for messages.
    authority: String,
    /// The path before the path of each request; empty, or with a leading and no trailing slash.
    prefix: String,
    /// `https://host:port` in ASCII.
    origin: String,
    /// The host to connect to, in ASCII.
    host: String,
    /// An IPv6 address with a zone (`fe80::1%eth0`), which a URI does not have.
    pub zoned_host: Option<String>,
    pub is_encrypted: bool,
}

impl ServerAddress {
    /// Reads the `server` of a [`crate::cluster::kubeconfig::Cluster`].
    ///
    /// # Errors
    /// The host name or the port is invalid. The text is that of Go's `net`.
    pub fn parse(server: &str) -> Result<Self, Failure> {
        let (scheme, rest) = server.split_once("://").unwrap_or(("http", server));
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority);
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(Failure::unsent(format!("dial tcp: address {port}: invalid port")));
        }
        let ascii_host = ascii_host(host).ok_or_else(|| Failure::unknown_host(host))?;
        let ascii_authority = match (authority.is_ascii(), port) {
            (true, _) => authority.to_owned(),
            (false, "") => ascii_host.clone(),
            (false, port) => format!("{ascii_host}:{port}"),
        };
        let origin = format!("{scheme}://{}", without_zone(&ascii_authority));
        if origin.parse::<Uri>().is_err() {
            return Err(Failure::unknown_host(host));
        }
        Ok(Self {
            url: server.to_owned(),
            authority: authority.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
            origin,
            zoned_host: host.contains('%').then(|| host.to_owned()),
            host: ascii_host,
            is_encrypted: scheme == "https",
        })
    }

    /// `host` or `host:port`, as configured.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host and the port to connect to.
    pub fn endpoint(&self) -> Endpoint {
        let (_, port) = split_port(&self.authority);
        let default = if self.is_encrypted { 443 } else { 80 };
        Endpoint { host: self.host.clone(), port: port.parse().unwrap_or(default) }
    }

    /// The path of a request to the server, with the query. The path of the server's own address
    /// comes first, the parameter `timeout` last.
    pub fn target(&self, request: &Request<'_>, timeout: Timeout) -> String {
        let timeout = timeout.parameter();
        let parameters =
            request.query.iter().copied().chain(timeout.as_deref().map(|t| ("timeout", t)));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let query = query.finish();
        self.path(request.path, Some(&query).filter(|query| !query.is_empty()))
    }

    /// `path` below the server's own path, with a query that is already escaped.
    pub fn path(&self, path: &str, query: Option<&String>) -> String {
        let path = utf8_percent_encode(path, PATH);
        match query {
            Some(query) => format!("{}{path}?{query}", self.prefix),
            None => format!("{}{path}", self.prefix),
        }
    }

    /// The URL for a path, for the log.
    pub fn display_url(&self, path: &str) -> String {
        let origin = self.url.strip_suffix(&self.prefix).unwrap_or(&self.url);
        format!("{origin}{path}")
    }

    /// The URI for a path, a result of [`Self::target`] or [`Self::path`].
    ///
    /// # Errors
    /// The path or the query has a character that a request cannot carry.
    pub fn uri(&self, path: &str) -> Result<Uri, Failure> {
        format!("{}{path}", self.origin).parse().map_err(|_| {
            Failure::unsent(format!("the path {path:?} has a character that a URL cannot have"))
        })
    }
}

/// The host in ASCII; `None` if no name is written like this. Some characters become ASCII in a name
/// (UTS 46), such as `＠` and `：`. They would change the meaning of the URL, so they are refused.
fn ascii_host(host: &str) -> Option<String> {
    if host.is_ascii() {
        return Some(host.to_owned());
    }
    let ascii = idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL).ok()?;
    Some(ascii.into_owned())
}

/// The authority without the zone of an IPv6 address, which a request does not carry (RFC 6874, 4).
fn without_zone(authority: &str) -> String {
    match (authority.find('%'), authority.find(']')) {
        (Some(zone), Some(end)) if zone < end => {
            format!("{}{}", &authority[..zone], &authority[end..])
        }
        _ => authority.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::cluster::api::RequestSubject;
    use crate::cluster::kubeconfig;
    use crate::text::go;

    fn request<'a>(
        path: &'a str,
        query: &'a [(&'a str, &'a str)],
        subject: &'a RequestSubject,
    ) -> Request<'a> {
        Request { method: Method::GET, path, query, content: None, accept: None, subject }
    }

    #[test]
    fn a_host_with_characters_that_become_delimiters_is_refused() {
        let server = ServerAddress::parse("https://bücher.example:1/x").unwrap();
        assert_eq!(server.endpoint().host, "xn--bcher-kva.example");
        assert_eq!(server.origin, "https://xn--bcher-kva.example:1");
        for delimiter in ['＠', '：', '／', '？', '＃', '％', '＼', '［'] {
            let host = format!("good.example{delimiter}127.0.0.1");
            let error = ServerAddress::parse(&format!("https://{host}:8443")).unwrap_err();
            assert_eq!(error.to_string(), format!("dial tcp: lookup {host}: no such host"));
        }
    }

    #[test]
    fn the_servers_path_stays_in_front_and_the_timeout_comes_last() {
        let subject = RequestSubject { verb: "get", resource: "x".into(), name: "y".into() };
        let server = ServerAddress::parse("https://h:1/prefix").unwrap();
        let minute = Timeout::After(go::Duration::parse("1m30s").unwrap());
        for (path, query, timeout, expected) in [
            ("/apis/a%20b", &[][..], Timeout::Safety, "https://h:1/prefix/apis/a%20b"),
            (
                "/x",
                &[("dryRun", "All")][..],
                minute,
                "https://h:1/prefix/x?dryRun=All&timeout=1m30s",
            ),
            (
                "/x",
                &[("labelSelector", "a in (b)")][..],
                Timeout::Never,
                "https://h:1/prefix/x?labelSelector=a+in+%28b%29",
            ),
        ] {
            let target = server.target(&request(path, query, &subject), timeout);
            assert_eq!(server.display_url(&target), expected);
            assert_eq!(server.uri(&target).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_host_of_a_request_is_the_host_that_was_written() {
        for (server, host) in [
            ("https://127.1", "127.1"),
            ("https://H.example:443", "H.example:443"),
            ("https://[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1"),
            ("https://[fe80::1%eth0]:1", "[fe80::1]:1"),
            ("https://é.example:1", "xn--9ca.example:1"),
        ] {
            let address = ServerAddress::parse(server).unwrap();
            let uri = address.uri(&address.path("/version", None)).unwrap();
            assert_eq!(uri.authority().unwrap().as_str(), host);
            assert_eq!(address.display_url("/version"), format!("{server}/version"));
        }
    }

    /// Any text gives an error, or a request to a host that is part of the text.
    #[test]
    fn the_host_of_every_request_is_part_of_the_text() {
        let mut random = fastrand::Rng::with_seed(4);
        let pieces = [
            "http://",
            "https://",
            ":",
            "/",
            "\\",
            "@",
            "%41",
            "%zz",
            "[::1]",
            "127.1",
            "h",
            "?",
            "#",
            " ",
            "0x7f",
            "..",
            "1",
            "é",
            "<",
            "[::ffff:1.2.3.4]",
            "%25e",
        ];
        for _ in 0..20_000 {
            let count = random.usize(0..8);
            let text: String = (0..count).map(|_| pieces[random.usize(0..pieces.len())]).collect();
            let Some(server) = kubeconfig::server_of(&text) else { continue };
            let Ok(address) = ServerAddress::parse(&server) else { continue };
            let uri = address.uri(&address.path("/version", None)).unwrap();
            let host = uri.authority().unwrap().as_str();
            assert!(text.contains(host) || !text.is_ascii() || text.contains('%'), "{text}: {uri}");
            assert!(uri.path().ends_with("/version"), "{text}: {uri}");
        }
    }

    #[test]
    fn an_impossible_host_or_port_is_an_error_of_go() {
        for (server, problem) in [
            ("https://h:70000", "dial tcp: address 70000: invalid port"),
            ("https://a<b:1", "dial tcp: lookup a<b: no such host"),
        ] {
            assert_eq!(ServerAddress::parse(server).unwrap_err().text, problem);
        }
    }
}
