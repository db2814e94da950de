//! Where Locust's master is.

use reqwest::Url;

/// Of Locust's web UI.
const PORT: &str = "8089";

/// Where Locust's master is, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Where it usually is; that it is not there is no error.
    Auto,
    /// It is not asked.
    None,
    /// Its web UI, base path included; ends with a slash.
    Url(Url),
    /// A Service of the namespace, through the API server's proxy.
    Service {
        /// Its name.
        name: String,
        /// By number or by name.
        port: String,
    },
}

/// What is no address of Locust's master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not where Locust's master can be: give its URL, as http://locust:8089, or \
     service/NAME[:PORT], or auto, or none"
)]
pub struct InvalidAddress {
    text: String,
}

impl Address {
    /// Reads `auto`, `none`, a URL, or `service/NAME[:PORT]`.
    ///
    /// # Errors
    /// Anything else; a URL with a name or a password in it, since other users could see it in the
    /// process list.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress { text: without_login(text) };
        match text {
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let service =
            ["service/", "services/", "svc/"].iter().find_map(|kind| text.strip_prefix(kind));
        if let Some(service) = service {
            let (name, port) = service.split_once(':').unwrap_or((service, PORT));
            let is_name = |text: &str| {
                let is_plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
                !text.is_empty() && text.bytes().all(is_plain)
            };
            return match is_name(name) && is_name(port) {
                true => Ok(Self::Service { name: name.to_owned(), port: port.to_owned() }),
                false => Err(invalid()),
            };
        }
        let mut url = Url::parse(text).map_err(|_| invalid())?;
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
}

fn without_login(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://<masked>{}", &text[..scheme], &text[at..])
        }
        _ => text.to_owned(),
    }
}

/// The Services at which the master of these workers may be, the likeliest first: by the names of
/// tutorials, of the Helm chart and of the operator.
pub fn candidates(workers: &str) -> Vec<Address> {
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
    let service = |name: String| Address::Service { name, port: PORT.to_owned() };
    names.into_iter().map(service).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let service = |name: &str, port: &str| {
            Ok(Address::Service { name: name.to_owned(), port: port.to_owned() })
        };
        let url = |text: &str| Ok(Address::Url(text.parse().unwrap()));
        for (text, expected) in [
            ("auto", Ok(Address::Auto)),
            ("none", Ok(Address::None)),
            ("service/locust-master", service("locust-master", "8089")),
            ("svc/locust:web", service("locust", "web")),
            ("services/locust:80", service("locust", "80")),
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
            "service/a/b",
            "service/a%2fb:1",
            "ftp://x/",
            "http://",
            "https://me:password@x/",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("password@") && error.contains("service/NAME"), "{error}");
        }
    }

    #[test]
    fn the_master_is_looked_for_by_the_workers_name() {
        let names = |workers: &str| {
            let names = candidates(workers).into_iter().map(|address| match address {
                Address::Service { name, .. } => name,
                other => panic!("{other:?}"),
            });
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
