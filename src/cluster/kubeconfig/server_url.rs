//! The server's URL, by the rules of client-go's `rest/url_utils.go` and `rest/request.go`. A
//! missing scheme becomes `http`; a path prefix stays; query and fragment are dropped.

use anyhow::{Result, anyhow, bail};

use super::ConfigError;
use crate::text::go::quote;
use crate::text::go::url::{Login, Url, UrlError, escape_path, mask_login};

/// The URL with scheme, host, port and path prefix, and without a trailing slash. The login of a
/// URL such as `https://me:password@host` is split off.
///
/// # Errors
/// The text is neither a URL nor `host:port`.
pub(super) fn read(server: &str) -> Result<(String, Option<Login>)> {
    let url = match Url::parse(server) {
        Ok(url) if !url.scheme.is_empty() && !url.host.is_empty() => url,
        _ => {
            let url = Url::parse(&format!("http://{server}")).map_err(unreachable)?;
            if !matches!(url.path.as_slice(), b"" | b"/") {
                let shown = quote(&mask_login(server));
                bail!("host must be a URL or a host:port pair: {shown}");
            }
            url
        }
    };
    if url.host.is_empty() {
        return Err(ConfigError::Address("http: no Host in request URL".to_owned()).into());
    }
    if !matches!(url.scheme.as_str(), "http" | "https") {
        bail!("unsupported protocol scheme {:?}", url.scheme);
    }
    let host = url.host.strip_suffix(':').unwrap_or(&url.host);
    let server = format!("{}://{host}{}", url.scheme, prefix(&url.path));
    Ok((server, url.login))
}

/// kubectl's sentence for an address that Go cannot read.
fn unreachable(error: UrlError) -> anyhow::Error {
    anyhow!(ConfigError::Address(error.problem))
}

/// The path before the path of each request, without a trailing slash. client-go decodes it, cleans
/// it (`path.Join`), and escapes it again.
fn prefix(path: &[u8]) -> String {
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.iter().map(|segment| format!("/{}", escape_path(segment))).collect()
}

/// True if `server`, a result of [`read`], is not encrypted: it must get no secret of the user.
pub(super) fn is_plain_http(server: &str) -> bool {
    server.starts_with("http://")
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
            ("https://:pw@h", "https://h", Some(("", "pw"))),
            ("me@h:1", "http://h:1", Some(("me", ""))),
        ] {
            let (without, found) = read(server).unwrap();
            let found =
                found.as_ref().map(|login| (&*login.username, login.password.expose_secret()));
            assert_eq!((&*without, found), (url, login));
        }
    }

    #[test]
    fn a_server_becomes_a_url() {
        for (server, expected) in [
            ("https://h", "https://h"),
            ("https://h:6443/", "https://h:6443"),
            ("https://h/prefix/a/", "https://h/prefix/a"),
            ("https://h//a/./b/../c", "https://h/a/c"),
            ("https://h/../..", "https://h"),
            ("https://h/a b", "https://h/a%20b"),
            ("https://h/a%2fb", "https://h/a/b"),
            ("https://h/p?q=1#f", "https://h/p"),
            ("HTTPS://h", "https://h"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost", "http://localhost"),
            ("localhost/", "http://localhost"),
            ("[::1]:1", "http://[::1]:1"),
            ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
            ("http://127.0.0.1:", "http://127.0.0.1"),
            ("https://127.1:1", "https://127.1:1"),
        ] {
            assert_eq!(read(server).unwrap().0, expected, "{server}");
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
            "http://",
            "https://127.0.0.1:1\\",
            "https://loc%61lhost",
        ] {
            assert_eq!(
                read(server).unwrap_err().to_string(),
                format!("host must be a URL or a host:port pair: {server:?}")
            );
        }
        for (server, problem) in [
            ("a b", "invalid character \" \" in host name"),
            ("https://h/%zz", "invalid URL escape \"%zz\""),
            ("mailto:x", "invalid port \":x\" after host"),
            ("/", "http: no Host in request URL"),
        ] {
            let expected = format!("Unable to connect to the server: {problem}");
            assert_eq!(read(server).unwrap_err().to_string(), expected);
        }
        assert_eq!(read("ftp://x").unwrap_err().to_string(), "unsupported protocol scheme \"ftp\"");
        let secret = read("https://me:s3cret@h:port").unwrap_err().to_string();
        assert!(!secret.contains("s3cret"), "{secret}");
    }
}
