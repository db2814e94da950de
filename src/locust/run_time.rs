//! The run time of a running test: when Locust will end it, and what a new start does to that.
//!
//! From release 2.47 on each `POST /swarm` cancels Locust's timer, so a repair has to send the time that
//! is left. Before, the timer survives every start, so a repair sends none. The page keeps the
//! run time that was sent last, also for a test that was then started without one.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::error::Error;
use super::log::TestStart;
use super::look::Look;
use super::master::Master;
use super::page::Page;
use super::start::KnownStart;

/// Locust's clock and the statistics' start are told in full seconds.
const TOLERANCE: Duration = Duration::from_secs(2);

/// Time zones differ from UTC by multiples of this.
const ZONE_STEP: i64 = 15 * 60;

/// The run time that a new start has to send.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeLimit {
    /// Send none: the test has none, or Locust's timer survives the start.
    None,
    /// The test ends at this time: send what is left.
    Until(Instant),
    /// It is not known when the test ends; the text says why.
    Unknown(String),
}

impl TimeLimit {
    /// The run time to send now, in seconds; `None` when there is nothing to send.
    ///
    /// # Errors
    /// The test is about to end.
    pub fn left(&self) -> Result<Option<u64>, String> {
        match self {
            Self::None => Ok(None),
            Self::Unknown(why) => Err(why.clone()),
            Self::Until(end) => {
                let left = end.saturating_duration_since(Instant::now()).as_secs_f64().round();
                match left < 1.0 {
                    true => Err("the test is about to end".to_owned()),
                    false => Ok(Some(left as u64)),
                }
            }
        }
    }
}

/// When the running test ends. The start must be known: `known` is one of our own; otherwise the
/// master's log and the statistics must agree on it.
///
/// # Errors
/// Locust does not answer.
pub async fn limit(
    master: &Master<'_>,
    now: &Look,
    known: Option<&KnownStart>,
) -> Result<TimeLimit, Error> {
    let Some(page) = now.page.as_ref().filter(|page| page.run_time.is_some()) else {
        return Ok(TimeLimit::None);
    };
    if page.release().is_none() {
        let why = "the release of Locust cannot be read, and the test may have a run time";
        return Ok(TimeLimit::Unknown(why.to_owned()));
    }
    if !page.cancels_timer() {
        return Ok(TimeLimit::None);
    }
    let is_last =
        |known: &&KnownStart| known.is_current(page) && known.is_last_in(now.log.as_ref());
    if let Some(known) = known.filter(is_last) {
        return Ok(known.ends_at().map_or(TimeLimit::None, TimeLimit::Until));
    }
    let looked_at = Instant::now();
    let Some(run_time) = page.run_time else { return Ok(TimeLimit::None) };
    let start = now.log.as_ref().and_then(|log| log.test_start());
    let begin = master.stats_start(start.as_ref().map(|start| start.at)).await?;
    Ok(judge(run_time, page, looked_at, start, begin))
}

/// `begin` is the start of the statistics, in full seconds; a reset moves it.
fn judge(
    run_time: u64,
    page: &Page,
    looked_at: Instant,
    start: Option<TestStart>,
    begin: Option<OffsetDateTime>,
) -> TimeLimit {
    let unknown = |why: &str| TimeLimit::Unknown(why.to_owned());
    let Some((begin, answered_at)) = begin.zip(page.answered_at) else {
        return unknown(
            "Locust does not tell when the test was started, and it may have a run time",
        );
    };
    let start_of_log = start.as_ref().and_then(|start| in_utc(start, begin));
    let began = start_of_log.unwrap_or(begin);
    // The clock of the answer has full seconds: on the average it is half a second late.
    let elapsed = (answered_at - began).as_seconds_f64() + 0.5;
    if elapsed > run_time as f64 + TOLERANCE.as_secs_f64() {
        // It has run for longer than that: the run time is that of an earlier test.
        return TimeLimit::None;
    }
    let Some(start) = start else {
        return unknown(
            "the master's log does not tell when the test was started, and it may have a run time",
        );
    };
    if start.is_edited {
        return unknown("the test was edited after its start, and its run time may have changed");
    }
    if !start.is_first {
        return unknown("the run time in Locust's page may be that of an earlier test");
    }
    if start_of_log.is_none() {
        return unknown("the statistics were reset, so locustctl cannot check the test's run time");
    }
    let left = Duration::try_from_secs_f64(run_time as f64 - elapsed).unwrap_or_default();
    match looked_at.checked_add(left) {
        Some(end) => TimeLimit::Until(end),
        // It is later than any clock can tell.
        None => unknown("the run time in Locust's page is too long"),
    }
}

/// The start in the log, which is written in the master's time zone, where it agrees with the start of
/// the statistics.
fn in_utc(start: &TestStart, begin: OffsetDateTime) -> Option<OffsetDateTime> {
    let as_utc = start.at.assume_utc();
    let difference = (as_utc - begin).whole_milliseconds() as i64;
    let zone = (difference as f64 / (ZONE_STEP * 1000) as f64).round() as i64 * ZONE_STEP;
    let shifted = as_utc.checked_sub(time::Duration::seconds(zone))?;
    let apart = (shifted - begin).unsigned_abs();
    (apart <= TOLERANCE).then_some(shifted)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn page(answered_at: OffsetDateTime) -> Page {
        Page { answered_at: Some(answered_at), ..Page::default() }
    }

    fn start(is_edited: bool, is_first: bool) -> TestStart {
        // Two hours before UTC.
        TestStart { at: datetime!(2026-11-26 12:00:00.800), is_edited, is_first }
    }

    const BEGIN: OffsetDateTime = datetime!(2026-11-26 14:00:00 UTC);

    fn seconds_left(limit: &TimeLimit) -> Option<f64> {
        match limit {
            TimeLimit::Until(end) => Some(end.duration_since(Instant::now()).as_secs_f64()),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_is_left_follows_from_log_and_statistics() {
        let limit = judge(
            180,
            &page(datetime!(2026-11-26 14:01:00 UTC)),
            Instant::now(),
            Some(start(false, true)),
            Some(BEGIN),
        );
        let left = seconds_left(&limit).unwrap();
        assert!((left - 120.3).abs() < 0.01, "{left}");
        assert_eq!(limit.left(), Ok(Some(120)));
    }

    #[test]
    fn a_run_time_that_has_passed_is_that_of_an_earlier_test() {
        let now = page(datetime!(2026-11-26 14:03:04 UTC));
        for start in [Some(start(false, true)), Some(start(true, false)), None] {
            assert_eq!(judge(180, &now, Instant::now(), start, Some(BEGIN)), TimeLimit::None);
        }
    }

    #[test]
    fn a_start_that_is_not_certain_is_not_taken() {
        let now = page(datetime!(2026-11-26 14:01:00 UTC));
        let reset = Some(datetime!(2026-11-26 14:00:30 UTC));
        for (start, begin, expected) in [
            (Some(start(true, true)), Some(BEGIN), "edited"),
            (Some(start(false, false)), Some(BEGIN), "earlier test"),
            (Some(start(false, true)), reset, "reset"),
            (None, Some(BEGIN), "log"),
            (Some(start(false, true)), None, "does not tell"),
        ] {
            match judge(180, &now, Instant::now(), start, begin) {
                TimeLimit::Unknown(why) => assert!(why.contains(expected), "{why}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_that_is_about_to_end_is_left_alone() {
        let limit = TimeLimit::Until(Instant::now() + Duration::from_millis(400));
        assert!(limit.left().is_err());
        assert_eq!(TimeLimit::None.left(), Ok(None));
    }
}
