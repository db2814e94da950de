//! Repeats a request to Locust that failed for a reason that may pass. One failure says nothing about the
//! test.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::Error;
use super::timing::LOOK_PERIOD;

/// Time limit for Locust to answer again.
pub const RETRY_LIMIT: Duration = Duration::from_secs(15);

/// Calls `attempt` until it succeeds. The request must change nothing in Locust.
///
/// # Errors
/// The failure will not pass, or it has lasted for 15 s.
pub async fn retried<T, F: Future<Output = Result<T, Error>>>(
    attempt: impl FnMut() -> F,
) -> Result<T, Error> {
    retried_until(Instant::now() + RETRY_LIMIT, attempt, Error::may_pass).await
}

/// Calls `attempt` again until `end` after a failure that `may_pass` accepts.
///
/// # Errors
/// The last failure.
pub async fn retried_until<T, F: Future<Output = Result<T, Error>>>(
    end: Instant,
    mut attempt: impl FnMut() -> F,
    may_pass: impl Fn(&Error) -> bool,
) -> Result<T, Error> {
    loop {
        match attempt().await {
            Err(error) if Instant::now() < end && may_pass(&error) => sleep(LOOK_PERIOD).await,
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    fn failure(status: &str) -> Error {
        Error::NotLocust { path: "/".to_owned(), status: status.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_passes_is_not_returned() {
        let mut answers = vec![Ok(7), Err(failure("502 \"\"")), Err(failure("500 \"\""))];
        let answer = retried(|| ready(answers.pop().unwrap())).await;
        assert!(matches!(answer, Ok(7)), "{answer:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_lasts_is_returned() {
        let begin = Instant::now();
        let answer = retried(|| ready(Err::<(), _>(failure("502 \"\"")))).await;
        assert!(answer.is_err() && begin.elapsed() >= RETRY_LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_another_server_is_returned_immediately() {
        let begin = Instant::now();
        let answer = retried(|| ready(Err::<(), _>(failure("404 \"\"")))).await;
        assert!(answer.is_err() && begin.elapsed() < LOOK_PERIOD);
    }
}
