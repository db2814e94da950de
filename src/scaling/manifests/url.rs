//! Reads manifests from URLs.

use std::time::Duration;

use reqwest::Url;

use super::error::Error;
use crate::cluster::api::{Failure, FailureKind, plain};
use crate::text::go::quote;

/// The number of attempts, as in kubectl.
const ATTEMPTS: usize = 3;

/// The pause between two attempts, as in kubectl.
const PAUSE: Duration = Duration::from_secs(1);

/// Checks a URL that begins with `http://` or `https://`, with the errors of Go's `url.Parse`. A URL
/// without a host is valid there.
pub(super) fn check(url: &str) -> Result<(), String> {
    let invalid = |problem: String| format!("parse {}: {problem}", quote(url));
    if url.chars().any(|c| c.is_ascii_control()) {
        return Err(invalid("net/url: invalid control character in URL".to_owned()));
    }
    let host = host(url);
    check_host(host).map_err(invalid)?;
    if let Some(escape) = bad_escape(url.split(['?', '#']).next().unwrap_or_default()) {
        return Err(invalid(format!("invalid URL escape {}", quote(escape))));
    }
    match Url::parse(url) {
        Err(error) if !host.is_empty() => Err(invalid(error.to_string())),
        _ => Ok(()),
    }
}

/// The host and the port, without a user name.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn check_host(host: &str) -> Result<(), String> {
    let port = match host.strip_prefix('[') {
        Some(address) => address.split_once(']').ok_or("missing ']' in host")?.1,
        None => host.find(':').map_or("", |at| &host[at..]),
    };
    let is_port = |port: &str| {
        port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
    };
    if !port.is_empty() && !is_port(port) {
        return Err(format!("invalid port {} after host", quote(port)));
    }
    match host.chars().find(|c| " \"<>\\^`{|}".contains(*c)) {
        Some(c) => Err(format!("invalid character {} in host name", quote(&c.to_string()))),
        None => Ok(()),
    }
}

/// The first `%` without two hexadecimal digits, with the next two characters.
fn bad_escape(text: &str) -> Option<&str> {
    text.match_indices('%').map(|(at, _)| &text[at..]).find_map(|rest| {
        let is_escape =
            rest.len() > 2 && rest.bytes().skip(1).take(2).all(|b| b.is_ascii_hexdigit());
        let end = rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at);
        (!is_escape).then(|| &rest[..end])
    })
}

/// Reads a manifest of at most `limit` bytes. Retries as cli-runtime's `readHttpWithRetries` does.
pub(super) async fn read(url: &str, limit: usize) -> Result<Vec<u8>, Error> {
    let failed = |failure| Error::Unreachable { url: url.to_owned(), failure };
    let no_host = || Failure {
        kind: FailureKind::Connection,
        text: "http: no Host in request URL".to_owned(),
        sent: false,
    };
    let address = Url::parse(url).map_err(|_| failed(no_host()))?;
    let mut attempt = 1;
    loop {
        let (error, is_final) = match plain::get(&address, limit).await {
            Ok(answer) if answer.status == 200 => return Ok(answer.body),
            Ok(answer) => {
                let (line, status) = (answer.status_line, answer.status);
                let text = format!(
                    "unable to read URL {url:?}, server reported {line}, status code={status}"
                );
                (Error::Text(text), !(500..600).contains(&status))
            }
            // A retry would get the same body.
            Err(failure) => {
                let is_final =
                    matches!(failure.kind, FailureKind::Body { .. } | FailureKind::TooLarge { .. });
                (failed(failure), is_final)
            }
        };
        if is_final || attempt == ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_urls_get_the_error_of_go() {
        for (url, problem) in [
            ("http://[::1", "missing ']' in host"),
            ("http://a b/", "invalid character \" \" in host name"),
            ("http://%zz", "invalid URL escape \"%zz\""),
            ("http://127.0.0.1:x/", "invalid port \":x\" after host"),
            ("http://h/%2", "invalid URL escape \"%2\""),
            ("https://h/\u{7f}", "net/url: invalid control character in URL"),
        ] {
            let expected = format!("parse {}: {problem}", quote(url));
            assert_eq!(check(url), Err(expected), "{url}");
        }
        for url in ["http://", "https://h:1/a%20b?x=%", "http://[::1]:8/", "http://me:x@h/"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }
}
