//! The allowed values of the Host header. A page of an attacker whose name resolves to this server
//! (DNS rebinding) sends the attacker's name.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::{Result, bail};
use axum::http::StatusCode;

use super::super::problem::Problem;

/// The allowed host names. IP addresses are always allowed: they cannot be rebound.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// Lower-case names. A name with a port is allowed with that port only.
    allowed: Vec<String>,
}

impl Hosts {
    /// Allows `localhost` and these names.
    ///
    /// # Errors
    /// One of them is not a host name.
    pub(super) fn new(allowed: &[String]) -> Result<Self> {
        for host in allowed {
            match split(host) {
                Some((name, _)) if is_name(name) => {}
                _ => bail!(
                    "--allowed-host={host} is not a host name, such as workers.example.com or \
                     workers.example.com:8443"
                ),
            }
        }
        Ok(Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect() })
    }

    /// Checks the host of a request.
    ///
    /// # Errors
    /// 421 if the host is not allowed.
    pub(super) fn check(&self, host: &str) -> Result<(), Problem> {
        if self.allows(&host.to_ascii_lowercase()) {
            return Ok(());
        }
        let host: String = host.chars().take(100).collect();
        let flag = match split(&host) {
            Some((name, _)) if is_name(name) => format!("--allowed-host={name}"),
            _ => "--allowed-host=NAME".to_owned(),
        };
        let detail = format!(
            "The host name {host:?} is not allowed. Start locustctl serve with {flag}. Repeat the flag \
             for each name under which users reach the server."
        );
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "Misdirected", detail))
    }

    fn allows(&self, host: &str) -> bool {
        let Some((name, _)) = split(host) else { return false };
        let name = name.strip_suffix('.').unwrap_or(name);
        name == "localhost"
            || is_address(name)
            || self.allowed.iter().any(|allowed| allowed == name || allowed == host)
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    !name.is_empty() && name.chars().all(is_allowed)
}

/// Splits a host into its name and port.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let end = host.rfind(']').map_or(0, |end| end + 1);
    match host[end..].rfind(':') {
        Some(colon) => {
            let (name, port) = host.split_at(end + colon);
            Some((name, Some(port[1..].parse().ok()?)))
        }
        None => Some((host, None)),
    }
}

/// True for a host name other than `localhost`, with or without a port.
pub(super) fn is_host_name(host: &str) -> bool {
    split(&host.to_ascii_lowercase()).is_some_and(|(name, _)| {
        let name = name.strip_suffix('.').unwrap_or(name);
        !name.is_empty()
            && name != "localhost"
            && !name.ends_with(".localhost")
            && !is_address(name)
    })
}

fn is_address(name: &str) -> bool {
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_names_and_ip_addresses_pass() {
        let names = ["Workers.example.com".to_owned(), "other.example.com:8443".to_owned()];
        let hosts = Hosts::new(&names).unwrap();
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:8088", true),
            ("localhost.", true),
            ("127.0.0.1:8088", true),
            ("10.1.2.3", true),
            ("[::1]:8088", true),
            ("[2001:db8::1]", true),
            ("workers.example.com", true),
            ("workers.example.com:9", true),
            ("workers.example.com.:9", true),
            ("other.example.com:8443", true),
            ("other.example.com", false),
            ("evil.example.com", false),
            ("localhost.evil.example.com", false),
            ("127.0.0.1.evil.example.com", false),
            ("evil.example.com:8088@localhost", false),
            ("user@localhost", false),
            ("localhost:x", false),
            ("[::1", false),
            ("::1", false),
            ("2130706433", false),
            ("0x7f.1", false),
            ("", false),
        ] {
            assert_eq!(hosts.check(host).is_ok(), expected, "{host}");
        }
    }

    #[test]
    fn addresses_and_localhost_are_no_host_names() {
        for (host, expected) in [
            ("workers.example.com:8443", true),
            ("localhosts", true),
            ("localhost:8088", false),
            ("LOCALHOST.", false),
            ("a.localhost", false),
            ("127.0.0.1:8088", false),
            ("[::1]:8088", false),
            ("", false),
        ] {
            assert_eq!(is_host_name(host), expected, "{host}");
        }
    }

    #[test]
    fn invalid_host_names_are_refused_at_the_start() {
        for name in ["", "*", "https://x.example.com", "a b", "x:99999", "x/y", "ü.example.com"] {
            assert!(Hosts::new(&[name.to_owned()]).is_err(), "{name}");
        }
    }
}
