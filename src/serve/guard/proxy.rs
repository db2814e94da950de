//! Trusted proxies: their networks, the user that they name, and the client's address.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, StatusCode};
use ipnet::IpNet;

use super::super::problem::Problem;
use super::request::unauthorized;
use super::user_name::is_showable;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Longest name of a user, in characters.
const MAX_NAME: usize = 128;

/// The networks of the trusted proxies, and the header in which they name the user, if any.
#[derive(Debug)]
pub(super) struct TrustedProxy {
    header: Option<HeaderName>,
    networks: Vec<IpNet>,
}

impl TrustedProxy {
    /// Reads the values of `--auth-proxy-header` and `--trusted-proxy`.
    ///
    /// # Errors
    /// The header name or a network is invalid.
    pub(super) fn new(header: Option<&str>, networks: &[String]) -> Result<Self> {
        let name = |header: &str| {
            header.parse().with_context(|| {
                format!(
                    "--auth-proxy-header={header} is not a header name, such as X-Forwarded-User"
                )
            })
        };
        let header = header.map(name).transpose()?;
        let networks = networks.iter().map(|text| parse_network(text)).collect::<Result<_>>()?;
        Ok(Self { header, networks })
    }

    /// True if the address is one of a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The user that the proxy names; `None` if the header is missing.
    ///
    /// # Errors
    /// 403 if a client that is not a trusted proxy sends the header, 401 if the name is invalid.
    pub(super) fn user(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Option<String>, Problem> {
        let Some(header) = &self.header else { return Ok(None) };
        let mut values = headers.get_all(header).iter();
        let (Some(value), more) = (values.next(), values.next()) else { return Ok(None) };
        if !self.trusts(peer) {
            let detail = format!(
                "The header {header} is accepted only from a trusted proxy; {peer} is not in \
                 --trusted-proxy."
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, "UntrustedProxy", detail));
        }
        // If there are two headers, the client has sent one of them.
        let name = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
        let name =
            name.filter(|name| (1..=MAX_NAME).contains(&name.chars().count()) && is_showable(name));
        match name.filter(|_| more.is_none()) {
            Some(name) => Ok(Some(name.to_owned())),
            None => Err(unauthorized(
                "The proxy must name the user in exactly one header, with a valid name.",
            )),
        }
    }

    /// True if the proxy names the user.
    pub(super) fn names_users(&self) -> bool {
        self.header.is_some()
    }

    /// The client's address: the last one in `X-Forwarded-For` that is not a trusted proxy. The client
    /// can forge the addresses before it. If all are trusted proxies, because clients are in the same
    /// network, it is the last address in the header.
    pub(super) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let texts = values.iter().rev().filter_map(|value| value.to_str().ok());
        let mut nearest = None;
        for address in texts.flat_map(|text| text.rsplit(',')).map(address) {
            match address {
                Some(address) if self.trusts(address) => {
                    nearest.get_or_insert(address.to_canonical());
                }
                Some(address) => return address.to_canonical(),
                None => break,
            }
        }
        nearest.unwrap_or(peer)
    }
}

/// Reads an element of `X-Forwarded-For`. Some proxies append the client's port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse();
    address.or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok()
}

/// Reads one value of `--trusted-proxy`: a network in CIDR notation (RFC 4632), or one address.
fn parse_network(text: &str) -> Result<IpNet> {
    let (address, has_prefix) = match text.split_once('/') {
        Some((address, _)) => (address, true),
        None => (text, false),
    };
    // The standard library reads the address, because ipnet accepts leading zeros. Peers are
    // compared in their canonical form, so an IPv4-mapped network would never match.
    let address =
        address.parse().ok().filter(|address: &IpAddr| address.to_canonical() == *address);
    let network = match has_prefix {
        true => address.and_then(|_| text.parse().ok()),
        false => address.map(IpNet::from),
    };
    network.with_context(|| {
        format!("--trusted-proxy={text} is not a network, such as 10.0.0.0/8 or fd00::/8")
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxy(networks: &[&str]) -> TrustedProxy {
        let networks: Vec<_> = networks.iter().map(|network| (*network).to_owned()).collect();
        TrustedProxy::new(Some("X-Forwarded-User"), &networks).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(sent: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn networks_match_by_their_prefix() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.128/25", "10.1.2.127", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("::/0", "2001:db8::1", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ] {
            assert_eq!(proxy(&[network]).trusts(ip(address)), expected, "{network} {address}");
        }
    }

    #[test]
    fn invalid_networks_and_headers_are_refused_at_the_start() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0/8",
            "::/129",
            "::ffff:10.0.0.1",
            "010.0.0.0/8",
            "proxy",
            "*",
        ] {
            assert!(TrustedProxy::new(Some("X-User"), &[text.to_owned()]).is_err(), "{text}");
        }
        assert!(TrustedProxy::new(Some("X User"), &["10.0.0.0/8".to_owned()]).is_err());
    }

    #[test]
    fn only_a_trusted_proxy_may_name_exactly_one_user() {
        let proxy = proxy(&["10.0.0.0/8"]);
        let user = |sent: &[(&'static str, &'static str)], peer: &str| {
            proxy.user(&headers(sent), ip(peer)).map_err(|problem| problem.status().as_u16())
        };
        let alice = ("x-forwarded-user", "alice");
        assert_eq!(user(&[alice], "10.0.0.1"), Ok(Some("alice".to_owned())));
        assert_eq!(user(&[alice], "127.0.0.1"), Err(403));
        assert_eq!(user(&[], "10.0.0.1"), Ok(None));
        assert_eq!(user(&[alice, ("x-forwarded-user", "root")], "10.0.0.1"), Err(401));
        assert_eq!(user(&[("x-forwarded-user", " ")], "10.0.0.1"), Err(401));
        let long: &'static str = "x".repeat(129).leak();
        assert_eq!(user(&[("x-forwarded-user", long)], "10.0.0.1"), Err(401));
        let longest: &'static str = "ü".repeat(128).leak();
        let name = HeaderValue::from_bytes(longest.as_bytes()).unwrap();
        let sent = HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-user"), name)]);
        assert_eq!(proxy.user(&sent, ip("10.0.0.1")).unwrap().as_deref(), Some(longest));
    }

    #[test]
    fn a_name_that_could_look_like_another_is_refused() {
        let proxy = proxy(&["10.0.0.0/8"]);
        for name in [
            "alice\u{202e}",
            "al\tice",
            "\u{85}alice\u{9b}31m",
            "\u{2066}root",
            "ali\u{200b}ce",
            "alice\u{e0041}",
        ] {
            let value = HeaderValue::from_bytes(name.as_bytes()).unwrap();
            let sent = HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-user"), value)]);
            let problem = proxy.user(&sent, ip("10.0.0.1")).unwrap_err();
            assert_eq!(problem.status(), StatusCode::UNAUTHORIZED, "{name:?}");
        }
    }

    #[test]
    fn the_clients_address_is_the_last_that_is_not_a_trusted_proxy() {
        let proxy = proxy(&["10.0.0.0/8"]);
        for (sent, peer, expected) in [
            (vec!["203.0.113.9"], "10.0.0.1", "203.0.113.9"),
            (vec!["1.2.3.4, 203.0.113.9, 10.0.0.7"], "10.0.0.1", "203.0.113.9"),
            (vec!["1.2.3.4", "203.0.113.9"], "10.0.0.1", "203.0.113.9"),
            (vec!["203.0.113.9"], "192.0.2.1", "192.0.2.1"),
            (vec!["1.2.3.4, nonsense"], "10.0.0.1", "10.0.0.1"),
            (vec!["1.2.3.4, 203.0.113.9:4711"], "10.0.0.1", "203.0.113.9"),
            (vec!["[2001:db8::1]:4711"], "10.0.0.1", "2001:db8::1"),
            (vec!["[2001:db8::1]"], "10.0.0.1", "2001:db8::1"),
            (vec!["10.1.1.1"], "10.0.0.1", "10.1.1.1"),
            (vec!["10.9.9.9, 10.1.1.1"], "10.0.0.1", "10.1.1.1"),
            (vec![], "10.0.0.1", "10.0.0.1"),
        ] {
            let sent: Vec<_> = sent.iter().map(|value| ("x-forwarded-for", *value)).collect();
            assert_eq!(proxy.client(&headers(&sent), ip(peer)), ip(expected), "{sent:?}");
        }
    }
}
