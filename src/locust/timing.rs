//! Times of a rebalance, and of the wait for workers.

use std::time::Duration;

/// The time between two looks. Locust's page is never cached.
pub const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// Time limit for Locust's own rebalance after the first change of a test, and for the workers'
/// reports (every 3 s).
pub const SETTLE_LIMIT: Duration = Duration::from_secs(8);

/// Pause after a start without an answer. Locust shows the start in its page within this time.
pub const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Time limit for Locust to start the requested users, and to notice a hanging worker.
pub const START_LIMIT: Duration = Duration::from_secs(15);
