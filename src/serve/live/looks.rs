//! The looks at Locust: requests for a new one, and the end of the last one.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// How long a look at Locust is shown without a new one. This is longer than the time between two looks
/// while the page is open, so readers cause no more looks then.
const FRESH: Duration = Duration::from_secs(3);

/// Time limit for a new look before an answer. After it, the answer has the last known state.
const LIMIT: Duration = Duration::from_secs(1);

/// Requests for looks, and the end of the last look.
#[derive(Debug, Default)]
pub(super) struct Looks {
    requested: Notify,
    last_end: watch::Sender<Option<Instant>>,
}

impl Looks {
    /// Requests a look soon. Requests that come before the look are answered together.
    pub(super) fn request(&self) {
        self.requested.notify_one();
    }

    /// Waits until a look is requested.
    pub(super) async fn requested(&self) {
        self.requested.notified().await;
    }

    /// Notes the end of a look. Its result is published.
    pub(super) fn note_end(&self) {
        self.last_end.send_replace(Some(Instant::now()));
    }

    /// The last look is older than [`FRESH`], or there was none.
    pub(super) fn is_stale(&self) -> bool {
        self.last_end.borrow().is_none_or(|end| end.elapsed() > FRESH)
    }

    /// Waits for the end of a requested look if the last one is stale, but at most [`LIMIT`].
    pub(super) async fn wait_until_fresh(&self) {
        let mut ends = self.last_end.subscribe();
        ends.mark_unchanged();
        if self.is_stale() {
            let _ = timeout(LIMIT, ends.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_look_while_the_last_one_is_fresh() {
        let looks = Looks::default();
        assert!(looks.is_stale());
        looks.note_end();
        advance(FRESH).await;
        assert!(!looks.is_stale());
        assert_eq!(looks.wait_until_fresh().now_or_never(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn several_readers_wait_for_one_look() {
        let looks = Looks::default();
        looks.note_end();
        advance(FRESH * 2).await;
        let begin = Instant::now();
        let follower = async {
            looks.requested().await;
            looks.note_end();
            // A second look would be one too many.
            assert_eq!(looks.requested().now_or_never(), None);
        };
        let reader = || async {
            looks.request();
            looks.wait_until_fresh().await;
        };
        tokio::join!(reader(), reader(), follower);
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_locust_delays_an_answer_by_at_most_one_second() {
        let looks = Looks::default();
        let begin = Instant::now();
        looks.wait_until_fresh().await;
        assert_eq!(begin.elapsed(), LIMIT);
    }
}
