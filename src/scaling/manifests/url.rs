//! Reads manifests from URLs.

use std::time::Duration;

use super::error::Error;
use crate::cluster::api::{Failure, FailureKind, plain};
use crate::text::go;

/// The number of attempts, as in kubectl.
const ATTEMPTS: usize = 3;

/// The pause between two attempts, as in kubectl.
const PAUSE: Duration = Duration::from_secs(1);

/// Checks a URL that begins with `http://` or `https://`, with the errors of Go's `url.Parse`. A URL
/// without a host is valid there.
pub(super) fn check(url: &str) -> Result<(), String> {
    go::url::Url::parse(url).map(drop).map_err(|error| error.to_string())
}

/// Reads a manifest of at most `limit` bytes. Retries as cli-runtime's `readHttpWithRetries` does.
pub(super) async fn read(url: &str, limit: usize) -> Result<Vec<u8>, Error> {
    let failed = |failure| Error::Unreachable { url: url.to_owned(), failure };
    let unusable =
        |text: String| failed(Failure { kind: FailureKind::Connection, text, sent: false });
    if go::url::Url::parse(url).is_ok_and(|url| url.host.is_empty()) {
        return Err(unusable("http: no Host in request URL".to_owned()));
    }
    let address = plain::url(url).map_err(unusable)?;
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
    fn invalid_urls_are_reported_with_gos_error() {
        for (url, problem) in [
            ("http://[::1", "missing ']' in host"),
            ("http://a b/", "invalid character \" \" in host name"),
            ("http://%zz", "invalid URL escape \"%zz\""),
            ("http://127.0.0.1:x/", "invalid port \":x\" after host"),
            ("http://h/%2", "invalid URL escape \"%2\""),
            ("https://h/\u{7f}", "net/url: invalid control character in URL"),
        ] {
            let expected = format!("parse {}: {problem}", go::quote(url));
            assert_eq!(check(url), Err(expected), "{url}");
        }
        for url in ["http://", "https://h:1/a%20b?x=%", "http://[::1]:8/", "http://me:x@h/"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }
}
