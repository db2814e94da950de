//! Retries, by client-go's rules with two differences. A request is sent again only if the server
//! has certainly not carried it out, and also after a 429 without `Retry-After`.

use std::time::Duration;

use reqwest::Method;

use super::exchange::Reply;
use super::{Error, FailureKind};

/// The number of retries of one request; client-go's number.
const MAX_RETRIES: u32 = 10;

/// The first pause after a 429 without `Retry-After`. Each further pause is twice as long.
const FIRST_BUSY_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a 429 without `Retry-After`.
const MAX_BUSY_PAUSE: Duration = Duration::from_secs(5);

/// The pause before the request is sent again; `None` if it is not sent again. `attempt` is the
/// number of attempts before this result.
pub fn pause(method: &Method, result: &Result<Reply, Error>, attempt: u32) -> Option<Duration> {
    if attempt >= MAX_RETRIES {
        return None;
    }
    let only_reads = *method == Method::GET;
    match result {
        // The server never carries out a request that it answers with 429.
        Ok(reply) if reply.status == 429 && reply.retry_after().is_none() => {
            Some((FIRST_BUSY_PAUSE * (1 << attempt.min(8))).min(MAX_BUSY_PAUSE))
        }
        Ok(reply) if only_reads || reply.status == 429 => reply.requested_pause(),
        Err(Error::Failure(failure)) if only_reads && failure.kind == FailureKind::Lost => {
            Some(Duration::from_millis(100 << attempt.min(3)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::cluster::api::Failure;

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
    fn only_requests_that_were_certainly_not_carried_out_are_sent_again() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (method, result, expected) in [
            (Method::GET, answer(429, Some("2")), seconds(2)),
            (Method::GET, answer(503, Some("0")), seconds(0)),
            (Method::GET, answer(500, Some("1")), seconds(1)),
            (Method::GET, answer(500, None), None),
            (Method::GET, answer(429, None), seconds(1)),
            (Method::PATCH, answer(429, None), seconds(1)),
            (Method::GET, answer(429, Some("Mon, 23 Nov 2026 19:00:00 GMT")), seconds(1)),
            (Method::GET, answer(429, Some("-1")), seconds(1)),
            (Method::GET, answer(503, Some("Mon, 23 Nov 2026 19:00:00 GMT")), None),
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
        assert_eq!(pause(&Method::GET, &answer(429, Some("1")), MAX_RETRIES), None);
    }

    #[test]
    fn the_pause_doubles_after_each_lost_connection() {
        let lost = failure(FailureKind::Lost);
        let pauses = (0..).map_while(|attempt| pause(&Method::GET, &lost, attempt));
        let milliseconds: Vec<_> = pauses.map(|pause| pause.as_millis()).collect();
        assert_eq!(milliseconds, [100, 200, 400, 800, 800, 800, 800, 800, 800, 800]);
    }

    #[test]
    fn pauses_grow_after_429_without_retry_after() {
        let busy = answer(429, None);
        let pauses = (0..).map_while(|attempt| pause(&Method::PATCH, &busy, attempt));
        let seconds: Vec<_> = pauses.map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5, 5, 5, 5, 5, 5]);
    }
}
