//! A start of the test by `POST /swarm`.

use std::time::Duration;

use time::PrimitiveDateTime;
use tokio::time::Instant;
use url::form_urlencoded;

use super::log::{MasterLog, Spawn};
use super::page::{Page, parse_run_time};

/// Locust logs the spawn rate with two decimals.
const RATE_TOLERANCE: f64 = 0.006;

/// The numbers of a start.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Users that are requested.
    pub users: u64,
    /// Users to start per second.
    pub spawn_rate: f64,
    /// Seconds after which the test ends; `None` if it has no run time.
    pub run_time: Option<u64>,
    /// Names of the user classes, if Locust runs with `--class-picker`; otherwise empty.
    pub user_classes: Vec<String>,
}

/// A start that locustctl sent, or relayed for a browser.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownStart {
    pub start: Start,
    /// Time at which Locust accepted the start. For a rebalance of a test with a run time: the end of the test
    /// minus the run time that was sent. This differs from the time of the answer by at most about a second.
    pub at: Instant,
    /// The run time in Locust's page before the start. The page keeps it if the start has none.
    pub run_time_before: Option<u64>,
    /// Time of the start in the master's log, by the master's clock; `None` while it is unknown.
    pub logged_at: Option<PrimitiveDateTime>,
}

impl Start {
    /// True if this start in the master's log has the same number of users and the same spawn rate.
    pub fn matches(&self, spawn: Option<Spawn>) -> bool {
        spawn.is_some_and(|spawn| {
            spawn.users == self.users && (spawn.rate - self.spawn_rate).abs() < RATE_TOLERANCE
        })
    }

    /// The form of `POST /swarm`.
    pub fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("user_count", &self.users.to_string());
        form.append_pair("spawn_rate", &self.spawn_rate.to_string());
        if let Some(seconds) = self.run_time {
            form.append_pair("run_time", &format!("{seconds}s"));
        }
        for class in &self.user_classes {
            form.append_pair("user_classes", class);
        }
        form.finish()
    }

    /// Reads the form of a start that a browser sends; `None` if it has no numbers, as for a
    /// LoadTestShape.
    pub fn parse(form: &[u8]) -> Option<Self> {
        let (mut users, mut spawn_rate, mut run_time) = (None, None, None);
        let mut user_classes = Vec::new();
        for (name, value) in form_urlencoded::parse(form) {
            match &*name {
                "user_count" => users = value.trim().parse().ok(),
                "spawn_rate" => spawn_rate = value.trim().parse().ok(),
                "run_time" if !value.is_empty() => run_time = Some(parse_run_time(&value)?),
                "user_classes" => user_classes.push(value.into_owned()),
                "shape_class" if value != "Default" => return None,
                _ => {}
            }
        }
        let spawn_rate = spawn_rate.filter(|rate: &f64| rate.is_finite() && *rate > 0.0)?;
        Some(Self { users: users?, spawn_rate, run_time, user_classes })
    }
}

impl KnownStart {
    /// The page shows no later start of the test with other numbers.
    pub fn is_current(&self, page: &Page) -> bool {
        let is_same_number =
            !page.follows_starts() || page.num_users == Some(self.start.users as f64);
        let is_same_rate = page.spawn_rate.is_none_or(|rate| rate == self.start.spawn_rate);
        let is_same_time = page.run_time == self.start.run_time.or(self.run_time_before);
        is_same_number && (!page.cancels_timer() || (is_same_rate && is_same_time))
    }

    /// The master's log has no later start, except those that Locust made itself.
    pub fn is_last_in(&self, log: Option<&MasterLog>) -> bool {
        let last = log.and_then(MasterLog::last_start_by_hand);
        self.logged_at.is_some() && self.logged_at == last
    }

    /// The end of the test; `None` if it has no run time.
    pub fn ends_at(&self) -> Option<Instant> {
        self.at.checked_add(Duration::from_secs(self.start.run_time?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_survives_a_round_trip_through_locusts_form() {
        let start = Start {
            users: 60,
            spawn_rate: 2.5,
            run_time: Some(90),
            user_classes: vec!["A".to_owned(), "B".to_owned()],
        };
        let form = start.form();
        assert_eq!(form, "user_count=60&spawn_rate=2.5&run_time=90s&user_classes=A&user_classes=B");
        assert_eq!(Start::parse(form.as_bytes()), Some(start));
    }

    #[test]
    fn a_known_start_is_current_until_the_page_shows_another() {
        let started = |run_time, run_time_before| {
            let start = Start { users: 60, spawn_rate: 2.5, run_time, user_classes: Vec::new() };
            KnownStart { start, at: Instant::now(), run_time_before, logged_at: None }
        };
        let page = |version: &str, users: f64, spawn_rate, run_time| Page {
            version: version.to_owned(),
            num_users: Some(users),
            spawn_rate,
            run_time,
            ..Page::default()
        };
        let (none, rate) = (started(None, None), Some(2.5));
        for (name, known, page, expected) in [
            ("the same", &none, page("2.47.0", 60.0, rate, None), true),
            ("no rate in the page", &none, page("2.47.0", 60.0, None, None), true),
            ("another rate", &none, page("2.47.0", 60.0, Some(3.0), None), false),
            ("another run time", &none, page("2.47.0", 60.0, rate, Some(90)), false),
            ("another number", &none, page("2.47.0", 30.0, rate, None), false),
            ("another number in 2.46.7", &none, page("2.46.7", 30.0, rate, None), false),
            ("another rate in 2.46.7", &none, page("2.46.7", 60.0, Some(3.0), Some(90)), true),
            ("numbers of the master", &none, page("2.46.6", 100.0, Some(1.0), Some(90)), true),
            (
                "its run time",
                &started(Some(90), Some(5)),
                page("2.47.0", 60.0, rate, Some(90)),
                true,
            ),
            (
                "its run time is gone",
                &started(Some(90), None),
                page("2.47.0", 60.0, rate, None),
                false,
            ),
            (
                "an earlier run time",
                &started(None, Some(90)),
                page("2.47.0", 60.0, rate, Some(90)),
                true,
            ),
        ] {
            assert_eq!(known.is_current(&page), expected, "{name}");
        }
    }

    #[test]
    fn a_form_without_numbers_is_not_read() {
        for form in [
            "",
            "user_count=60",
            "user_count=x&spawn_rate=1",
            "user_count=60&spawn_rate=0",
            "user_count=60&spawn_rate=inf",
            "user_count=60&spawn_rate=1&run_time=soon",
            "user_count=60&spawn_rate=1&shape_class=Stages",
        ] {
            assert_eq!(Start::parse(form.as_bytes()), None, "{form}");
        }
    }
}
