//! Whether a change comes from our own page (Fetch Metadata, else RFC 6454's Origin).

use axum::http::header::{HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode};

use super::super::caller::Proof;
use super::super::problem::Problem;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a change pass that a page of ours, or no browser at all, has sent.
///
/// A proxy in front may speak https where we do not: then both schemes are ours.
///
/// # Errors
/// 403 for what another page has sent, or may have.
pub(super) fn check(
    headers: &HeaderMap,
    host: &str,
    is_tls: bool,
    is_behind_proxy: bool,
    proof: Proof,
) -> Result<(), Problem> {
    let mut sites = headers.get_all(SITE).iter();
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_ours = match (sites.next(), sites.next(), origins.next(), origins.next()) {
        (Some(site), None, ..) => site == "same-origin",
        (None, _, Some(origin), None) => {
            origin.to_str().is_ok_and(|origin| is_own(origin, host, is_tls, is_behind_proxy))
        }
        // No browser: there is nobody whose cookies another page could use.
        (None, _, None, _) => proof != Proof::Session,
        _ => false,
    };
    match is_ours {
        true => Ok(()),
        false => {
            let detail = "A change must come from this server's own page, or carry a token \
                          (Authorization: Bearer); this one comes from another site.";
            Err(Problem::new(StatusCode::FORBIDDEN, "CrossSite", detail))
        }
    }
}

fn is_own(origin: &str, host: &str, is_tls: bool, is_behind_proxy: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let (is_known, default) = match scheme {
        "https" => (is_tls || is_behind_proxy, ":443"),
        "http" => (!is_tls, ":80"),
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
        check(&headers, "127.0.0.1:8088", false, false, proof).is_ok()
    }

    #[test]
    fn the_browsers_own_word_counts_before_the_origin() {
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
            assert_eq!(allows(&sent, Proof::NotAsked), expected, "{sent:?}");
        }
    }

    #[test]
    fn what_is_no_browser_needs_another_proof_than_a_cookie() {
        assert!(allows(&[], Proof::NotAsked));
        assert!(allows(&[], Proof::Proxy));
        assert!(!allows(&[], Proof::Session));
    }

    #[test]
    fn default_ports_and_a_proxys_tls_are_understood() {
        for (origin, host, is_tls, is_behind_proxy, expected) in [
            ("https://workers.example.com", "workers.example.com:443", true, false, true),
            ("https://Workers.example.com:443", "workers.example.com", true, false, true),
            ("http://workers.example.com", "workers.example.com:80", false, false, true),
            ("https://workers.example.com", "workers.example.com", false, true, true),
            ("https://workers.example.com", "workers.example.com", false, false, false),
            ("http://workers.example.com", "workers.example.com", true, false, false),
            ("file://workers.example.com", "workers.example.com", false, false, false),
        ] {
            assert_eq!(is_own(origin, host, is_tls, is_behind_proxy), expected, "{origin} {host}");
        }
    }
}
