//! The choice of a proxy, by the rules of Go's `net/http` and `golang.org/x/net/http/httpproxy`.
//! The HTTP library has other rules: it uses a proxy also for loopback addresses, and ignores
//! ports.

use std::net::IpAddr;

use reqwest::Url;

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

    /// The proxy for a server, with a scheme; `None` for a direct connection.
    pub fn for_server(&self, server: &Url) -> Option<String> {
        let proxy = match server.scheme() {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        let host = server.host_str()?.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
        let port = server.port_or_known_default()?;
        if is_loopback(&host) || self.is_excepted(&host, port) {
            return None;
        }
        Some(match proxy.contains("://") {
            true => proxy.clone(),
            false => format!("http://{proxy}"),
        })
    }

    fn is_excepted(&self, host: &str, port: u16) -> bool {
        let entries = self.no.split(',').map(|entry| entry.trim().to_lowercase());
        entries.filter(|entry| !entry.is_empty()).any(|entry| is_match(&entry, host, port))
    }
}

/// True for this machine. Go never uses a proxy of the environment for it, whatever `NO_PROXY`
/// says.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_match(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
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
        return address == Some(wanted);
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
        variables.for_server(&Url::parse(server).unwrap())
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_proxy() {
        assert_eq!(proxy("", "https://k8s.example"), Some("http://secure.example:3128".into()));
        assert_eq!(proxy("", "http://k8s.example"), Some("http://plain.example:3128".into()));
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
