//! The proxy on the way to a server: its address, and the choice of it by the rules of Go's
//! `net/http` and `golang.org/x/net/http/httpproxy`.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::http::HeaderValue;
use secrecy::ExposeSecret;

use super::connect::Endpoint;
use crate::text::go::url::{Login, Url, mask_login};
use crate::text::terminal::conceal;

/// A proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub kind: ProxyKind,
    pub endpoint: Endpoint,
    pub login: Option<Login>,
}

/// The protocol between us and a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    Http,
    /// HTTP inside TLS.
    Https,
    Socks5,
}

impl Proxy {
    /// Reads the URL of a proxy. Its password is masked in all later output.
    ///
    /// # Errors
    /// The text is no URL, or the scheme or the port is unknown. The message shows no login.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown = mask_login(text);
        let unusable = |problem: &str| format!("the proxy {shown} cannot be used: {problem}");
        let url = Url::parse(text).map_err(|error| unusable(&error.problem))?;
        let (kind, default_port) = match url.scheme.as_str() {
            "http" => (ProxyKind::Http, 80),
            "https" => (ProxyKind::Https, 443),
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            other => {
                let expected = "must be http, https, or socks5";
                return Err(unusable(&format!("unsupported scheme {other:?}, {expected}")));
            }
        };
        let port = match url.port() {
            "" => default_port,
            port => port.parse().map_err(|_| unusable(&format!("invalid port {port}")))?,
        };
        if url.hostname().is_empty() {
            return Err(unusable("it has no host"));
        }
        if let Some(login) = &url.login {
            conceal(login.password.expose_secret());
        }
        let endpoint = Endpoint { host: url.hostname().to_owned(), port };
        Ok(Self { kind, endpoint, login: url.login })
    }

    /// The `Proxy-Authorization` header, marked sensitive; `None` without a login.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let Login { username, password } = self.login.as_ref()?;
        let pair = BASE64_STANDARD.encode(format!("{username}:{}", password.expose_secret()));
        conceal(&pair);
        let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The proxy variables of the environment. Upper case names come before lower case ones.
#[derive(Debug, Default)]
pub struct ProxyVariables {
    http: Option<String>,
    https: Option<String>,
    no: String,
}

impl ProxyVariables {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
    pub fn from_process() -> Self {
        let read = |name: &str| {
            [name.to_owned(), name.to_lowercase()]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty())
        };
        Self {
            http: read("HTTP_PROXY"),
            https: read("HTTPS_PROXY"),
            no: read("NO_PROXY").unwrap_or_default(),
        }
    }

    /// The URL of the proxy for a server; `None` for a direct connection. Go connects directly
    /// when the variable is no URL.
    pub fn for_server(&self, scheme: &str, host: &str, port: u16) -> Option<String> {
        let proxy = match scheme {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        let host = host.trim_end_matches('.').to_lowercase();
        if is_loopback(&host) || self.is_excepted(&host, port) {
            return None;
        }
        let is_complete =
            Url::parse(proxy).is_ok_and(|url| !url.scheme.is_empty() && !url.host.is_empty());
        let proxy = if is_complete { proxy.clone() } else { format!("http://{proxy}") };
        Url::parse(&proxy).is_ok().then_some(proxy)
    }

    fn is_excepted(&self, host: &str, port: u16) -> bool {
        let entries = self.no.split(',').map(|entry| entry.trim().to_lowercase());
        entries.filter(|entry| !entry.is_empty()).any(|entry| is_match(&entry, host, port))
    }
}

/// True for this machine. Go never uses a proxy of the environment for it, whatever `NO_PROXY`
/// says.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_match(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    if let Some((network, bits)) = entry.split_once('/') {
        return match (network.parse::<IpAddr>(), bits.parse::<u8>(), address) {
            (Ok(network), Ok(bits), Some(address)) => is_within(address, network, bits),
            _ => false,
        };
    }
    let (name, wanted_port) = split_port(entry);
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let Ok(wanted) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address == Some(wanted.to_canonical());
    }
    // `*.example.com` and `.example.com` match only subdomains. `example.com` matches itself too.
    let below = name.strip_prefix('*').unwrap_or(name);
    match below.strip_prefix('.') {
        Some(_) => host.ends_with(below),
        None => host == below || host.strip_suffix(below).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width): (_, _, u32) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(ignored) = width.checked_sub(u32::from(bits)) else { return false };
    let prefix = |address: u128| address.checked_shr(ignored).unwrap_or_default();
    prefix(address) == prefix(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(no: &str, server: &str) -> Option<String> {
        let variables = ProxyVariables {
            http: Some("plain.example:3128".into()),
            https: Some("http://secure.example:3128".into()),
            no: no.into(),
        };
        let url = Url::parse(server).unwrap();
        let default = if url.scheme == "https" { 443 } else { 80 };
        let port = url.port().parse().unwrap_or(default);
        variables.for_server(&url.scheme, url.hostname(), port)
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_proxy() {
        assert_eq!(proxy("", "https://k8s.example"), Some("http://secure.example:3128".into()));
        assert_eq!(proxy("", "http://k8s.example"), Some("http://plain.example:3128".into()));
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_the_ipv4_address() {
        assert_eq!(proxy("", "http://[::ffff:127.0.0.1]:1"), None);
        assert_eq!(proxy("10.0.0.1", "http://[::ffff:10.0.0.1]"), None);
        assert_eq!(proxy("10.0.0.0/8", "http://[::ffff:10.0.0.1]"), None);
        assert!(proxy("10.0.0.0/8", "http://[::ffff:11.0.0.1]").is_some());
    }

    #[test]
    fn a_proxy_is_read_by_the_rules_of_go() {
        for (text, kind, endpoint) in [
            ("http://p", ProxyKind::Http, "p:80"),
            ("https://p", ProxyKind::Https, "p:443"),
            ("socks5://[::1]", ProxyKind::Socks5, "[::1]:1080"),
            ("HTTP://me:pw@127.1:3128/x", ProxyKind::Http, "127.1:3128"),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((proxy.kind, proxy.endpoint.to_string().as_str()), (kind, endpoint));
        }
        for text in
            ["ftp://me:s3cret@p", "http://me:s3cret@", "http://me:s3\\cret@p", "http://p:0x1"]
        {
            let problem = Proxy::parse(text).unwrap_err();
            assert!(!problem.contains("s3") && !problem.contains("cret"), "{problem}");
        }
        let proxy = Proxy::parse("http://me:p%40w@p").unwrap();
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6cEB3");
    }

    #[test]
    fn a_variable_that_is_no_url_means_no_proxy() {
        for (variable, expected) in [
            ("p", Some("http://p")),
            ("p.example:3128", Some("http://p.example:3128")),
            ("socks5://p", Some("socks5://p")),
            // Go takes `http` for the host.
            ("http://p\\", Some("http://http://p\\")),
            ("p\\", None),
            ("p q", None),
        ] {
            let variables =
                ProxyVariables { https: Some(variable.to_owned()), ..ProxyVariables::default() };
            assert_eq!(variables.for_server("https", "h", 443).as_deref(), expected);
        }
    }

    #[test]
    fn loopback_addresses_use_no_proxy() {
        for server in
            ["https://localhost:1", "https://127.0.0.1", "https://127.8.9.1", "https://[::1]:6443"]
        {
            assert_eq!(proxy("", server), None, "{server}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_by_go() {
        for (no, server, is_direct) in [
            ("*", "https://k8s.example", true),
            ("k8s.example", "https://k8s.example", true),
            ("k8s.example", "https://a.k8s.example", true),
            ("k8s.example", "https://xk8s.example", false),
            (".k8s.example", "https://a.k8s.example", true),
            (".k8s.example", "https://k8s.example", false),
            ("*.k8s.example", "https://a.k8s.example", true),
            ("K8S.EXAMPLE", "https://k8s.example.", true),
            ("k8s.example:6443", "https://k8s.example:6443", true),
            ("k8s.example:6443", "https://k8s.example", false),
            ("k8s.example:443", "https://k8s.example", true),
            ("10.0.0.0/8", "https://10.1.2.3:6443", true),
            ("10.0.0.0/8", "https://11.1.2.3:6443", false),
            ("10.0.0.0/33", "https://10.1.2.3", false),
            ("0.0.0.0/0", "https://10.1.2.3", true),
            ("fd00::/8", "https://[fd00::1]:6443", true),
            ("fd00::1", "https://[fd00::1]:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3:1", "https://10.1.2.3:2", false),
            ("a, ,k8s.example", "https://k8s.example", true),
            ("", "https://k8s.example", false),
            ("nonsense/x,:,.", "https://k8s.example", false),
        ] {
            assert_eq!(proxy(no, server).is_none(), is_direct, "{no} {server}");
        }
    }
}
