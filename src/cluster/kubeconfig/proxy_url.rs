//! The check of a cluster's `proxy-url`, with kubectl's rules.

use crate::text::go::url::Url;

/// Checks that the text is a URL with a known scheme. An empty text means no proxy.
///
/// # Errors
/// The text after `invalid 'proxy-url' …: `. It shows no login.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let scheme = Url::parse(text).map_err(|error| error.to_string())?.scheme;
    if !["http", "https", "socks5"].contains(&scheme.as_str()) {
        return Err(format!("unsupported scheme {scheme:?}, must be http, https, or socks5"));
    }
    Ok(())
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
        for url in ["127.0.0.1:1", "http://a b", "http://p\\", "http://%61"] {
            assert!(check(url).unwrap_err().starts_with("parse \""), "{url}");
        }
    }
}
