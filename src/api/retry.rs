//! When a request is sent again without asking: as client-go does, but only where it is certain
//! that nothing was done yet.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::RETRY_AFTER;

use super::client::Reply;
use super::{Error, FailureKind};

/// Retries of one request; client-go's number.
pub const RETRIES: u32 = 10;

/// A server that asks for a longer pause is not waited for: its refusal is reported instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pause that the server asks for with `Retry-After` in whole seconds; a date is not read, as
/// in client-go.
pub fn asked_pause(reply: &Reply) -> Option<Duration> {
    if reply.status != 429 && reply.status < 500 {
        return None;
    }
    let seconds = reply.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|pause| *pause <= LONGEST_PAUSE)
}

/// How long to wait before the request is sent again; `None` when it is not. `attempt` counts the
/// tries before this result.
pub fn pause(method: &Method, result: &Result<Reply, Error>, attempt: u32) -> Option<Duration> {
    if attempt >= RETRIES {
        return None;
    }
    let only_reads = *method == Method::GET;
    match result {
        // A 429 was turned away at the door; any other may have been carried out.
        Ok(reply) if only_reads || reply.status == 429 => asked_pause(reply),
        Err(Error::Failure(failure)) if only_reads && failure.kind == FailureKind::Lost => {
            Some(Duration::from_millis(100 << attempt.min(3)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::api::Failure;

    fn answer(status: u16, retry_after: Option<&str>) -> Result<Reply, Error> {
        let mut reply = Reply::for_test(status, "text/plain", "");
        if let Some(text) = retry_after {
            reply.headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        }
        Ok(reply)
    }

    fn failure(kind: FailureKind) -> Result<Reply, Error> {
        Err(Error::Failure(Failure { kind, text: String::new(), sent: true }))
    }

    #[test]
    fn only_what_was_certainly_not_done_is_sent_again() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (method, result, expected) in [
            (Method::GET, answer(429, Some("2")), seconds(2)),
            (Method::GET, answer(503, Some("0")), seconds(0)),
            (Method::GET, answer(500, Some("1")), seconds(1)),
            (Method::GET, answer(500, None), None),
            (Method::GET, answer(429, Some("Mon, 23 Nov 2026 19:00:00 GMT")), None),
            (Method::GET, answer(429, Some("-1")), None),
            (Method::GET, answer(429, Some("3600")), None),
            (Method::GET, answer(404, Some("1")), None),
            (Method::GET, answer(200, Some("1")), None),
            (Method::PATCH, answer(429, Some("2")), seconds(2)),
            (Method::PATCH, answer(503, Some("2")), None),
            (Method::GET, failure(FailureKind::Lost), Some(Duration::from_millis(100))),
            (Method::GET, failure(FailureKind::Connection), None),
            (Method::PATCH, failure(FailureKind::Lost), None),
        ] {
            assert_eq!(pause(&method, &result, 0), expected, "{method} {result:?}");
        }
        assert_eq!(pause(&Method::GET, &answer(429, Some("1")), RETRIES), None);
    }
}
