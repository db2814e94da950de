//! The command of Locust's master, as the pods of the workers' namespace show it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::address::Address;
use super::install::initial_run_times;
use super::page::parse_run_time;
use crate::cluster::api::Client;
use crate::scaling::Target;

/// How long the command is cached.
const CACHE_PERIOD: Duration = Duration::from_secs(60);

/// How long an error is cached. Looks can follow each other within milliseconds.
const ERROR_CACHE_PERIOD: Duration = Duration::from_secs(2);

/// The run times in a command, or the reason why locustctl cannot read them.
type RunTimes = Result<Vec<String>, String>;

/// Reads the command of the master.
pub(super) struct MasterCommand<'a> {
    client: &'a Client,
    /// The target that runs the workers.
    target: Target,
    /// The run times, and the time at which they were read.
    run_times: Mutex<Option<(Instant, RunTimes)>>,
}

impl<'a> MasterCommand<'a> {
    pub(super) fn new(client: &'a Client, target: &Target) -> Self {
        Self { client, target: target.clone(), run_times: Mutex::default() }
    }

    /// True if the command of the master at this address has this run time (in seconds), or one that locustctl cannot
    /// read. Lists Services and pods, at most once per [`CACHE_PERIOD`]. False if locustctl cannot find the command.
    ///
    /// # Errors
    /// The API server does not answer. The text is the reason.
    pub(super) async fn may_have_run_time(
        &self,
        address: &Address,
        run_time: u64,
    ) -> Result<bool, String> {
        let cached = self.run_times.lock().clone();
        let is_valid = |(read_at, given): &(Instant, RunTimes)| {
            read_at.elapsed() < if given.is_ok() { CACHE_PERIOD } else { ERROR_CACHE_PERIOD }
        };
        let given = match cached.filter(is_valid) {
            Some((_, given)) => given,
            None => {
                let given = initial_run_times(self.client, &self.target, address).await;
                let given = given.map_err(|error| error.to_string());
                *self.run_times.lock() = Some((Instant::now(), given.clone()));
                given
            }
        };
        let is_possible = |given: &String| parse_run_time(given).is_none_or(|one| one == run_time);
        Ok(given?.iter().any(is_possible))
    }
}
