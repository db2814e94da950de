//! The tunnel through an HTTP proxy: CONNECT (RFC 9110, 9.3.6), as Go's `net/http` asks for it.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::endpoint::Endpoint;
use crate::cluster::api::proxy::Proxy;
use crate::cluster::api::{Failure, user_agent};
use crate::text::go;
use crate::text::terminal::masked;

/// The limit for the head of the proxy's answer. Go reads 10 MiB.
const MAX_HEAD: usize = 1024 * 1024;

/// The longest part of the answer that a message shows, in characters.
const MAX_SHOWN: usize = 200;

/// Asks the proxy for a connection to the target.
///
/// # Errors
/// The proxy refuses, or does not answer in HTTP. The text begins like Go's, and names the proxy and
/// the target.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    target: &Endpoint,
) -> Result<(), Failure> {
    let broken =
        |problem: &str| Failure::unsent(format!("{problem} (from the proxy {})", proxy.endpoint));
    let mut request = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {}\r\n",
        user_agent::value()
    )
    .into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let failed = |error| Failure::of_proxy(&error, &proxy.endpoint.to_string());
    stream.write_all(&request).await.map_err(failed)?;
    let (mut head, mut searched) = (Vec::new(), 0);
    while !is_complete(&head, searched) {
        if head.len() >= MAX_HEAD {
            return Err(broken("the answer to CONNECT has more than 1 MiB of headers"));
        }
        searched = head.len();
        match stream.read_buf(&mut head).await {
            Ok(0) => return Err(broken("unexpected EOF")),
            Ok(_) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    // Bytes after the head are dropped, as in Go: the server speaks only after us.
    match status(&head) {
        Ok((200, _)) => Ok(()),
        Ok((code, reason)) => Err(Failure::unsent(format!(
            "{reason} (the proxy {} answered {code} to CONNECT {target})",
            proxy.endpoint
        ))),
        Err(problem) => Err(broken(&problem)),
    }
}

/// True if the bytes have the empty line after the headers. A line may end in `\n` alone. An
/// answer that is not HTTP counts as complete. The first `searched` bytes were searched before.
fn is_complete(head: &[u8], searched: usize) -> bool {
    let is_http = b"HTTP/".iter().zip(head).all(|(expected, byte)| expected == byte);
    let new = &head[searched.saturating_sub(3)..];
    let ends = |end: &[u8]| new.windows(end.len()).any(|window| window == end);
    (!is_http && !head.is_empty()) || ends(b"\r\n\r\n") || ends(b"\n\n")
}

/// The code and the reason of an answer, by the rules and in the words of Go's `ReadResponse`.
fn status(head: &[u8]) -> Result<(u16, String), String> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line: String = masked(&line).trim_end_matches('\r').chars().take(MAX_SHOWN).collect();
    let malformed =
        |what: &str, text: &str| Err(format!("malformed HTTP {what} {}", go::quote(text)));
    let Some((version, status)) = line.split_once(' ') else {
        return malformed("response", &line);
    };
    let status = status.trim_start_matches(' ');
    let (code, reason) = status.split_once(' ').unwrap_or((status, "unknown status code"));
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = code.parse().ok().filter(|_| is_code) else {
        return malformed("status code", code);
    };
    if !version.starts_with("HTTP/") {
        return malformed("version", version);
    }
    Ok((number, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_is_read_as_by_go() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Ok((200, "OK"))),
            ("HTTP/1.0 200 Connection established\n\n", Ok((200, "Connection established"))),
            ("HTTP/1.1 403 Forbidden by rule 7\r\n\r\n", Ok((403, "Forbidden by rule 7"))),
            ("HTTP/1.1 502\r\n\r\n", Ok((502, "unknown status code"))),
            ("SSH-2.0-x\r\n", Err("malformed HTTP response \"SSH-2.0-x\"")),
            ("HTTP/1.1 2000 OK\r\n\r\n", Err("malformed HTTP status code \"2000\"")),
            ("FTP/1.1 200 OK\r\n\r\n", Err("malformed HTTP version \"FTP/1.1\"")),
            ("", Err("malformed HTTP response \"\"")),
        ] {
            let found = status(head.as_bytes());
            let found = found.as_ref().map(|(code, reason)| (*code, reason.as_str()));
            assert_eq!(found.map_err(String::as_str), expected, "{head}");
        }
    }

    #[test]
    fn the_head_ends_at_the_empty_line() {
        for (head, expected) in [
            ("", false),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", false),
            ("HTTP/1.1 200 OK\r\nX: y\r\n\r\nmore", true),
            ("HTTP/1.1 200 OK\n\n", true),
            ("garbage", true),
            ("HT", false),
        ] {
            assert_eq!(is_complete(head.as_bytes(), 0), expected, "{head}");
        }
        let whole = b"HTTP/1.1 200 OK\r\n\r\n";
        assert!((16..19).all(|searched| is_complete(whole, searched)));
    }
}
