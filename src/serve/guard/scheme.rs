//! The scheme that the browser uses: a proxy in front of the server may terminate TLS.

use axum::http::HeaderMap;
use axum::http::header::HeaderName;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The scheme of the page's address in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
    /// A trusted proxy has relayed the request, and does not name the scheme.
    Unknown,
}

impl Scheme {
    /// The scheme of a request. `X-Forwarded-Proto` is used only if a trusted proxy has sent it.
    pub(super) fn of(headers: &HeaderMap, is_tls: bool, is_from_trusted_proxy: bool) -> Self {
        match (is_tls, is_from_trusted_proxy) {
            (true, _) => Self::Https,
            (false, false) => Self::Http,
            (false, true) => Self::forwarded(headers),
        }
    }

    /// The scheme in `X-Forwarded-Proto`. In a list, the first one is the browser's. A client that
    /// forges it harms only itself: its browser does not store the cookie.
    fn forwarded(headers: &HeaderMap) -> Self {
        let schemes = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok());
        let first = schemes.unwrap_or_default().split(',').next().unwrap_or_default().trim();
        match first {
            scheme if scheme.eq_ignore_ascii_case("https") => Self::Https,
            scheme if scheme.eq_ignore_ascii_case("http") => Self::Http,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_scheme() {
        for (sent, is_tls, is_trusted, expected) in [
            (None, false, false, Scheme::Http),
            (None, true, false, Scheme::Https),
            (None, false, true, Scheme::Unknown),
            (Some("https"), false, false, Scheme::Http),
            (Some("https"), false, true, Scheme::Https),
            (Some("HTTPS, http"), false, true, Scheme::Https),
            (Some("http"), false, true, Scheme::Http),
            (Some("http"), true, true, Scheme::Https),
            (Some("ws"), false, true, Scheme::Unknown),
            (Some(""), false, true, Scheme::Unknown),
        ] {
            let sent = sent.map(|value| (FORWARDED_PROTO, HeaderValue::from_static(value)));
            let headers = HeaderMap::from_iter(sent);
            assert_eq!(Scheme::of(&headers, is_tls, is_trusted), expected, "{headers:?} {is_tls}");
        }
    }
}
