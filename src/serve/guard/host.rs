//! By which names we may be called: a page of somebody else's, whose name leads to our address,
//! sends its own name.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::{Result, bail};
use axum::http::StatusCode;

use super::super::problem::Problem;

/// The names. An address is nobody's name: it always leads to where it says.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// Lower-case, with a port where only that one is meant.
    allowed: Vec<String>,
}

impl Hosts {
    /// `localhost`, and these.
    ///
    /// # Errors
    /// What is no host name.
    pub(super) fn new(allowed: &[String]) -> Result<Self> {
        for host in allowed {
            let is_name = |character: char| {
                character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_')
            };
            match split(host) {
                Some((name, _)) if !name.is_empty() && name.chars().all(is_name) => {}
                _ => bail!(
                    "--allowed-host={host} is not a host name, as workers.example.com or \
                     workers.example.com:8443"
                ),
            }
        }
        Ok(Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect() })
    }

    /// Lets a request to this host pass.
    ///
    /// # Errors
    /// 421 for a name that is not ours.
    pub(super) fn check(&self, host: &str) -> Result<(), Problem> {
        if self.allows(&host.to_ascii_lowercase()) {
            return Ok(());
        }
        let host: String = host.chars().take(100).collect();
        let detail = format!(
            "This server is not known as {host:?}; it is started with --allowed-host for each \
             name under which it is reached."
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

/// Name and port.
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
    fn only_our_own_names_and_addresses_pass() {
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
    fn what_is_no_name_is_refused_at_the_start() {
        for name in ["", "*", "https://x.example.com", "a b", "x:99999", "x/y", "ü.example.com"] {
            assert!(Hosts::new(&[name.to_owned()]).is_err(), "{name}");
        }
    }
}
