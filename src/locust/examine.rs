//! One look at a running test and its judgement, with the test's time limit. All commands and serve use
//! this.

use super::error::Error;
use super::health::{Health, Verdict, judge};
use super::look::Look;
use super::master::Master;
use super::memory::StartMemory;
use super::pods::WorkerPods;
use super::run_time::limit;
use super::start::KnownStart;

/// Takes a look at Locust and judges the test. `before` is Locust's state before the workers changed,
/// and `known` the last start of the test.
///
/// # Errors
/// Locust does not answer, or the answer is not Locust's.
pub async fn examine(
    master: &Master<'_>,
    pods: Option<WorkerPods>,
    before: Option<&Look>,
    known: Option<&KnownStart>,
    memory: Option<&StartMemory>,
) -> Result<(Look, Health), Error> {
    let now = Look::take(master, pods).await?;
    let mut health = judge(&now, before, known);
    if let Verdict::Repairable(repair) = &mut health.verdict {
        let remembered = memory.and_then(|memory| memory.load(&master.place(), now.log.as_ref()));
        repair.limit = limit(master, &now, known.or(remembered.as_ref())).await?;
        if let Err(why) = repair.limit.left() {
            health.verdict = Verdict::Unsafe(why);
        }
    }
    Ok((now, health))
}
