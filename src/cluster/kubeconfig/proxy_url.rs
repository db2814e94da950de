//! The check of a cluster's `proxy-url`, with kubectl's rules.

/// Checks that the text is a URL with a known scheme. An empty text means no proxy.
///
/// # Errors
/// The text after `invalid 'proxy-url' …: `.
pub(super) fn check(url: &str) -> Result<(), String> {
    if url.is_empty() {
        return Ok(());
    }
    let scheme = match url.split_once(':') {
        Some((scheme, _)) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => scheme,
        Some(_) => {
            return Err(format!("parse {url:?}: first path segment in URL cannot contain colon"));
        }
        None => "",
    };
    if !["http", "https", "socks5"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("unsupported scheme {scheme:?}, must be http, https, or socks5"));
    }
    match reqwest::Url::parse(url) {
        Ok(_) => Ok(()),
        Err(err) => Err(format!("parse {url:?}: {err}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_schemes_are_proxies() {
        for url in ["", "http://p:3128", "https://p", "socks5://u:p@h:1080", "HTTP://x"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        let unsupported =
            |scheme| format!("unsupported scheme \"{scheme}\", must be http, https, or socks5");
        for (url, scheme) in [("ftp://x", "ftp"), ("x", ""), ("socks5h://h", "socks5h")] {
            assert_eq!(check(url), Err(unsupported(scheme)), "{url}");
        }
        for url in ["127.0.0.1:1", "http://a b"] {
            assert!(check(url).unwrap_err().starts_with("parse \""), "{url}");
        }
    }
}
