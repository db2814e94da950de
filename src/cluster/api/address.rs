//! The URL of a request.

use reqwest::Url;

use super::exchange::{Request, Timeout};

/// The URL of a request. The path of the server's own address comes first, the parameter `timeout`
/// last.
pub fn address(server: &Url, request: &Request<'_>, timeout: Timeout) -> Url {
    let mut url = server.clone();
    let prefix = server.path().trim_end_matches('/');
    url.set_path(&format!("{prefix}{}", request.path));
    let timeout = timeout.parameter();
    let parameters =
        request.query.iter().copied().chain(timeout.as_deref().map(|t| ("timeout", t)));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let query = query.finish();
    url.set_query((!query.is_empty()).then_some(&query));
    url
}

/// `host:port` of the server's address; only `host` when the address has no port.
pub fn authority(server: &Url) -> String {
    let host = server.host_str().unwrap_or_default();
    server.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::cluster::api::About;
    use crate::text::go;

    fn request<'a>(
        path: &'a str,
        query: &'a [(&'a str, &'a str)],
        about: &'a About,
    ) -> Request<'a> {
        Request { method: Method::GET, path, query, content: None, accept: None, about }
    }

    #[test]
    fn the_servers_path_stays_in_front_and_the_timeout_comes_last() {
        let about = About { verb: "get", resource: "x".into(), name: "y".into() };
        let server = Url::parse("https://h:1/prefix/").unwrap();
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
            assert_eq!(address(&server, &request(path, query, &about), timeout).as_str(), expected);
        }
    }
}
