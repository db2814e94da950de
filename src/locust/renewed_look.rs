//! A new look at the test during a change in steps. The test may be started again or edited between two
//! steps, and then the look before the first step says nothing about it.

use tokio::time::{Instant, sleep};

use super::look::Look;
use super::master::Master;
use super::pods::WorkerPods;
use super::timing::{LOOK_PERIOD, SETTLE_LIMIT};

/// Looks at the test after a step, or after a wait. `before` is the last known look at which it had all its users,
/// and `pods` are the pods of the workers. Returns the look that replaces `before`: another test is running, the
/// test was edited, or Locust was still moving users at `before` and now shows all users of the last start. `None`
/// otherwise, if no test is running, or if Locust does not answer.
pub async fn renewed_look(
    master: &Master<'_>,
    pods: Option<WorkerPods>,
    before: &Look,
) -> Option<Look> {
    let end = Instant::now() + SETTLE_LIMIT;
    loop {
        let now = Look::take(master, pods.clone()).await.ok()?;
        let was_moving = now.has_logged_users() && !before.has_logged_users();
        if !now.replaces(before) && !was_moving {
            return None;
        }
        if now.is_steady || Instant::now() >= end {
            return Some(now);
        }
        sleep(LOOK_PERIOD).await;
    }
}
