//! The run time of a running test: when Locust will end the test, and what a new start has to send.
//!
//! From release 2.47 on, each `POST /swarm` cancels Locust's timer, so a rebalance sends the time that
//! is left. In older releases the timer survives every start, so a rebalance sends no run time. The
//! page keeps the last run time that was sent, even if the next test was started without one. Until a start
//! sends one, the page shows the run time that the master was started with. That time alone limits only the
//! test of `--autostart`.

use std::time::Duration;

use time::{OffsetDateTime, PrimitiveDateTime};
use tokio::time::Instant;

use super::error::Error;
use super::log::TestStart;
use super::look::Look;
use super::master::Master;
use super::page::Page;
use super::start::KnownStart;

/// Locust reports its clock and the start of the statistics in full seconds.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The statistics may begin this long before the test. Locust keeps the earliest start of all reports, and a report
/// that arrives just after the start of the test covers the time since the worker's previous report. Workers report
/// every 3 s, and less often on a busy machine.
const FIRST_REPORT_BEGINS_EARLIER: Duration = Duration::from_secs(8);

/// Time zones differ from UTC by multiples of this.
const ZONE_STEP: i64 = 15 * 60;

/// The run time that a new start has to send.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeLimit {
    /// Send no run time: the test has none, or Locust's timer survives the start.
    None,
    /// The test ends at this time. Send the time that is left.
    Until(Instant),
    /// The end of the test is unknown. The text is the reason.
    Unknown(String),
}

impl TimeLimit {
    /// The run time to send now, in seconds; `None` to send none.
    ///
    /// # Errors
    /// The end of the test is unknown, or the test is about to end.
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

    /// The start time that makes this run time end exactly at the time limit. Measuring from this time keeps the
    /// rounding errors of several starts from adding up.
    pub fn begin(&self, run_time: Option<u64>) -> Option<Instant> {
        match self {
            Self::Until(end) => end.checked_sub(Duration::from_secs(run_time?)),
            Self::None | Self::Unknown(_) => None,
        }
    }
}

/// The end of the running test. It follows from the test's start: either from `known`, or the master's
/// log and the start of the statistics must agree.
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
        let why = "locustctl cannot read the release of Locust, and the test may have a run time";
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
    let Some(run_time) = page.run_time else { return Ok(TimeLimit::None) };
    let Some(start) = now.log.as_ref().and_then(|log| log.test_start()) else {
        return Ok(TimeLimit::Unknown(
            "the master's log does not show when the test started, and the test may have a run time".to_owned(),
        ));
    };
    let begin = master.stats_start(start.at).await?;
    let limit = judge(run_time, page, &start, begin);
    if !matches!(limit, TimeLimit::Until(_)) {
        return Ok(limit);
    }
    Ok(match master.may_have_started_with(run_time).await {
        Ok(false) => limit,
        Ok(true) => TimeLimit::Unknown(
            "Locust's page may show only the run time that the master was started with, so locustctl cannot tell if the test has a run time"
                .to_owned(),
        ),
        Err(error) => TimeLimit::Unknown(format!(
            "locustctl cannot read the run time in the command of Locust's master: {error}"
        )),
    })
}

/// `start` is the start of the test in the master's log. `begin` is the start of the statistics, in full
/// seconds; a reset moves it to a later time. `run_time` is the one in Locust's page: that of the
/// last start that sent one, or that of the master's command.
fn judge(
    run_time: u64,
    page: &Page,
    start: &TestStart,
    begin: Option<OffsetDateTime>,
) -> TimeLimit {
    let unknown = |why: &str| TimeLimit::Unknown(why.to_owned());
    let Some((begin, answer)) = begin.zip(page.answer_time) else {
        return unknown(
            "Locust does not report when the test started, and the test may have a run time",
        );
    };
    let nearest = in_utc(start.at, begin, start.at);
    // A reset moves the start of the statistics. If that is some quarters of an hour after the start of the test, the
    // difference looks like a time zone. With that wrong zone, the last event in the log can lie in the future.
    let is_reset = start.reset_at.is_some_and(|reset| reset - start.at > TOLERANCE);
    let last_event = in_utc(start.at, begin, start.last_event_at);
    // The log is read later than the page.
    let max_delay = TOLERANCE + answer.received.elapsed();
    let is_in_future = last_event.is_some_and(|last| last - answer.by_server > max_delay);
    let start_of_log = nearest.filter(|start| agree(*start, begin) && !is_reset && !is_in_future);
    // A worker whose clock is slow moves the start of the statistics to an earlier time, and can shift the zone of the
    // log by one step. The test must not look older than it is, so take the later of the two times, and add a step.
    let latest = nearest.map_or(begin, |start| start.max(begin));
    let certain = latest.checked_add(time::Duration::seconds(ZONE_STEP));
    let Some(began) = start_of_log.or(certain) else {
        return unknown("the start of Locust's statistics is out of range");
    };
    // The time of the answer has full seconds, so it is half a second late on average.
    let elapsed = (answer.by_server - began).as_seconds_f64() + 0.5;
    let since_last_start = match start.edited_at {
        // Otherwise an edit may be the first start that is left in the log.
        None => (start.is_certain || start_of_log.is_some()).then_some(elapsed),
        // Without a common zone, the edit may be later than the start of the statistics.
        Some(edited_at) => start_of_log.map(|_| elapsed - (edited_at - start.at).as_seconds_f64()),
    };
    // Only the last start can have set Locust's timer, because each start cancels it.
    if since_last_start.is_some_and(|time| time > run_time as f64 + TOLERANCE.as_secs_f64()) {
        // The test has run for longer, so the run time is that of an earlier test.
        return TimeLimit::None;
    }
    if start.edited_at.is_some() {
        return unknown("the test was edited after its start, and its run time may have changed");
    }
    if !start.is_first {
        return unknown("the run time in Locust's page may be that of an earlier test");
    }
    if start_of_log.is_none() {
        return unknown(
            "the statistics do not begin with the test, for example after a reset, so locustctl cannot \
             check the test's run time",
        );
    }
    let left = Duration::try_from_secs_f64(run_time as f64 - elapsed).unwrap_or_default();
    match answer.received.checked_add(left) {
        Some(end) => TimeLimit::Until(end),
        // No clock reaches this time.
        None => unknown("the run time in Locust's page is too long"),
    }
}

/// Converts a `time` in the log to UTC. The log does not name the master's time zone. This function assumes the zone in
/// which the `start` of the test is nearest to `begin`, the start of the statistics. `None` if the result is out of range.
fn in_utc(
    start: PrimitiveDateTime,
    begin: OffsetDateTime,
    time: PrimitiveDateTime,
) -> Option<OffsetDateTime> {
    let difference = (start.assume_utc() - begin).whole_milliseconds() as i64;
    let zone = (difference as f64 / (ZONE_STEP * 1000) as f64).round() as i64 * ZONE_STEP;
    time.assume_utc().checked_sub(time::Duration::seconds(zone))
}

/// True if the statistics that start at `begin` are those of the test that started at `start`.
fn agree(start: OffsetDateTime, begin: OffsetDateTime) -> bool {
    begin - start <= TOLERANCE && start - begin <= FIRST_REPORT_BEGINS_EARLIER
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::page::AnswerTime;
    use super::*;

    /// The page that was received just now, at this time by the server's clock.
    fn page(by_server: OffsetDateTime) -> Page {
        let answer_time = Some(AnswerTime { by_server, received: Instant::now() });
        Page { answer_time, ..Page::default() }
    }

    /// A start in the log, two hours before UTC, with an edit after `edited` seconds.
    fn start(edited: Option<i64>, is_first: bool) -> TestStart {
        let at = datetime!(2026-11-26 12:00:00.800);
        let edited_at = edited.map(|seconds| at + time::Duration::seconds(seconds));
        let last_event_at = at + time::Duration::seconds(30);
        TestStart { at, edited_at, is_first, is_certain: true, reset_at: None, last_event_at }
    }

    const BEGIN: OffsetDateTime = datetime!(2026-11-26 14:00:00 UTC);

    fn seconds_left(limit: &TimeLimit) -> Option<f64> {
        match limit {
            TimeLimit::Until(end) => Some(end.duration_since(Instant::now()).as_secs_f64()),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_left_follows_from_the_log_and_the_statistics() {
        let limit =
            judge(180, &page(datetime!(2026-11-26 14:01:00 UTC)), &start(None, true), Some(BEGIN));
        let left = seconds_left(&limit).unwrap();
        assert!((left - 120.3).abs() < 0.01, "{left}");
        assert_eq!(limit.left(), Ok(Some(120)));
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_slow_machine_the_time_counts_from_the_answer() {
        let page = page(datetime!(2026-11-26 14:01:00 UTC));
        tokio::time::advance(Duration::from_secs(20)).await;
        // A worker joined between the answer with the page and the one with the log.
        let last_event_at = start(None, true).at + time::Duration::seconds(70);
        let start = TestStart { last_event_at, ..start(None, true) };
        let left = seconds_left(&judge(180, &page, &start, Some(BEGIN))).unwrap();
        assert!((left - 100.3).abs() < 0.01, "{left}");
    }

    #[tokio::test(start_paused = true)]
    async fn statistics_that_begin_with_an_earlier_report_of_a_worker_belong_to_the_test() {
        let page = page(datetime!(2026-11-26 14:01:00 UTC));
        for earlier in 0..=7 {
            let begin = BEGIN - time::Duration::seconds(earlier);
            let limit = judge(180, &page, &start(None, true), Some(begin));
            let left = seconds_left(&limit).unwrap();
            assert!((left - 120.3).abs() < 0.01, "{earlier} s: {left}");
        }
    }

    #[test]
    fn a_run_time_that_expired_after_the_last_start_belongs_to_an_earlier_test() {
        let now = page(datetime!(2026-11-26 14:03:14 UTC));
        for start in [start(None, true), start(None, false), start(Some(9), true)] {
            assert_eq!(judge(180, &now, &start, Some(BEGIN)), TimeLimit::None);
        }
    }

    #[test]
    fn a_run_time_that_a_later_start_may_have_set_is_not_taken_as_expired() {
        let now = page(datetime!(2026-11-26 14:03:14 UTC));
        let reset = datetime!(2026-11-26 14:00:02.900 UTC);
        for (start, begin) in [
            (start(Some(100), true), BEGIN),
            // The edit has reset the statistics.
            (start(Some(9), true), reset),
        ] {
            let limit = judge(180, &now, &start, Some(begin));
            assert!(matches!(limit, TimeLimit::Unknown(_)), "{limit:?}");
        }
    }

    #[test]
    fn a_worker_with_a_slow_clock_does_not_make_the_run_time_an_old_one() {
        let now = page(datetime!(2026-11-26 14:02:40 UTC));
        let begin = Some(datetime!(2026-11-26 13:59:00 UTC));
        match judge(180, &now, &start(None, true), begin) {
            TimeLimit::Unknown(why) => assert!(why.contains("do not begin with"), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_start_that_may_be_an_edit_of_an_older_test_does_not_make_the_run_time_an_old_one() {
        let now = page(datetime!(2026-11-26 14:01:00 UTC));
        let begin = Some(datetime!(2026-11-26 12:52:00 UTC));
        for (is_certain, expected) in [(true, true), (false, false)] {
            let start = TestStart { is_certain, ..start(None, false) };
            let limit = judge(1800, &now, &start, begin);
            assert_eq!(limit == TimeLimit::None, expected, "{limit:?}");
        }
    }

    #[test]
    fn an_uncertain_start_is_not_used() {
        let now = page(datetime!(2026-11-26 14:01:00 UTC));
        let reset = Some(datetime!(2026-11-26 14:00:30 UTC));
        for (start, begin, expected) in [
            (start(Some(9), true), Some(BEGIN), "edited"),
            (start(None, false), Some(BEGIN), "earlier test"),
            (start(None, true), reset, "reset"),
            (start(None, true), None, "does not report"),
            (start(None, true), Some(datetime!(9999-12-31 23:59:59 UTC)), "out of range"),
        ] {
            match judge(180, &now, &start, begin) {
                TimeLimit::Unknown(why) => assert!(why.contains(expected), "{why}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_reset_a_quarter_of_an_hour_after_the_start_is_not_taken_for_a_time_zone() {
        let now = page(datetime!(2026-11-26 14:30:00 UTC));
        let reset = Some(datetime!(2026-11-26 14:15:00 UTC));
        let at = |minutes: i64| start(None, true).at + time::Duration::minutes(minutes);
        let logged = TestStart { reset_at: Some(at(15)), ..start(None, true) };
        // A reset by somebody in Locust's page is not in the log. The last worker left in the last minute.
        let by_hand = TestStart { last_event_at: at(29), ..start(None, true) };
        for start in [logged, by_hand] {
            let limit = judge(3600, &now, &start, reset);
            assert!(matches!(limit, TimeLimit::Unknown(_)), "{limit:?}");
        }
    }

    #[test]
    fn a_worker_whose_clock_is_ten_minutes_slow_does_not_make_the_run_time_an_old_one() {
        let now = page(datetime!(2026-11-26 14:10:00 UTC));
        let begin = Some(datetime!(2026-11-26 13:50:00 UTC));
        let limit = judge(900, &now, &start(None, true), begin);
        assert!(matches!(limit, TimeLimit::Unknown(_)), "{limit:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_test_stays_the_same_after_many_rebalances() {
        let end = Instant::now() + Duration::from_secs(60);
        let mut limit = TimeLimit::Until(end);
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(1400)).await;
            let run_time = limit.left().unwrap();
            let at = limit.begin(run_time).unwrap();
            limit = TimeLimit::Until(at + Duration::from_secs(run_time.unwrap()));
        }
        assert_eq!(limit, TimeLimit::Until(end));
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_that_is_about_to_end_gets_no_start() {
        let limit = TimeLimit::Until(Instant::now() + Duration::from_millis(400));
        assert!(limit.left().is_err());
        assert_eq!(TimeLimit::None.left(), Ok(None));
    }
}
