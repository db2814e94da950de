//! Starts the test, and checks beforehand that Locust understands the settings.

use std::cell::Cell;
use std::time::Duration;

use time::PrimitiveDateTime;
use tokio::time::{Instant, sleep};
use url::form_urlencoded;

use super::patience::{is_temporary_for_locust, patiently};
use super::report::TestSettings;
use crate::locust::{
    Error, KnownStart, LOOK_PERIOD, Master, MasterLog, OLDEST_JUDGED, Page, Start, is_idle,
};
use crate::text::quantity;
use crate::text::terminal::harmless;

/// Time limit for Locust to begin with a test that it has accepted.
const BEGIN_LIMIT: Duration = Duration::from_secs(15);

/// Locust's own default, in users per second.
const DEFAULT_SPAWN_RATE: f64 = 1.0;

/// The name that stands for no LoadTestShape class.
const NO_SHAPE: &str = "Default";

/// The settings of a test, as they were typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestStart {
    pub users: Option<u64>,
    /// Users to start per second.
    pub spawn_rate: Option<f64>,
    /// In seconds.
    pub run_time: Option<u64>,
    pub host: Option<String>,
    pub user_classes: Vec<String>,
    pub shape_class: Option<String>,
    /// Custom options of the locustfile, with their values.
    pub options: Vec<(String, String)>,
}

impl TestStart {
    /// Checks that Locust does not ignore a setting, and that none is missing.
    ///
    /// # Errors
    /// The flag and the reason.
    pub fn check(&self, page: &Page) -> Result<(), String> {
        match page.release() {
            Some(release) if release.is_judged() => {}
            Some(release) => {
                return Err(format!(
                    "run needs Locust {OLDEST_JUDGED} or newer, but this is Locust {release}"
                ));
            }
            // Releases before 2.22 have another page.
            None => {
                return Err(format!(
                    "run needs Locust {OLDEST_JUDGED} or newer, but this Locust is older or its page cannot be read"
                ));
            }
        }
        self.check_classes(page)?;
        let offered = &page.extra_options;
        if let Some((name, _)) = self.options.iter().find(|(name, _)| !offered.contains(name)) {
            return Err(match offered.as_slice() {
                [] => format!("--option {name}: the locustfile has no custom options"),
                all => format!(
                    "--option {name}: the locustfile has no such option, only {}",
                    harmless(&all.join(", "))
                ),
            });
        }
        self.check_numbers(page)
    }

    /// Locust ignores these settings silently if the master runs without `--class-picker`.
    fn check_classes(&self, page: &Page) -> Result<(), String> {
        let shape = self.shape_class.as_slice();
        let known_users: Vec<_> = page.users.keys().map(String::as_str).collect();
        let known_shapes: Vec<_> =
            page.available_shape_classes.iter().map(String::as_str).collect();
        for (flag, wanted, known) in [
            ("--user-class", self.user_classes.as_slice(), known_users),
            ("--shape-class", shape, known_shapes),
        ] {
            let Some(first) = wanted.first() else { continue };
            if !page.show_userclass_picker {
                return Err(format!(
                    "{flag}={first}: Locust would ignore it, because its master runs without --class-picker"
                ));
            }
            if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
                let known = harmless(&known.join(", "));
                return Err(format!("{flag}={unknown}: Locust has no such class, only {known}"));
            }
        }
        Ok(())
    }

    fn check_numbers(&self, page: &Page) -> Result<(), String> {
        if self.is_shaped(page) {
            return match (self.users, self.spawn_rate) {
                (None, None) => Ok(()),
                _ if page.has_shape && !page.hide_common_options => Ok(()),
                _ => Err("--users and --spawn-rate have no effect: a LoadTestShape sets the users; leave them out"
                    .to_owned()),
            };
        }
        match (self.users, self.run_time) {
            (None, None) => {
                Err("the number of users and the run time are missing: give them with -u/--users and -t/--run-time, \
                     as in -u 20 -t 10m"
                    .to_owned())
            }
            (None, _) => Err("the number of users is missing: give it with -u/--users".to_owned()),
            (_, None) => Err("the run time is missing: give it with -t/--run-time, as in -t 10m. Only a test with a \
                              LoadTestShape ends by itself"
                .to_owned()),
            _ => Ok(()),
        }
    }

    /// A LoadTestShape sets the users.
    pub fn is_shaped(&self, page: &Page) -> bool {
        match &self.shape_class {
            Some(name) => name != NO_SHAPE,
            None => page.is_shaped(),
        }
    }

    /// The time from the start until all users run; `None` for a LoadTestShape.
    pub fn ramp_up(&self) -> Option<Duration> {
        let users = self.users? as f64;
        Duration::try_from_secs_f64(users / self.spawn_rate.unwrap_or(DEFAULT_SPAWN_RATE)).ok()
    }

    /// The run time; `None` if only a LoadTestShape ends the test.
    pub fn run_time(&self) -> Option<Duration> {
        self.run_time.map(Duration::from_secs)
    }

    /// The settings for the reports.
    pub fn settings(&self, page: &Page) -> TestSettings {
        let numbers = self.numbers(page);
        TestSettings {
            users: numbers.as_ref().map(|start| start.users),
            spawn_rate: numbers.map(|start| start.spawn_rate),
            run_time: self.run_time(),
            host: self.host.clone(),
            user_classes: self.user_classes.clone(),
            shape_class: self.shape_class.clone(),
            lowest_users: None,
        }
    }

    /// The form of `POST /swarm`.
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if let Some(users) = self.users {
            form.append_pair("user_count", &users.to_string());
            let rate = self.spawn_rate.unwrap_or(DEFAULT_SPAWN_RATE);
            form.append_pair("spawn_rate", &rate.to_string());
        }
        if let Some(seconds) = self.run_time {
            form.append_pair("run_time", &format!("{seconds}s"));
        }
        for (name, value) in [("host", &self.host), ("shape_class", &self.shape_class)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        for class in &self.user_classes {
            form.append_pair("user_classes", class);
        }
        for (name, value) in &self.options {
            form.append_pair(name, value);
        }
        form.finish()
    }

    /// The numbers of the start; `None` for a LoadTestShape, also if it uses the number of users.
    fn numbers(&self, page: &Page) -> Option<Start> {
        Some(Start {
            users: self.users.filter(|_| !self.is_shaped(page))?,
            spawn_rate: self.spawn_rate.unwrap_or(DEFAULT_SPAWN_RATE),
            run_time: self.run_time,
            user_classes: self.user_classes.clone(),
        })
    }
}

/// A test that Locust has begun.
#[derive(Debug, Clone)]
pub struct BegunTest {
    /// Time at which Locust accepted the start.
    pub at: Instant,
    /// The numbers of the start; `None` for a LoadTestShape.
    pub known: Option<KnownStart>,
    /// Time of the start in the master's log, by the master's clock; `None` if it is unknown.
    pub logged_at: Option<PrimitiveDateTime>,
    /// The master's log after the start.
    pub log: Option<MasterLog>,
}

/// The progress of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartStep {
    NotSent,
    Sent,
    /// Locust has answered, or its answer is lost.
    Accepted,
}

/// Starts the test, and waits until Locust has begun with it. Locust says "Swarming started" also if it starts
/// nothing, so locustctl checks its state. `step` follows the request.
///
/// Locust logs a start before it calls the locustfile's listeners of `test_start`, and its state changes when they
/// have returned. While the log has the start, locustctl waits for at most `limit`.
///
/// # Errors
/// Locust refuses, or its state stays `ready` or `stopped`. The test may still start.
pub async fn start_test(
    master: &Master<'_>,
    start: &TestStart,
    limit: Duration,
    step: &Cell<StartStep>,
) -> Result<BegunTest, String> {
    let text = |error: Error| error.to_string();
    let give_up = Instant::now() + limit;
    let last_start = |log: &Option<MasterLog>| log.as_ref().and_then(MasterLog::last_start_by_hand);
    let before = last_start(&patiently(give_up, || master.log()).await.map_err(text)?);
    // Locust would take a start during another test for an edit of that test.
    let page = patiently(give_up, || master.page()).await.map_err(text)?;
    let before_start = page.ok_or("Locust's page cannot be read; nothing was sent")?;
    if !is_idle(&before_start.state) {
        return Err(format!(
            "somebody else has started a test: its state is {}, with {}; nothing was sent",
            before_start.state,
            quantity(before_start.user_count, "user")
        ));
    }
    step.set(StartStep::Sent);
    let lost = match master.start_with(start.form()).await {
        Ok(()) => None,
        // The answer was lost, but Locust may have begun.
        Err(error) if is_temporary_for_locust(&error) => Some(error.to_string()),
        Err(error) => return Err(error.to_string()),
    };
    step.set(StartStep::Accepted);
    let at = Instant::now();
    let mut last = String::new();
    let mut give_up = at + BEGIN_LIMIT;
    while Instant::now() < give_up {
        match master.page().await {
            Ok(page) => {
                let page = page.unwrap_or_default();
                let log = master.log().await.unwrap_or_default();
                let has_new_start = log.is_some() && last_start(&log) != before;
                // A short test may be over already.
                let is_over = has_new_start && log.as_ref().is_some_and(MasterLog::has_ended);
                if is_over || (page.is_running() && page.worker_count != Some(0)) {
                    let logged_at = last_start(&log).filter(|_| has_new_start);
                    let run_time_before = before_start.run_time;
                    let known = start.numbers(&before_start).map(|start| KnownStart {
                        start,
                        at,
                        run_time_before,
                        logged_at,
                    });
                    return Ok(BegunTest { at, known, logged_at, log });
                }
                if has_new_start {
                    give_up = give_up.max(at + limit);
                }
                last = format!("its state is {}", page.state);
                if page.worker_count == Some(0) {
                    last.push_str(", and no worker is connected");
                }
            }
            Err(error) => last = format!("it does not answer: {error}"),
        }
        sleep(LOOK_PERIOD).await;
    }
    let seconds = at.elapsed().as_secs();
    Err(match lost {
        Some(why) => format!("Locust did not answer the start: {why}; after {seconds} s {last}"),
        None => format!("Locust accepted the start, but after {seconds} s {last}"),
    })
}

/// Waits until Locust has answered a start, or has begun with a test.
pub async fn until_accepted(master: &Master<'_>, step: &Cell<StartStep>) {
    while step.get() != StartStep::Accepted
        && !matches!(master.page().await, Ok(Some(page)) if page.is_running())
    {
        sleep(LOOK_PERIOD).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(args: &str) -> Page {
        let html = format!(
            "window.templateArgs = {{\"version\": \"2.47.0\", \"state\": \"ready\", {args} \"x\": 1}}"
        );
        Page::parse(&html).unwrap()
    }

    fn start() -> TestStart {
        TestStart { users: Some(10), run_time: Some(60), ..TestStart::default() }
    }

    #[test]
    fn the_form_has_the_names_of_locust() {
        let start = TestStart {
            spawn_rate: Some(2.5),
            host: Some("https://a.example".to_owned()),
            user_classes: vec!["A".to_owned(), "B".to_owned()],
            shape_class: Some("Default".to_owned()),
            options: vec![("my_option".to_owned(), "x y".to_owned())],
            ..start()
        };
        assert_eq!(
            start.form(),
            "user_count=10&spawn_rate=2.5&run_time=60s&host=https%3A%2F%2Fa.example&shape_class=Default\
             &user_classes=A&user_classes=B&my_option=x+y"
        );
        assert_eq!(TestStart::default().form(), "");
    }

    #[test]
    fn a_shape_has_no_number_of_users_even_if_it_is_given_one() {
        let steps = TestStart { shape_class: Some("Steps".to_owned()), ..start() };
        let shaped = "\"shape_use_common_options\": true,";
        for (start, args, expected) in
            [(start(), "", Some(10)), (start(), shaped, None), (steps, "", None)]
        {
            assert_eq!(start.numbers(&page(args)).map(|numbers| numbers.users), expected);
            assert_eq!(start.settings(&page(args)).users, expected);
        }
    }

    #[test]
    fn a_setting_that_locust_would_ignore_is_refused() {
        let class = |name: &str| TestStart { user_classes: vec![name.to_owned()], ..start() };
        let shape = |name: &str| TestStart { shape_class: Some(name.to_owned()), ..start() };
        let option =
            |name: &str| TestStart { options: vec![(name.to_owned(), String::new())], ..start() };
        let picker = "\"show_userclass_picker\": true, \"users\": {\"A\": {}}, \
                      \"available_shape_classes\": [\"Default\", \"Steps\"],";
        let options = "\"extra_options\": {\"tenant\": {}},";
        for (start, args, expected) in [
            (start(), "", Ok(())),
            (class("A"), picker, Ok(())),
            (option("tenant"), options, Ok(())),
            (TestStart { users: None, run_time: None, ..shape("Steps") }, picker, Ok(())),
            (class("A"), "", Err("without --class-picker")),
            (class("B"), picker, Err("no such class, only A")),
            (shape("Other"), picker, Err("no such class, only Default, Steps")),
            (shape("Steps"), picker, Err("a LoadTestShape sets the users")),
            (option("tenant"), "", Err("the locustfile has no custom options")),
            (option("other"), options, Err("no such option, only tenant")),
            (TestStart::default(), "", Err("the number of users and the run time are missing")),
            (TestStart { users: None, ..start() }, "", Err("the number of users is missing")),
            (TestStart { run_time: None, ..start() }, "", Err("the run time is missing")),
            (TestStart::default(), "\"hide_common_options\": true,", Ok(())),
            (start(), "\"hide_common_options\": true,", Err("a LoadTestShape sets the users")),
        ] {
            let result = start.check(&page(args));
            match expected {
                Ok(()) => assert_eq!(result, Ok(()), "{args}"),
                Err(part) => assert!(result.clone().unwrap_err().contains(part), "{result:?}"),
            }
        }
        let old =
            Page::parse("window.templateArgs = {\"version\": \"2.20.1\", \"state\": \"ready\"}");
        assert_eq!(
            start().check(&old.unwrap()).unwrap_err(),
            "run needs Locust 2.25 or newer, but this is Locust 2.20.1"
        );
        assert_eq!(
            start().check(&Page::default()).unwrap_err(),
            "run needs Locust 2.25 or newer, but this Locust is older or its page cannot be read"
        );
    }
}
