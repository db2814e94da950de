//! One look at Locust: everything that its state is judged by.

use super::error::Error;
use super::log::MasterLog;
use super::master::Master;
use super::page::Page;
use super::pods::{WorkerPods, WorkerTable};
use super::stats::Stats;

/// Locust's state at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// The page, which is never cached; `None` for releases whose page cannot be read.
    pub page: Option<Page>,
    /// The statistics; up to 2 seconds older than the page, and longer when Locust is slow.
    pub stats: Stats,
    /// The master's log; `None` where it cannot be had.
    pub log: Option<MasterLog>,
    /// The user classes of the test, where people can choose them (`--class-picker`).
    pub classes: Option<Vec<String>>,
    /// The pods of the workers; `None` where they may not be listed.
    pub pods: Option<WorkerPods>,
    /// The users were the same at the beginning and at the end of this look, in state `running`.
    pub is_steady: bool,
}

impl Look {
    /// Looks at Locust. `pods` are those of the workers, as they were listed just before.
    ///
    /// # Errors
    /// Locust does not answer, or with something else.
    pub async fn take(master: &Master<'_>, pods: Option<WorkerPods>) -> Result<Self, Error> {
        let first = master.page().await?;
        let stats = master.stats().await?;
        let Some(first) = first else { return Ok(Self { stats, pods, ..Self::default() }) };
        let log = master.log().await?;
        let classes = match first.show_userclass_picker {
            true => master.running_classes().await?,
            false => None,
        };
        // The one that is judged by is the latest.
        let page = master.page().await?.unwrap_or_else(|| first.clone());
        let is_running = |page: &Page| page.state == "running";
        let is_steady =
            is_running(&first) && is_running(&page) && first.user_count == page.user_count;
        Ok(Self { page: Some(page), stats, log, classes, pods, is_steady })
    }

    /// State of the runner; empty when Locust does not tell.
    pub fn state(&self) -> &str {
        self.page.as_ref().map_or(&self.stats.state, |page| &page.state)
    }

    /// Users that run.
    pub fn users(&self) -> i64 {
        self.page.as_ref().map_or(self.stats.user_count, |page| page.user_count)
    }

    /// Workers that are connected.
    pub fn worker_count(&self) -> usize {
        let of_page = self.page.as_ref().and_then(|page| page.worker_count);
        let of_page = of_page.and_then(|count| usize::try_from(count).ok());
        of_page.unwrap_or_else(|| self.stats.connected().count())
    }

    /// A LoadTestShape sets the users.
    pub fn is_shaped(&self) -> bool {
        self.page.as_ref().is_some_and(Page::is_shaped)
    }

    /// Nobody has started or edited the test between this look and the other.
    pub fn is_same_test(&self, other: &Self) -> bool {
        let start = |look: &Self| {
            let log = look.log.as_ref();
            let logged =
                log.and_then(|log| Some((log.last_spawn()?.users, log.last_start_by_hand()?)));
            (look.page.as_ref().map(|page| (page.num_users, page.run_time)), logged)
        };
        start(self) == start(other)
    }

    /// A test is starting its users or has them.
    pub fn is_running(&self) -> bool {
        super::stats::is_running(self.state())
    }

    /// Problems of the workers, in sentences; none while the statistics are stale.
    pub fn worker_notes(&self) -> Vec<String> {
        match self.stats.connected().count() == self.worker_count() {
            true => self.table().notes(),
            false => Vec::new(),
        }
    }

    /// The statistics tell the same workers and users as the page: they are not stale.
    pub fn is_fresh(&self) -> bool {
        self.stats.connected().count() == self.worker_count()
            && self.stats.user_count == self.users()
    }

    /// The workers beside their pods.
    pub fn table(&self) -> WorkerTable {
        WorkerTable::new(&self.stats, self.pods.as_ref())
    }

    /// Connected workers without users, on whichever pods; 0 where the statistics are stale.
    pub fn idle(&self) -> usize {
        match self.is_fresh() {
            true => self.stats.connected().filter(|worker| worker.user_count == 0).count(),
            false => 0,
        }
    }
}
