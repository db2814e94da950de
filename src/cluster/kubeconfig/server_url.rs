//! The server's URL, by the rules of client-go's `rest/url_utils.go`. A missing scheme becomes
//! `http`; a path prefix stays; query and fragment are dropped.

use anyhow::{Result, anyhow, bail};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

/// The URL with scheme, host, port and path prefix, and without a trailing slash.
///
/// # Errors
/// The text is neither a URL nor `host:port`.
pub(super) fn normalize(server: &str) -> Result<String> {
    let bad = || anyhow!("host must be a URL or a host:port pair: {server:?}");
    let with_scheme = server
        .split_once("://")
        .filter(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty() && !rest.starts_with('/'));
    let (scheme, rest) = match with_scheme {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), server),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if host.is_empty() || (with_scheme.is_none() && !matches!(path, "" | "/")) {
        return Err(bad());
    }
    if !matches!(scheme.as_str(), "http" | "https") {
        bail!("unsupported protocol scheme {scheme:?}");
    }
    let host = host.strip_suffix(':').unwrap_or(host);
    let url = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
    let is_valid = !server.contains(char::is_whitespace) && reqwest::Url::parse(&url).is_ok();
    if is_valid { Ok(url) } else { Err(bad()) }
}

/// Splits the login off a URL such as `https://me:password@host`. The login belongs to the user,
/// whose password is kept secret.
pub(super) fn without_login(server: String) -> (String, Option<(String, SecretString)>) {
    let Ok(mut url) = reqwest::Url::parse(&server) else { return (server, None) };
    if url.username().is_empty() && url.password().is_none() {
        return (server, None);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = (decoded(url.username()), decoded(url.password().unwrap_or_default()).into());
    // Neither call fails for a URL that had a login.
    let _ = (url.set_username(""), url.set_password(None));
    (url.as_str().trim_end_matches('/').to_owned(), Some(login))
}

/// True if `server`, a result of [`normalize`], is not encrypted: it must get no secret.
pub(super) fn is_plain_http(server: &str) -> bool {
    server.starts_with("http://")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_login_is_split_off_the_url() {
        for (server, url, login) in [
            ("https://h/p", "https://h/p", None),
            ("https://me:p%40w@h:1/p", "https://h:1/p", Some(("me", "p@w"))),
            ("https://me@h", "https://h", Some(("me", ""))),
        ] {
            let (without, found) = without_login(server.to_owned());
            let found = found.as_ref().map(|(name, password)| (&**name, password.expose_secret()));
            assert_eq!((&*without, found), (url, login));
        }
    }

    #[test]
    fn a_server_becomes_a_url() {
        let table = [
            ("https://h", "https://h"),
            ("https://h:6443/", "https://h:6443"),
            ("https://h/prefix/a/", "https://h/prefix/a"),
            ("https://h/p?q=1#f", "https://h/p"),
            ("HTTPS://h", "https://h"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost", "http://localhost"),
            ("localhost/", "http://localhost"),
            ("[::1]:1", "http://[::1]:1"),
            ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
            ("http://127.0.0.1:", "http://127.0.0.1"),
        ];
        for (server, expected) in table {
            assert_eq!(normalize(server).unwrap(), expected, "{server}");
        }
    }

    #[test]
    fn invalid_servers_are_refused() {
        for server in [
            "127.0.0.1:1/prefix",
            "example.com/prefix",
            "https:///x",
            "http://a b",
            "http://h:port",
            "http://[::1",
            "://x",
            "/x",
            "a b",
            "http://",
        ] {
            assert_eq!(
                normalize(server).unwrap_err().to_string(),
                format!("host must be a URL or a host:port pair: {server:?}")
            );
        }
        assert_eq!(
            normalize("ftp://x").unwrap_err().to_string(),
            "unsupported protocol scheme \"ftp\""
        );
    }
}
