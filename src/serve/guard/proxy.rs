//! A proxy in front that knows who asks: which addresses are its, and what it says.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, StatusCode};

use super::super::problem::Problem;
use super::{is_showable, unauthorized};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A user's name has at most so many characters.
const LONGEST_NAME: usize = 128;

/// The proxy's addresses, and the header in which it says who asks, if it does.
#[derive(Debug)]
pub(super) struct TrustedProxy {
    header: Option<HeaderName>,
    networks: Vec<Network>,
}

/// Addresses with a common beginning (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl TrustedProxy {
    /// From the flags.
    ///
    /// # Errors
    /// What is no header's name, or no network.
    pub(super) fn new(header: Option<&str>, networks: &[String]) -> Result<Self> {
        let name = |header: &str| {
            header.parse().with_context(|| {
                format!("--auth-proxy-header={header} is not a header's name, as X-Forwarded-User")
            })
        };
        let header = header.map(name).transpose()?;
        let networks = networks.iter().map(|text| Network::parse(text)).collect::<Result<_>>()?;
        Ok(Self { header, networks })
    }

    /// Whether an address is a proxy's.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Who asks, as the proxy says; none when it says nothing.
    ///
    /// # Errors
    /// 403 when somebody else says it, 401 when it is no name.
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
                "The header {header} is taken from the proxy alone; {peer} is not one of \
                 --trusted-proxy."
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, "UntrustedProxy", detail));
        }
        // Two are one that the client has sent and one of the proxy's.
        let name = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
        let name = name
            .filter(|name| (1..=LONGEST_NAME).contains(&name.chars().count()) && is_showable(name));
        match name.filter(|_| more.is_none()) {
            Some(name) => Ok(Some(name.to_owned())),
            None => Err(unauthorized("The proxy does not say in one header who asks.")),
        }
    }

    /// Whether it says who asks.
    pub(super) fn names_users(&self) -> bool {
        self.header.is_some()
    }

    /// The client's address: the last one in `X-Forwarded-For` that is not a proxy's. What stands
    /// before it is the client's own word. Where all are proxies' (clients can be in their network
    /// too), it is the one that the nearest proxy was asked by.
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

/// An element of `X-Forwarded-For`; some proxies put the client's port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse();
    address.or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok()
}

impl Network {
    fn parse(text: &str) -> Result<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let parsed = address.parse::<IpAddr>().ok().and_then(|address| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let prefix = match prefix {
                Some(prefix) => {
                    let is_plain = prefix.bytes().all(|byte| byte.is_ascii_digit());
                    prefix.parse().ok().filter(|prefix| is_plain && *prefix <= longest)?
                }
                None => longest,
            };
            Some(Self { address, prefix })
        });
        match parsed {
            Some(network) if network.contains(network.address) => Ok(network),
            _ => bail!("--trusted-proxy={text} is not a network, as 10.0.0.0/8 or fd00::/8"),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = u32::from(network) ^ u32::from(address);
                differing.checked_shr(32 - u32::from(self.prefix)).unwrap_or_default() == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = u128::from(network) ^ u128::from(address);
                differing.checked_shr(128 - u32::from(self.prefix)).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
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
    fn networks_are_told_apart_to_the_bit() {
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
    fn what_is_no_network_or_no_header_is_refused_at_the_start() {
        for text in
            ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0/8", "::/129", "proxy", "*"]
        {
            assert!(TrustedProxy::new(Some("X-User"), &[text.to_owned()]).is_err(), "{text}");
        }
        assert!(TrustedProxy::new(Some("X User"), &["10.0.0.0/8".to_owned()]).is_err());
    }

    #[test]
    fn only_the_proxy_is_believed_and_only_one_name() {
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
    fn a_name_that_would_look_like_another_is_none() {
        let proxy = proxy(&["10.0.0.0/8"]);
        for name in ["alice\u{202e}", "al\tice", "\u{85}alice\u{9b}31m", "\u{2066}root"] {
            let value = HeaderValue::from_bytes(name.as_bytes()).unwrap();
            let sent = HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-user"), value)]);
            let problem = proxy.user(&sent, ip("10.0.0.1")).unwrap_err();
            assert_eq!(problem.status(), StatusCode::UNAUTHORIZED, "{name:?}");
        }
    }

    #[test]
    fn the_clients_address_is_the_last_that_is_no_proxys() {
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
