//! `locustctl rebalance`: redistributes the users of a running test.

use std::time::Duration;

use anyhow::anyhow;

use super::connection::{self, Connection};
use super::default_target::{Purpose, WorkerSearch};
use super::follow_up::{FollowUp, NAME_THE_MASTER};
use super::hints::unreadable;
use super::locust::{location, require_locust};
use super::question;
use super::signals::{self, FINISHING_START};
use super::target::{Audience, RequestedTargets, only_one, resolve_one};
use crate::cli::{GlobalArgs, RebalanceArgs};
use crate::locust::{
    Address, AutoRebalancer, Health, KnownStart, LocustLocation, Master, Outcome, Rebalance,
    RebalanceMode, Search, StartInProgress, StartMemory, UnreportedStarts, UserStart, Watched,
    WorkerPods, absent_text, burst_warning, examine, foreign_text, reset_warning, retried,
};
use crate::output::{Failed, write_stdout};
use crate::scaling::{SelectionArgs, Target, check_namespace, pods_of};
use crate::text::terminal::{on_one_line, say};

/// Time limit for users that Locust is still starting, and for a worker that sends no heartbeats. Locust drops
/// such a worker after 64 s.
const LIMIT: Duration = Duration::from_secs(75);

/// The time between two looks with `--watch`.
const PERIOD: Duration = Duration::from_secs(2);

/// Judges the running test, and redistributes its users if this is needed and safe. With `--watch`,
/// repeats this until Ctrl-C.
///
/// # Errors
/// There is no Locust, it does not answer, or a rebalance is needed but not safe.
pub async fn run(global: GlobalArgs, args: RebalanceArgs) -> Result<(), Failed> {
    let location = location(&args.locust, &args.target, Address::Auto)?;
    require_locust("rebalance", &location, &args.locust)?;
    let typed = global.typed.clone();
    let prepared = connection::prepare(global)?;
    let follow_up = FollowUp::new(typed, prepared.namespace());
    let typed = SelectionArgs { args: &args.target, ..SelectionArgs::default() };
    let requested = RequestedTargets::new(&typed, Audience::Person)?;
    only_one("rebalance", &requested.selection)?;
    check_namespace(prepared.namespace())?;
    let signal = signals::first()?;
    let in_progress = StartInProgress::default();
    let work = async {
        let connection = prepared.open().await?;
        let mut target = resolve_one(&connection, &requested).await?;
        let workers = WorkerSearch::new(&requested);
        let own = workers.read(&connection.client, &mut target, Purpose::Change, pods_of).await;
        match (args.watch, own) {
            (true, _) => watch(&connection, &target, &location, &in_progress).await,
            (false, Ok(own)) => {
                let pods = WorkerPods::new(&own.pods);
                let inputs = SingleRebalance {
                    location: &location,
                    in_progress: &in_progress,
                    yes: args.yes,
                };
                once(&connection, &target, pods, inputs).await
            }
            (false, Err(error)) => {
                let client = &connection.client;
                Err(unreadable(client, &target, error, &workers, &follow_up, "rebalance").await)
            }
        }
    };
    let signal = match in_progress.or_signal(work, signal, || say(FINISHING_START)).await {
        Ok(result) => return result,
        Err(signal) => signal,
    };
    match in_progress.has_unreported_start() {
        // Ctrl-C is the usual end of --watch.
        false if args.watch => Err(Failed::by_signal(signal.number(), Vec::new())),
        false => Err(signal.interrupted("nothing was changed")),
        true => Err(signal.interrupted(
            "locustctl asked Locust to start the users, but the test may not have all of them yet; to \
             check it, run: locustctl status",
        )),
    }
}

/// Options of a single rebalance.
struct SingleRebalance<'a> {
    location: &'a LocustLocation,
    in_progress: &'a StartInProgress,
    /// `--yes`
    yes: bool,
}

async fn once(
    connection: &Connection,
    target: &Target,
    pods: WorkerPods,
    SingleRebalance { location, in_progress, yes }: SingleRebalance<'_>,
) -> Result<(), Failed> {
    let master = find(connection, target, location, &pods).await?;
    say(&on_one_line(&format!("Using Locust at {}", master.place())));
    let memory = StartMemory::of_user();
    let rebalance = |mode| Rebalance {
        master: &master,
        mode,
        before: None,
        known: None,
        limit: LIMIT,
        workers: None,
        memory: Some(&memory),
        repeats: true,
        on_attempt: None,
        on_start: None,
        in_progress: Some(in_progress),
    };
    let mut report = |text: &str| say(&on_one_line(text));
    let mut mode = if yes { RebalanceMode::AtOnce } else { RebalanceMode::Never };
    let outcome = loop {
        let outcome = rebalance(mode).run(Some(pods.clone()), &mut report).await;
        if !matches!(outcome, Ok(Outcome::Disabled(_))) {
            break outcome;
        }
        if confirm_side_effects(&master, &pods, &memory).await? {
            mode = RebalanceMode::AtOnce;
        }
    };
    let outcome = outcome.map_err(anyhow::Error::from)?;
    match outcome.is_well() && !outcome.health().is_alarming() {
        true => Ok(write_stdout(&format!("{}\n", on_one_line(&outcome.to_string())))?),
        false => Err(anyhow!("{}", on_one_line(&outcome.to_string())).into()),
    }
}

/// Asks before a rebalance that resets the statistics of the test, or starts many users at once. Returns false if the
/// test has changed, and needs no rebalance at the moment.
///
/// # Errors
/// Locust does not answer, or the answer of the user is not yes.
async fn confirm_side_effects(
    master: &Master<'_>,
    pods: &WorkerPods,
    memory: &StartMemory,
) -> anyhow::Result<bool> {
    let (look, health) =
        retried(|| examine(master, Some(pods.clone()), None, None, Some(memory))).await?;
    if !health.needs_rebalance() {
        return Ok(false);
    }
    let burst = burst_warning(&look, &health, &[], UserStart::AtOnce);
    let effects: Vec<_> = reset_warning(&look).into_iter().chain(burst).collect();
    question::confirm(&effects, false).await?;
    Ok(true)
}

/// Watches the test, and prints a line when something has changed.
async fn watch(
    connection: &Connection,
    target: &Target,
    location: &LocustLocation,
    in_progress: &StartInProgress,
) -> Result<(), Failed> {
    let mut watch = Watch {
        connection,
        target,
        location,
        in_progress,
        rebalancer: AutoRebalancer::with_memory(StartMemory::of_user()),
        pods: WorkerPods::default(),
        last_start: None,
        master: None,
        place: String::new(),
        last_line: String::new(),
    };
    loop {
        match watch.look().await {
            Ok(health) => match watch.rebalancer.given_up() {
                Some(warning) => watch.tell(format!("Warning: {warning}")),
                None => watch.tell(line(&health)),
            },
            Err(WatchError::Locust(error)) => {
                watch.tell(format!("Warning: {error:#}"));
                in_progress.set_reported();
            }
            Err(WatchError::Stdout(error)) => return Err(error.into()),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// State of `--watch` from one look to the next.
struct Watch<'a> {
    connection: &'a Connection,
    target: &'a Target,
    location: &'a LocustLocation,
    in_progress: &'a StartInProgress,
    rebalancer: AutoRebalancer,
    /// The pods of this look and of earlier ones.
    pods: WorkerPods,
    /// The last start that locustctl sent to the running test.
    last_start: Option<KnownStart>,
    /// The client is kept between looks, because it caches expensive answers.
    master: Option<Master<'a>>,
    place: String,
    last_line: String,
}

/// The reason why a look failed. Only an error of stdout ends the watch.
enum WatchError {
    Locust(anyhow::Error),
    Stdout(anyhow::Error),
}

impl Watch<'_> {
    async fn look(&mut self) -> Result<Health, WatchError> {
        let watched = self.look_and_rebalance().await.map_err(WatchError::Locust)?;
        if !watched.look.is_running() {
            self.last_start = None;
        }
        if let Some(outcome) = &watched.outcome {
            self.last_start = outcome.sent().cloned().or(self.last_start.take());
            let line = format!("{}\n", on_one_line(&outcome.to_string()));
            write_stdout(&line).map_err(WatchError::Stdout)?;
            self.in_progress.set_reported();
        }
        Ok(watched.health)
    }

    async fn look_and_rebalance(&mut self) -> anyhow::Result<Watched> {
        let Self { connection, target, location, .. } = *self;
        let own = pods_of(&connection.client, target).await?;
        self.pods = WorkerPods::new(&own.pods).remember(&self.pods);
        let master = match self.master.take() {
            Some(master) => master,
            None => find(connection, target, location, &self.pods).await?,
        };
        if self.place != master.place() {
            self.place = master.place();
            say(&on_one_line(&format!("Using Locust at {}", self.place)));
        }
        let (pods, known) = (Some(self.pods.clone()), self.last_start.as_ref());
        let mut report = |text: &str| say(&on_one_line(text));
        let result = self
            .rebalancer
            .look_and_rebalance(&master, pods, known, Some(self.in_progress), &mut report)
            .await;
        let UnreportedStarts { accepted, attempt } = self.rebalancer.take_unreported_starts();
        if let Some(accepted) = accepted {
            self.last_start = Some(accepted);
        }
        let watched = result.map_err(|error| match attempt {
            Some(attempt) => anyhow!(attempt.failure(&error)),
            None => error.into(),
        })?;
        self.master = Some(master);
        Ok(watched)
    }

    /// Prints a line that differs from the last one.
    fn tell(&mut self, line: String) {
        if line != self.last_line {
            say(&on_one_line(&line));
            self.last_line = line;
        }
    }
}

fn line(health: &Health) -> String {
    match health.is_alarming() {
        true => format!("Warning: {health}"),
        false => health.to_string(),
    }
}

/// Finds Locust's master.
///
/// # Errors
/// There is no Locust with these workers, or it does not answer.
async fn find<'a>(
    connection: &'a Connection,
    target: &Target,
    location: &LocustLocation,
    pods: &WorkerPods,
) -> anyhow::Result<Master<'a>> {
    let found = location.find(&connection.client, target, Some(pods)).await;
    match found.map_err(|error| anyhow!(error.explanation()))? {
        Search::Found(master) => Ok(*master),
        Search::Absent => Err(anyhow!(absent_text(target))),
        Search::Foreign { place, workers } => {
            Err(anyhow!("{}; {NAME_THE_MASTER}", foreign_text(&place, workers, target)))
        }
    }
}
