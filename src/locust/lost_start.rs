//! A start whose answer is lost: Locust may have carried it out.

use std::time::Duration;

use time::PrimitiveDateTime;
use tokio::time::Instant;

use super::error::Error;
use super::log::MasterLog;
use super::look::Look;
use super::start::{KnownStart, Start};
use crate::text::quantity;

/// How long locustctl looks for a lost start in Locust's page and log.
const LOST_PERIOD: Duration = Duration::from_secs(60);

/// A start that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The start, without its time in the master's log.
    pub start: KnownStart,
    /// The last start by hand in the master's log before this start.
    pub last_start_before: Option<PrimitiveDateTime>,
    /// Locust may have carried out the start, but the result is not confirmed. False if Locust has refused the start, or
    /// has not got it.
    pub is_open: bool,
}

impl Attempt {
    /// A start that is sent now, and whose run time counts from `at`. `look` is the last look before it.
    pub fn new(start: &Start, at: Instant, look: &Look) -> Self {
        let run_time_before = look.page.as_ref().and_then(|page| page.run_time);
        Self {
            start: KnownStart { start: start.clone(), at, run_time_before, logged_at: None },
            last_start_before: look.log.as_ref().and_then(MasterLog::last_start_by_hand),
            is_open: true,
        }
    }

    /// The message after an error that followed this start.
    pub fn failure(&self, error: &Error) -> String {
        match self.is_open {
            true => format!("{}: {error}", self.unconfirmed()),
            false => error.to_string(),
        }
    }

    /// The message if nothing more is known.
    pub fn unconfirmed(&self) -> String {
        let users = quantity(self.start.start.users, "user");
        format!("locustctl sent a start for {users} to Locust, and could not confirm the result")
    }
}

/// A start whose answer is lost, until Locust shows that it has carried it out.
#[derive(Debug)]
pub struct LostStart {
    attempt: Attempt,
    lost_at: Instant,
    /// Time of the start that the last look showed in the master's log, if it matches the attempt.
    candidate: Option<PrimitiveDateTime>,
}

impl LostStart {
    pub fn new(attempt: Attempt) -> Self {
        Self { attempt, lost_at: Instant::now(), candidate: None }
    }

    /// The search has ended: a minute has passed, or the test is not running any more.
    pub fn is_over(&self, look: &Look) -> bool {
        self.lost_at.elapsed() > LOST_PERIOD || !look.is_running()
    }

    /// Returns the start if Locust's page and log show it in two consecutive looks. One look is not enough: just after
    /// Locust starts users itself, the log looks as if a client had sent the start.
    pub fn find(&mut self, look: &Look) -> Option<KnownStart> {
        let last = self.logged(look);
        let is_confirmed = last.is_some() && last == self.candidate;
        self.candidate = last;
        let logged_at = last.filter(|_| is_confirmed)?;
        Some(KnownStart { logged_at: Some(logged_at), ..self.attempt.start.clone() })
    }

    /// The time of the last start by hand in the master's log, if it was not there before the attempt, and the log and
    /// the page have the numbers of the attempt.
    fn logged(&self, look: &Look) -> Option<PrimitiveDateTime> {
        let (page, log) = (look.page.as_ref()?, look.log.as_ref()?);
        let Attempt { start: sent, last_start_before, .. } = &self.attempt;
        let run_time = sent.start.run_time;
        // The page keeps the old run time after a start without one. So a run time identifies this start only if the
        // page did not show it before.
        let has_own_run_time =
            page.run_time == run_time && (run_time.is_none() || run_time != sent.run_time_before);
        let is_shown = has_own_run_time || !page.cancels_timer();
        let is_own = is_shown
            && sent.is_current(page)
            && sent.start.matches(log.last_spawn())
            && look.state() == "running";
        log.last_start_by_hand().filter(|last| is_own && Some(*last) != *last_start_before)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::super::examples::{look, spawn};
    use super::*;

    fn now(run_time: Option<u64>, starts: &[&str]) -> Look {
        let now = look("2.47.0", &[60]).with_num_users(60.0);
        now.page(|page| page.run_time = run_time).log_10_s_apart(starts)
    }

    fn lost(before: &Look, run_time: Option<u64>) -> LostStart {
        let start = Start { users: 60, spawn_rate: 10.0, run_time, user_classes: Vec::new() };
        LostStart::new(Attempt::new(&start, Instant::now(), before))
    }

    fn is_found(before: &Look, run_time: Option<u64>, looks: &[&Look]) -> bool {
        let mut lost = lost(before, run_time);
        looks.iter().filter_map(|look| lost.find(look)).next().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_start_is_found_if_two_consecutive_looks_show_it() {
        let (one, other) = (spawn(60, "10.00", 3), spawn(60, "10.00", 1));
        let before = now(Some(600), &[&one]);
        let after = now(Some(480), &[&one, &other]);
        assert!(is_found(&before, Some(480), &[&after, &after]));
        assert!(!is_found(&before, Some(480), &[&after]), "one look");
        assert!(!is_found(&before, Some(480), &[&after, &before, &after]), "not consecutive");
        assert!(!is_found(&before, Some(480), &[&before, &before]), "Locust did not get it");
        let edited = now(Some(600), &[&one, &other]);
        assert!(!is_found(&before, Some(480), &[&edited, &edited]), "another run time");
        assert!(!is_found(&before, None, &[&edited, &edited]), "perhaps with a run time");
        let old = |look: &Look| look.clone().page(|page| page.version = "2.32.2".to_owned());
        let (before, edited) = (old(&before), old(&edited));
        assert!(is_found(&before, None, &[&edited, &edited]), "a start leaves the timer alone");
        let before = now(Some(600), &[&one]);
        let fewer = now(Some(480), &[&one, &spawn(30, "10.00", 1)]);
        assert!(!is_found(&before, Some(480), &[&fewer, &fewer]), "other users");
    }

    #[tokio::test(start_paused = true)]
    async fn the_search_for_a_lost_start_ends_after_a_minute_or_with_the_test() {
        let before = now(None, &[&spawn(60, "10.00", 1)]);
        let lost = lost(&before, None);
        assert!(!lost.is_over(&before) && lost.is_over(&before.clone().with_state("stopped")));
        advance(LOST_PERIOD + Duration::from_secs(1)).await;
        assert!(lost.is_over(&before));
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_locust_refused_is_not_called_unconfirmed() {
        let before = now(None, &[]);
        let mut attempt = lost(&before, None).attempt;
        let error = Error::Refused("no".to_owned());
        assert!(attempt.failure(&error).starts_with("locustctl sent a start for 60 users"));
        attempt.is_open = false;
        assert_eq!(attempt.failure(&error), error.to_string());
    }
}
