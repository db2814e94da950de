//! The users that a running test should have, and edits by somebody else.

use std::time::Duration;

use time::PrimitiveDateTime;
use tokio::time::Instant;

use crate::locust::{Attempt, KnownStart, MasterLog, Page};

/// A start whose answer is lost is noticed in the page or in the log within this time.
const ATTEMPT_PERIOD: Duration = Duration::from_secs(60);

/// The start of the test by locustctl, and what somebody else has requested since.
#[derive(Debug)]
pub(super) struct RequestedUsers {
    /// The last start that locustctl sent; `None` for a LoadTestShape.
    known: Option<KnownStart>,
    /// The users that were requested last; `None` for a LoadTestShape, and after an edit whose number is unknown.
    users: Option<u64>,
    /// Users and run time in the page since the last start or edit; `None` until the first look.
    settings: Option<(Option<f64>, Option<u64>)>,
    /// The last start by hand at the last look into the master's log, if it is not the known one.
    suspect: Option<PrimitiveDateTime>,
    /// The last start of locustctl whose answer is lost, and the time at which this was noticed.
    attempt: Option<(KnownStart, Instant)>,
}

impl RequestedUsers {
    pub(super) fn new(known: Option<KnownStart>) -> Self {
        let users = known.as_ref().map(|known| known.start.users);
        Self { known, users, settings: None, suspect: None, attempt: None }
    }

    /// The last start that locustctl sent; `None` for a LoadTestShape.
    pub(super) fn known(&self) -> Option<&KnownStart> {
        self.known.as_ref()
    }

    /// The number of users that the test should have; `None` if it is unknown.
    pub(super) fn wanted(&self, page: &Page) -> Option<u64> {
        let known = self.known.as_ref();
        let classes = known.map(|known| &*known.start.user_classes);
        let classes = classes.filter(|classes| !classes.is_empty());
        self.users.map(|users| page.reachable(users, classes))
    }

    /// locustctl has sent another start, to redistribute the users.
    pub(super) fn sent(&mut self, sent: &KnownStart) {
        self.settings = Some(settings(sent));
        self.known = Some(sent.clone());
        self.suspect = None;
        self.attempt = None;
    }

    /// The answer to another start of locustctl is lost. If Locust has carried it out, it is not an edit by somebody
    /// else.
    pub(super) fn attempted(&mut self, attempt: Attempt) {
        self.attempt = Some((attempt.start, Instant::now()));
    }

    /// The start whose answer is lost, if it may still be noticed.
    fn lost_start(&self) -> Option<&KnownStart> {
        let (known, noticed) = self.attempt.as_ref()?;
        (noticed.elapsed() < ATTEMPT_PERIOD).then_some(known)
    }

    /// A start was sent, its answer is lost, and neither the page nor the log has shown it yet.
    pub(super) fn has_lost_start(&self) -> bool {
        self.attempt.is_some()
    }

    /// Takes the time of the known start from the log, if it is the last start there. Returns the start.
    pub(super) fn complete(&mut self, log: &MasterLog) -> Option<&KnownStart> {
        let known = self.known.as_mut()?;
        let is_own = known.start.matches(log.last_spawn());
        known.logged_at = log.last_start_by_hand().filter(|_| is_own);
        self.known.as_ref().filter(|_| is_own)
    }

    /// Looks for an edit in the page. Only releases whose page follows the starts show it there. Returns the note.
    pub(super) fn see_page(&mut self, page: &Page) -> Option<String> {
        let expected = self.settings.get_or_insert(settings(self.known.as_ref()?));
        let now = (page.num_users, page.run_time);
        if now == *expected {
            return None;
        }
        *expected = now;
        if let Some(own) = self.lost_start().filter(|own| own.is_current(page)).cloned() {
            self.sent(&own);
            self.users = page.num_users.map(|users| users as u64);
            return None;
        }
        self.users = page.num_users.map(|users| users as u64);
        Some(match self.users {
            Some(users) => {
                format!("somebody else edited the test; the wanted number of users is {users} now")
            }
            None => EDITED.to_owned(),
        })
    }

    /// A look into the log has shown a start that may be somebody else's. The next look has to confirm it.
    pub(super) fn has_suspect(&self) -> bool {
        self.suspect.is_some()
    }

    /// Looks for an edit in the master's log. Returns the note.
    ///
    /// Locust writes the line of a leaving worker up to one second after the start that it makes itself. Before that
    /// line, the start looks like one by hand. So two looks in turn must show the same start.
    pub(super) fn see_log(&mut self, log: &MasterLog) -> Option<String> {
        let known_at = self.known.as_ref()?.logged_at?;
        let last = log.last_start_by_hand().filter(|last| *last != known_at);
        if last.is_none() || last != self.suspect {
            self.suspect = last;
            return None;
        }
        let is_own = |own: &&KnownStart| own.start.matches(log.last_spawn());
        if let Some(own) = self.lost_start().filter(is_own) {
            let own = KnownStart { logged_at: last, ..own.clone() };
            self.sent(&own);
            return None;
        }
        self.suspect = None;
        if let Some(known) = &mut self.known {
            known.logged_at = last;
        }
        self.users = None;
        Some(EDITED.to_owned())
    }
}

const EDITED: &str = "somebody else edited the test";

/// The numbers in the page that belong to a start.
fn settings(known: &KnownStart) -> (Option<f64>, Option<u64>) {
    (Some(known.start.users as f64), known.start.run_time.or(known.run_time_before))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::advance;

    use super::*;
    use crate::locust::Start;

    const SPAWN: &str = "Sending spawn jobs of 20 users at 5.00 spawn rate to 3 ready workers";

    /// A log with these lines, whose times are in milliseconds after 14:15.
    fn log(lines: &[(u32, &str)]) -> MasterLog {
        let line = |(at, text): &(u32, &str)| {
            let (seconds, millis) = (at / 1000, at % 1000);
            format!("[2026-11-26 14:15:{seconds:02},{millis:03}] host/INFO/locust.runners: {text}")
        };
        let lines: Vec<_> = lines.iter().map(line).collect();
        MasterLog::parse(json!({ "master": lines }).to_string().as_bytes()).unwrap()
    }

    fn started(user_classes: &[&str]) -> RequestedUsers {
        let user_classes = user_classes.iter().map(|class| (*class).to_owned()).collect();
        let start = Start { users: 20, spawn_rate: 5.0, run_time: Some(600), user_classes };
        let logged_at = log(&[(1000, SPAWN)]).last_start_by_hand();
        let at = Instant::now();
        RequestedUsers::new(Some(KnownStart { start, at, run_time_before: None, logged_at }))
    }

    fn page(args: &str) -> Page {
        Page::parse(&format!("window.templateArgs = {{{args}}}")).unwrap()
    }

    #[test]
    fn an_edit_in_the_page_is_noted_once_with_its_number_of_users() {
        let mut requested = started(&[]);
        let note = |users: &str| {
            format!("somebody else edited the test; the wanted number of users is {users} now")
        };
        for (args, expected, wanted) in [
            ("\"num_users\": 20, \"run_time\": 600", None, Some(20)),
            ("\"num_users\": 30, \"run_time\": 600", Some(note("30")), Some(30)),
            ("\"num_users\": 30, \"run_time\": 600", None, Some(30)),
            ("\"num_users\": 30, \"run_time\": 300", Some(note("30")), Some(30)),
            ("\"num_users\": null", Some(EDITED.to_owned()), None),
        ] {
            let page = page(args);
            assert_eq!(requested.see_page(&page), expected, "{args}");
            assert_eq!(requested.wanted(&page), wanted, "{args}");
        }
    }

    #[test]
    fn a_start_that_locust_makes_for_a_leaving_worker_is_not_an_edit() {
        let mut requested = started(&[]);
        let late = "Spawning is complete and report waittime is expired, but not all reports received from workers: \
                    {\"U\": 13} (13 total users)";
        let lines = [
            (1000, SPAWN),
            (1200, "All users spawned: {\"U\": 20} (20 total users)"),
            (9000, SPAWN),
            (10_001, late),
            (10_002, "Worker 'a_1' (index 0) quit. 2 workers ready."),
        ];
        // The lines up to the start, up to its end, and all.
        for (count, has_suspect) in [(2, false), (3, true), (5, false), (5, false)] {
            assert_eq!(requested.see_log(&log(&lines[..count])), None, "{count}");
            assert_eq!(requested.has_suspect(), has_suspect, "{count}");
        }
        assert_eq!(requested.wanted(&Page::default()), Some(20));
    }

    #[test]
    fn an_edit_in_the_log_is_noted_at_the_second_look() {
        let mut requested = started(&[]);
        let edited = log(&[(1000, SPAWN), (9000, SPAWN)]);
        assert_eq!(requested.see_log(&edited), None);
        assert_eq!(requested.see_log(&edited).as_deref(), Some(EDITED));
        assert_eq!(requested.see_log(&edited), None);
        assert_eq!(requested.wanted(&Page::default()), None);
        // A log whose oldest lines were dropped shows no edit.
        assert_eq!(requested.see_log(&log(&[])), None);
        assert!(!requested.has_suspect());
    }

    fn attempt(run_time: Option<u64>) -> Attempt {
        let start = Start { users: 20, spawn_rate: 20.0, run_time, user_classes: Vec::new() };
        let (at, run_time_before, logged_at) = (Instant::now(), Some(600), None);
        let start = KnownStart { start, at, run_time_before, logged_at };
        Attempt { start, last_start_before: None, is_open: true }
    }

    const OWN: &str =
        "\"version\": \"2.47.0\", \"num_users\": 20, \"spawn_rate\": 20, \"run_time\": 500";

    #[tokio::test(start_paused = true)]
    async fn a_start_without_an_answer_is_not_an_edit_if_the_page_shows_it_soon() {
        let edited =
            Some("somebody else edited the test; the wanted number of users is 20 now".to_owned());
        for (args, seconds, expected) in [
            (OWN.to_owned(), 1, None),
            (OWN.to_owned(), 61, edited.clone()),
            (OWN.replace("500", "499"), 1, edited.clone()),
            (OWN.replace("\"spawn_rate\": 20", "\"spawn_rate\": 5"), 1, edited),
        ] {
            let mut requested = started(&[]);
            assert_eq!(requested.see_page(&page("\"num_users\": 20, \"run_time\": 600")), None);
            requested.attempted(attempt(Some(500)));
            advance(Duration::from_secs(seconds)).await;
            assert_eq!(requested.see_page(&page(&args)), expected, "{args} {seconds}");
            let is_own = requested.known().unwrap().start.run_time == Some(500);
            assert_eq!(is_own, expected.is_none(), "{args} {seconds}");
            assert_eq!(requested.wanted(&Page::default()), Some(20));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_without_an_answer_is_not_an_edit_if_the_log_shows_it() {
        const OWN: &str = "Sending spawn jobs of 20 users at 20.00 spawn rate to 2 ready workers";
        for (line, expected) in [(OWN, None), (SPAWN, Some(EDITED.to_owned()))] {
            let mut requested = started(&[]);
            requested.attempted(attempt(None));
            let after = log(&[(1000, SPAWN), (9000, line)]);
            assert_eq!(requested.see_log(&after), None);
            assert_eq!(requested.see_log(&after), expected, "{line}");
            let known = requested.known().unwrap();
            assert_eq!(known.logged_at, after.last_start_by_hand());
            assert_eq!(known.start.spawn_rate == 20.0, expected.is_none());
        }
    }

    #[test]
    fn only_the_chosen_classes_limit_the_users() {
        let page = page(r#""users": {"A": {"fixed_count": 6}, "B": {"fixed_count": 0}}"#);
        assert_eq!(started(&["A"]).wanted(&page), Some(6));
        assert_eq!(started(&["A", "B"]).wanted(&page), Some(20));
        assert_eq!(started(&[]).wanted(&page), Some(20));
        assert_eq!(RequestedUsers::new(None).wanted(&page), None);
    }
}
