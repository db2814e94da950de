//! The address of Locust's master.

use std::fmt;

use reqwest::Url;

use crate::cluster::api::{escape_segment, has_no_dot_segments, plain};
use crate::text::go::url::mask_login;

/// The default port of Locust's web UI.
pub(super) const WEB_PORT: u16 = 8089;

/// The address of Locust's master, as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The usual Services. It is no error if none of them exists.
    Auto,
    /// Locust is not used.
    None,
    /// The URL of the web UI with its base path; ends with a slash.
    Url(Url),
    /// A Service or a pod of the target's namespace, through the API server's proxy.
    Proxied(Proxied),
}

/// The Service or the pod of Locust's master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxied {
    pub kind: ProxiedKind,
    pub name: String,
    /// Number of the port, or the name of a Service's port.
    pub port: String,
    /// Locust speaks TLS at this port.
    pub is_tls: bool,
    /// Locust's base path; begins and ends with a slash.
    pub base_path: String,
}

/// The types of objects that the API server proxies requests to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxiedKind {
    Service,
    Pod,
}

impl ProxiedKind {
    /// The resource in paths: `services`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Pod => "pods",
        }
    }

    /// The name of one object in messages: `service`.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Pod => "pod",
        }
    }

    /// The subresource that needs a right: `services/proxy`.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Service => "services/proxy",
            Self::Pod => "pods/proxy",
        }
    }
}

impl Proxied {
    /// The path of the API server's proxy for this object. It ends with a slash, and does not have
    /// [`Self::base_path`].
    pub fn proxy_path(&self, namespace: &str) -> String {
        let scheme = if self.is_tls { "https:" } else { "" };
        let (name, port) = (escape_segment(&self.name), escape_segment(&self.port));
        let namespace = escape_segment(namespace);
        let kind = self.kind.plural();
        format!("/api/v1/namespaces/{namespace}/{kind}/{scheme}{name}:{port}/proxy/")
    }
}

/// The text is not an address of Locust's master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an address of Locust's master: give a URL such as http://locust:8089, \
     service/NAME[:PORT][/PATH], pod/NAME[:PORT][/PATH], auto, or none"
)]
pub struct InvalidAddress {
    text: String,
}

impl Address {
    /// Reads `auto`, `none`, a URL, or `service/[https:]NAME[:PORT][/BASE-PATH]`.
    ///
    /// # Errors
    /// The text has another form, or it is a URL with a user name or a password. Other users could
    /// see these in the process list.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress { text: mask_login(text) };
        match text {
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::None),
            _ => {}
        }
        if let Some((kind, object)) =
            PREFIXES.iter().find_map(|(prefix, kind)| Some((*kind, text.strip_prefix(prefix)?)))
        {
            return Proxied::parse(kind, object).map(Self::Proxied).ok_or_else(invalid);
        }
        let mut url = plain::url(text).map_err(|_| invalid())?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
            return Err(invalid());
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self::Url(url))
    }

    /// The address is an `https` URL.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Url(url) if url.scheme() == "https")
    }
}

/// The beginnings of addresses of objects, as kubectl spells their types.
const PREFIXES: [(&str, ProxiedKind); 6] = [
    ("service/", ProxiedKind::Service),
    ("services/", ProxiedKind::Service),
    ("svc/", ProxiedKind::Service),
    ("pod/", ProxiedKind::Pod),
    ("pods/", ProxiedKind::Pod),
    ("po/", ProxiedKind::Pod),
];

/// The address as the user can type it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
            Self::Url(url) => write!(f, "{url}"),
            Self::Proxied(Proxied { kind, name, port, is_tls, base_path }) => {
                let scheme = if *is_tls { "https:" } else { "" };
                let base = base_path.trim_end_matches('/');
                write!(f, "{}/{scheme}{name}:{port}{base}", kind.singular())
            }
        }
    }
}

impl Proxied {
    /// A Service with the usual port.
    pub fn of_service(name: &str) -> Self {
        let (name, port, base_path) = (name.to_owned(), WEB_PORT.to_string(), "/".to_owned());
        Self { kind: ProxiedKind::Service, name, port, is_tls: false, base_path }
    }

    fn parse(kind: ProxiedKind, text: &str) -> Option<Self> {
        let (text, base) = text.split_once('/').unwrap_or((text, ""));
        let (text, is_tls) = match text.strip_prefix("https:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let usual = WEB_PORT.to_string();
        let (name, port) = text.split_once(':').unwrap_or((text, &usual));
        let is_word = |text: &str, more: &[u8]| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
            !text.is_empty() && text.bytes().all(is_plain)
        };
        let base = base.trim_end_matches('/');
        let is_base = base.is_empty() || (is_word(base, b"-._~/") && has_no_dot_segments(base));
        // The API server knows the ports of a pod only by their numbers.
        let is_port = match kind {
            ProxiedKind::Service => is_word(port, b"-."),
            ProxiedKind::Pod => port.parse::<u16>().is_ok_and(|port| port > 0),
        };
        if !is_word(name, b"-.") || !is_port || !is_base {
            return None;
        }
        let base_path = if base.is_empty() { "/".to_owned() } else { format!("/{base}/") };
        Some(Self { kind, name: name.to_owned(), port: port.to_owned(), is_tls, base_path })
    }
}

/// The Services that the master of these workers may have, the most likely one first. The names are
/// those of tutorials, of the Helm chart and of the operator.
pub fn candidates(workers: &str) -> Vec<Proxied> {
    let base = ["-slave", "-worker", "-slaves", "-workers"]
        .iter()
        .find_map(|suffix| workers.strip_suffix(suffix))
        .filter(|base| !base.is_empty());
    let mut names: Vec<String> = Vec::new();
    if let Some(base) = base {
        names.extend([format!("{base}-master"), base.to_owned(), format!("{base}-webui")]);
    }
    names.push("locust-master".to_owned());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.iter().map(|name| Proxied::of_service(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let at = |name: &str, port: &str, is_tls: bool, base_path: &str| {
            let (name, port, base_path) = (name.to_owned(), port.to_owned(), base_path.to_owned());
            let kind = ProxiedKind::Service;
            Ok(Address::Proxied(Proxied { kind, name, port, is_tls, base_path }))
        };
        let pod = |text: &str, port: &str| {
            let (name, port, base_path) = (text.to_owned(), port.to_owned(), "/".to_owned());
            let kind = ProxiedKind::Pod;
            Ok(Address::Proxied(Proxied { kind, name, port, is_tls: false, base_path }))
        };
        let service = |name: &str, port: &str| at(name, port, false, "/");
        let url = |text: &str| Ok(Address::Url(text.parse().unwrap()));
        for (text, expected) in [
            ("auto", Ok(Address::Auto)),
            ("none", Ok(Address::None)),
            ("service/locust-master", service("locust-master", "8089")),
            ("svc/locust:web", service("locust", "web")),
            ("services/locust:80", service("locust", "80")),
            ("service/locust/", service("locust", "8089")),
            ("service/locust:web/load/test", at("locust", "web", false, "/load/test/")),
            ("svc/https:locust:443", at("locust", "443", true, "/")),
            ("pod/locust-master-0", pod("locust-master-0", "8089")),
            ("pods/a:3000", pod("a", "3000")),
            ("http://127.0.0.1:8089", url("http://127.0.0.1:8089/")),
            ("https://load.example.com/locust?x=1#y", url("https://load.example.com/locust/")),
        ] {
            assert_eq!(Address::parse(text), expected, "{text}");
        }
        for text in [
            "",
            "locust",
            "service/",
            "service/a:",
            "pod/a:web",
            "pod/a:0",
            "service/a/../b",
            "service/a/?b",
            "service/https:",
            "service/a%2fb:1",
            "ftp://x/",
            "http://",
            "https://me:password@x/",
            "me:password@x",
            "https://me:pass\\word@x:port",
            "http://127.1:8089",
            "http://2130706433",
            "http://loc%61lhost",
            "http://locust\\@x",
            "http://locust/a\\b",
            "http://locust/%zz",
            "http://a<b",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(
                !error.contains("password")
                    && !error.contains("word@")
                    && error.contains("service/NAME"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_services_follow_from_the_name_of_the_workers() {
        let names = |workers: &str| {
            let names = candidates(workers).into_iter().map(|address| address.name);
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("locust-slave"), "locust-master locust locust-webui");
        assert_eq!(
            names("shop-locust-worker"),
            "shop-locust-master shop-locust shop-locust-webui locust-master"
        );
        assert_eq!(names("users"), "locust-master");
        assert_eq!(names("-slave"), "locust-master");
    }
}
