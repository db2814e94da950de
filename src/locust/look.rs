//! One look at Locust: everything that the judgement of a test needs.

use super::error::Error;
use super::log::MasterLog;
use super::master::Master;
use super::page::Page;
use super::pods::{WorkerPods, WorkerTable};
use super::start::KnownStart;
use super::stats::Stats;

/// Maximum number of attempts for one look. locustctl makes another attempt if the number of workers has changed
/// during the last one.
const MAX_ATTEMPTS: u32 = 3;

/// Locust's state at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// The page; `None` for releases with an unreadable page. Locust never caches it.
    pub page: Option<Page>,
    /// The statistics. They are up to 2 seconds older than the page, or more if Locust is slow.
    pub stats: Stats,
    /// The master's log; `None` if Locust does not serve it.
    pub log: Option<MasterLog>,
    /// The user classes of the test, if Locust runs with `--class-picker`.
    pub classes: Option<Vec<String>>,
    /// The pods of the workers; `None` if locustctl cannot list them.
    pub pods: Option<WorkerPods>,
    /// The number of users was the same at the start and at the end of this look, in state `running`.
    pub is_steady: bool,
}

impl Look {
    /// Looks at Locust. `pods` are the pods of the workers, just listed by the caller.
    ///
    /// # Errors
    /// Locust does not answer, or the answer is not Locust's.
    pub async fn take(master: &Master<'_>, pods: Option<WorkerPods>) -> Result<Self, Error> {
        let Some(mut first) = master.page().await? else {
            return Ok(Self { stats: master.stats().await?, pods, ..Self::default() });
        };
        let mut attempts = MAX_ATTEMPTS;
        loop {
            let stats = master.stats().await?;
            let log = master.log().await?;
            let classes = match first.show_userclass_picker {
                true => master.running_classes().await?,
                false => None,
            };
            // The judgement uses the latest page.
            let page = master.page().await?.unwrap_or_else(|| first.clone());
            attempts -= 1;
            // The log is older than the page. It may lack the line on a worker that has left or joined since.
            if page.worker_count != first.worker_count && attempts > 0 {
                first = page;
                continue;
            }
            let is_running = |page: &Page| page.state == "running";
            let is_steady =
                is_running(&first) && is_running(&page) && first.user_count == page.user_count;
            return Ok(Self { page: Some(page), stats, log, classes, pods, is_steady });
        }
    }

    /// State of the runner; empty if Locust does not report it.
    pub fn state(&self) -> &str {
        self.page.as_ref().map_or(&self.stats.state, |page| &page.state)
    }

    /// Users that are running.
    pub fn users(&self) -> i64 {
        self.page.as_ref().map_or(self.stats.user_count, |page| page.user_count)
    }

    /// Connected workers.
    pub fn worker_count(&self) -> usize {
        let in_page = self.page.as_ref().and_then(|page| page.worker_count);
        let in_page = in_page.and_then(|count| usize::try_from(count).ok());
        in_page.unwrap_or_else(|| self.stats.connected().count())
    }

    /// A later command can read from the page how many users the test should have.
    pub fn shows_requested_users(&self) -> bool {
        self.page.as_ref().is_some_and(Page::follows_starts)
    }

    /// A LoadTestShape sets the users.
    pub fn is_shaped(&self) -> bool {
        self.page.as_ref().is_some_and(Page::is_shaped)
            || self.log.as_ref().is_some_and(MasterLog::is_shaped)
    }

    /// The master's log, or a page that follows the starts, shows that the test was not started or
    /// edited between this look and the other. False if neither of them shows it.
    fn is_same_test(&self, other: &Self) -> bool {
        let logged =
            |look: &Self| Some((look.logged_users()?, look.log.as_ref()?.last_start_by_hand()?));
        let in_page = |look: &Self| {
            let page = look.page.as_ref()?;
            Some((page.num_users, page.run_time))
        };
        let is_logged_once = logged(self).zip(logged(other)).map(|(one, other)| one == other);
        let is_shown = [self, other].iter().all(|look| look.has_current_num_users());
        in_page(self) == in_page(other) && is_logged_once.unwrap_or(is_shown)
    }

    /// True if the users of this look are those that the test should have at a later look `now`.
    /// Locust must show that it is the same test. If Locust's log has no start, it is enough that
    /// this look has the users of the `known` start and that nobody has edited the test.
    pub fn is_valid_for(&self, now: &Self, known: Option<&KnownStart>) -> bool {
        let users = u64::try_from(self.users());
        let is_known = known.is_some_and(|known| Ok(known.start.users) == users);
        let is_edited = now.has_other_users_on_same_workers(self);
        let is_logged = now.logged_users().is_some();
        self.is_same_test(now) || (!is_logged && is_known && !is_edited)
    }

    /// Locust shows that the last start in both looks requested the same number of users. False if it does
    /// not show it.
    pub fn shows_same_users_requested(&self, other: &Self) -> bool {
        let in_page = |look: &Self| look.page.as_ref().and_then(|page| page.num_users);
        match self.logged_users().zip(other.logged_users()) {
            Some((one, other)) => one == other,
            None => {
                let is_shown = [self, other].iter().all(|look| look.has_current_num_users());
                is_shown && in_page(self) == in_page(other)
            }
        }
    }

    /// The page shows the number of users that the last start requested.
    fn has_current_num_users(&self) -> bool {
        let page = self.page.as_ref().filter(|page| page.follows_starts());
        page.is_some_and(|page| page.num_users.is_some())
    }

    /// The workers of an `earlier` look have another number of users now: somebody has edited the
    /// test, or users have ended by themselves. False while a number is changing.
    pub fn has_other_users_on_same_workers(&self, earlier: &Self) -> bool {
        let is_certain = |look: &Self| look.is_steady && look.is_fresh();
        let are_certain = is_certain(self) && is_certain(earlier);
        are_certain
            && self.users() != earlier.users()
            && self.stats.connected_ids() == earlier.stats.connected_ids()
    }

    /// The last start in the master's log has the same number of users as in the other look. True if
    /// one of the logs has no start.
    pub fn has_same_users_requested(&self, other: &Self) -> bool {
        let logged = self.logged_users().zip(other.logged_users());
        logged.is_none_or(|(one, other)| one == other)
    }

    /// The users that the last start in the master's log requested.
    fn logged_users(&self) -> Option<u64> {
        Some(self.log.as_ref()?.last_spawn()?.users)
    }

    /// The test has the users that the last start in the master's log requested.
    pub fn has_logged_users(&self) -> bool {
        self.is_running()
            && self.logged_users().is_some_and(|users| i64::try_from(users) == Ok(self.users()))
    }

    /// This look is at another test than an `earlier` one, or the test asks for another number of users.
    /// False if no test is running now.
    pub fn replaces(&self, earlier: &Self) -> bool {
        let spawn = self.log.as_ref().and_then(MasterLog::last_spawn);
        let has_all = spawn.is_none_or(|spawn| u64::try_from(self.users()) == Ok(spawn.users));
        let has_more = self.users() > earlier.users() && has_all;
        let is_other = !earlier.is_running() || !self.has_same_users_requested(earlier);
        self.is_running() && (is_other || has_more)
    }

    /// A test is starting its users, or has them.
    pub fn is_running(&self) -> bool {
        super::stats::is_running(self.state())
    }

    /// Requests per second. Locust still sends the last number after a test has ended.
    pub fn rate(&self) -> f64 {
        if super::stats::is_idle(self.state()) { 0.0 } else { self.stats.rate() }
    }

    /// Connected workers in the target's pods. If the statistics are stale, every connected worker
    /// counts.
    pub fn own_workers(&self) -> usize {
        match self.stats.connected().count() == self.worker_count() {
            true => self.table().own(),
            false => self.worker_count(),
        }
    }

    /// Warnings on the workers; none while the statistics are stale.
    pub fn worker_notes(&self) -> Vec<String> {
        match self.stats.connected().count() == self.worker_count() {
            true => self.table().notes(),
            false => Vec::new(),
        }
    }

    /// The statistics are not stale: they have the same numbers of workers and users as the page.
    pub fn is_fresh(&self) -> bool {
        self.has_current_workers() && self.stats.user_count == self.users()
    }

    /// The statistics have the same number of workers as the page.
    pub fn has_current_workers(&self) -> bool {
        self.stats.connected().count() == self.worker_count()
    }

    /// The workers cannot be compared with pods.
    pub fn are_workers_counted_only(&self) -> bool {
        self.pods.as_ref().is_none_or(WorkerPods::are_counted_only)
    }

    /// The workers and their pods.
    pub fn table(&self) -> WorkerTable {
        WorkerTable::new(&self.stats, self.pods.as_ref())
    }

    /// Connected workers without users, in any pod; 0 if the statistics are stale.
    pub fn idle(&self) -> usize {
        match self.is_fresh() {
            true => self.stats.connected().filter(|worker| worker.user_count == 0).count(),
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{known, look};

    const STARTED: &str = "Sending spawn jobs of 60 users at 10.00 spawn rate to 2 ready workers";

    #[test]
    fn two_looks_are_at_the_same_test_only_if_locust_shows_it() {
        let old = || look("2.32.2", &[30, 30]).with_num_users(100.0);
        assert!(!old().is_same_test(&old()), "neither the page nor the log shows the start");
        let logged = old().log(&[STARTED]);
        assert!(logged.is_same_test(&logged) && !logged.is_same_test(&old()));
        assert!(!logged.is_same_test(&old().log(&[&STARTED.replace("60", "30")])));
        let new = || look("2.47.0", &[30, 30]);
        assert!(new().with_num_users(60.0).is_same_test(&new().with_num_users(60.0)));
        assert!(!new().with_num_users(60.0).is_same_test(&new().with_num_users(30.0)));
        assert!(!new().is_same_test(&new()), "the page has no number of users");
    }

    #[test]
    fn without_a_log_an_earlier_look_with_the_users_of_the_known_start_is_valid() {
        let before = look("2.32.2", &[30, 30]);
        let now = look("2.32.2", &[30]);
        assert!(!before.is_valid_for(&now, None) && before.is_valid_for(&now, Some(&known(60))));
        assert!(!before.is_valid_for(&now, Some(&known(30))), "a later start");
        assert!(!before.is_valid_for(&look("2.32.2", &[15, 15]), Some(&known(60))), "an edit");
        assert!(!before.is_valid_for(&now.log(&[STARTED]), Some(&known(60))));
    }

    #[test]
    fn other_users_on_the_same_workers_are_noticed_when_the_numbers_are_certain() {
        let before = look("2.32.2", &[30, 30]);
        assert!(look("2.32.2", &[15, 15]).has_other_users_on_same_workers(&before));
        assert!(!before.has_other_users_on_same_workers(&before));
        assert!(!look("2.32.2", &[30]).has_other_users_on_same_workers(&before), "a worker left");
        assert!(!look("2.32.2", &[15, 15]).unsteady().has_other_users_on_same_workers(&before));
    }
}
