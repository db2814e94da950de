//! Decides which failures are retried, and repeats requests to Locust.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cluster::api;
use crate::locust;

/// The pause before another attempt.
pub const PAUSE: Duration = Duration::from_secs(1);

/// The server may answer differently in a moment: it was not reached, is overloaded, or is restarting.
pub fn is_temporary(error: &api::Error) -> bool {
    match error {
        api::Error::Failure(_) | api::Error::Unreadable(_) => true,
        api::Error::NoCredentials(_) => false,
        api::Error::Status(status) => status.code >= 500 || matches!(status.code, 408 | 409 | 429),
    }
}

/// True if a later request to Locust's master may succeed.
pub fn is_temporary_for_locust(error: &locust::Error) -> bool {
    match error {
        locust::Error::Api(error) if is_temporary(error) => true,
        // A proxy in front of Locust may answer in its place while it restarts.
        locust::Error::NotLocust { .. } => true,
        error => error.is_temporary(),
    }
}

/// Repeats a request to Locust while its failure is temporary, until `give_up`. The request must change nothing in
/// Locust.
///
/// # Errors
/// Any of [`locust::Error`].
pub async fn patiently<T, F: Future<Output = Result<T, locust::Error>>>(
    give_up: Instant,
    request: impl Fn() -> F,
) -> Result<T, locust::Error> {
    loop {
        match request().await {
            Err(error) if is_temporary_for_locust(&error) && Instant::now() < give_up => {
                sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}
