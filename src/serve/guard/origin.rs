//! Checks that a change comes from the server's own page, by Fetch Metadata or else by the Origin
//! header (RFC 6454).

use axum::http::header::{HeaderName, ORIGIN, REFERER, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};

use super::super::caller::Proof;
use super::super::problem::Problem;
use super::scheme::Scheme;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a change pass that the server's own page has sent, or that does not come from a browser.
///
/// If the scheme is not known, both are accepted.
///
/// # Errors
/// 403 if another page has sent the request, or may have.
pub(super) fn check(
    headers: &HeaderMap,
    host: &str,
    scheme: Scheme,
    proof: Proof,
) -> Result<(), Problem> {
    let mut sites = headers.get_all(SITE).iter();
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_ours = match (sites.next(), sites.next(), origins.next(), origins.next()) {
        (Some(site), None, ..) => site == "same-origin",
        (None, _, Some(origin), None) => {
            origin.to_str().is_ok_and(|origin| is_own(origin, host, scheme))
        }
        // Not a browser, so another page cannot have sent it with a victim's cookies.
        (None, _, None, _) => proof != Proof::Session,
        _ => false,
    };
    if is_ours { Ok(()) } else { Err(cross_site()) }
}

/// The same as [`check`] for a GET. Browsers send no `Origin` header with a GET. Without Fetch Metadata,
/// as on a page without TLS, the Referer must be the server's own page. Another site can suppress the
/// Referer (`Referrer-Policy`), so a browser's request without it is refused.
///
/// # Errors
/// 403 if another page has sent the request, or may have.
pub(super) fn check_navigation(
    headers: &HeaderMap,
    host: &str,
    scheme: Scheme,
    proof: Proof,
) -> Result<(), Problem> {
    if headers.contains_key(SITE) || headers.contains_key(ORIGIN) {
        return check(headers, host, scheme, proof);
    }
    let is_ours = match headers.get(REFERER) {
        Some(referer) => {
            referer.to_str().is_ok_and(|referer| is_own(origin_of(referer), host, scheme))
        }
        None => proof != Proof::Session && !is_browser(headers),
    };
    if is_ours { Ok(()) } else { Err(cross_site()) }
}

fn cross_site() -> Problem {
    let detail = "The request comes from another site. A change must come from this server's own page, \
                  or carry a token (Authorization: Bearer).";
    Problem::new(StatusCode::FORBIDDEN, "CrossSite", detail)
}

/// The scheme and the authority of a URL.
fn origin_of(url: &str) -> &str {
    let authority = url.find("://").map_or(url.len(), |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    &url[..end]
}

/// True if the client says that it is a browser. A script can change its User-Agent only after
/// a CORS preflight, which fails here.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

fn is_own(origin: &str, host: &str, used: Scheme) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let (is_known, default) = match scheme {
        "https" => (used != Scheme::Http, ":443"),
        "http" => (used != Scheme::Https, ":80"),
        _ => (false, ""),
    };
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix(default).map(str::to_owned).unwrap_or(text)
    };
    is_known && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(sent: &[(HeaderName, &'static str)], proof: Proof) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_static(value));
        }
        check(&headers, "127.0.0.1:8088", Scheme::Http, proof).is_ok()
    }

    #[test]
    fn fetch_metadata_takes_precedence_over_the_origin() {
        for (sent, expected) in [
            (vec![(SITE, "same-origin")], true),
            (vec![(SITE, "same-origin"), (ORIGIN, "http://127.0.0.1:8088")], true),
            (vec![(SITE, "same-site")], false),
            (vec![(SITE, "cross-site")], false),
            (vec![(SITE, "none")], false),
            (vec![(SITE, "cross-site"), (ORIGIN, "http://127.0.0.1:8088")], false),
            (vec![(SITE, "same-origin"), (SITE, "cross-site")], false),
            (vec![(ORIGIN, "http://127.0.0.1:8088")], true),
            (vec![(ORIGIN, "http://127.0.0.1:9999")], false),
            (vec![(ORIGIN, "https://127.0.0.1:8088")], false),
            (vec![(ORIGIN, "http://evil.example.com")], false),
            (vec![(ORIGIN, "http://127.0.0.1:8088.evil.example.com")], false),
            (vec![(ORIGIN, "null")], false),
            (vec![(ORIGIN, "")], false),
            (vec![(ORIGIN, "http://127.0.0.1:8088"), (ORIGIN, "http://evil")], false),
        ] {
            assert_eq!(allows(&sent, Proof::Session), expected, "{sent:?}");
            assert_eq!(allows(&sent, Proof::NotRequired), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_client_without_origin_needs_more_than_a_cookie() {
        assert!(allows(&[], Proof::NotRequired));
        assert!(allows(&[], Proof::Proxy));
        assert!(!allows(&[], Proof::Session));
    }

    #[test]
    fn default_ports_and_tls_of_a_proxy_are_understood() {
        for (origin, host, scheme, expected) in [
            ("https://workers.example.com", "workers.example.com:443", Scheme::Https, true),
            ("https://Workers.example.com:443", "workers.example.com", Scheme::Https, true),
            ("http://workers.example.com", "workers.example.com:80", Scheme::Http, true),
            ("https://workers.example.com", "workers.example.com", Scheme::Unknown, true),
            ("http://workers.example.com", "workers.example.com", Scheme::Unknown, true),
            ("https://workers.example.com", "workers.example.com", Scheme::Http, false),
            ("http://workers.example.com", "workers.example.com", Scheme::Https, false),
            ("file://workers.example.com", "workers.example.com", Scheme::Http, false),
        ] {
            assert_eq!(is_own(origin, host, scheme), expected, "{origin} {host} {scheme:?}");
        }
    }

    #[test]
    fn a_get_without_fetch_metadata_is_judged_by_its_referer() {
        let own = "http://127.0.0.1:8088/locust/?a=b";
        let browser = (USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64)");
        for (sent, expected) in [
            (vec![(REFERER, own), browser.clone()], true),
            (vec![(REFERER, "http://127.0.0.1:8088"), browser.clone()], true),
            (vec![(REFERER, "http://evil.example.com/http://127.0.0.1:8088/")], false),
            (vec![(REFERER, "http://127.0.0.1:8088.evil.example.com/")], false),
            (vec![(REFERER, "")], false),
            (vec![browser.clone()], false),
            (vec![(USER_AGENT, "curl/8.9")], true),
            (vec![], true),
            (vec![(SITE, "cross-site"), (REFERER, own)], false),
            (vec![(ORIGIN, "null"), (REFERER, own)], false),
            (vec![(SITE, "same-origin"), browser], true),
        ] {
            let pairs = sent.iter().cloned();
            let headers: HeaderMap =
                pairs.map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            let check =
                |proof| check_navigation(&headers, "127.0.0.1:8088", Scheme::Http, proof).is_ok();
            assert_eq!(check(Proof::NotRequired), expected, "{sent:?}");
        }
        let session =
            check_navigation(&HeaderMap::new(), "127.0.0.1:8088", Scheme::Http, Proof::Session);
        assert!(session.is_err());
    }
}
