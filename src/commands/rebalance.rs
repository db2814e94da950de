//! `locustctl rebalance`: gives a running test its users back.

use std::time::Duration;

use anyhow::anyhow;

use super::connection::{self, Connection};
use super::locust::location;
use super::signals;
use super::target::{Meant, only_one, resolve_one};
use crate::cli::{GlobalArgs, RebalanceArgs};
use crate::locust::{
    Address, Care, Health, Keeper, LocustLocation, Master, Rebalance, Search, StartMemory,
    Unfinished, WorkerPods, foreign_text,
};
use crate::output::{Failed, write_stdout};
use crate::scaling::{SelectionArgs, Target, check_namespace, pods_of};
use crate::text::terminal::{harmless, say};

/// How long to wait for users that Locust is still starting.
const LIMIT: Duration = Duration::from_secs(60);

/// The time between two looks with `--watch`.
const PERIOD: Duration = Duration::from_secs(2);

/// Judges the running test, and starts the same numbers once more where that is needed and safe; with
/// `--watch` until Ctrl-C.
///
/// # Errors
/// There is no Locust, it does not answer, or a repair could do harm.
pub async fn run(global: GlobalArgs, args: RebalanceArgs) -> Result<(), Failed> {
    let location = location(&args.locust, Address::Auto)?;
    let prepared = connection::prepare(global)?;
    let meant = Meant::new(&SelectionArgs { args: &args.target, ..SelectionArgs::default() })?;
    only_one("rebalance", &meant.selection)?;
    check_namespace(prepared.namespace())?;
    let connection = prepared.open().await?;
    let signal = signals::first()?;
    let unfinished = Unfinished::default();
    let work = async {
        let target = resolve_one(&connection, &meant).await?;
        match args.watch {
            true => watch(&connection, &target, &location, &unfinished).await,
            false => once(&connection, &target, &location, &unfinished).await,
        }
    };
    match unfinished.or_signal(work, signal).await {
        Ok(result) => result,
        // A signal ends --watch normally.
        Err(_) if args.watch => Ok(()),
        Err(signal) => {
            let error = anyhow!("interrupted: the test may not have all its users");
            Err(Failed::by_signal(signal.number(), vec![error]))
        }
    }
}

async fn once(
    connection: &Connection,
    target: &Target,
    location: &LocustLocation,
    unfinished: &Unfinished,
) -> Result<(), Failed> {
    let client = &connection.client;
    let pods = WorkerPods::new(&pods_of(client, target).await.map_err(anyhow::Error::from)?.pods);
    let master = find(connection, target, location, &pods).await?;
    let memory = StartMemory::of_user();
    let care = Care {
        master: &master,
        before: None,
        known: None,
        rebalance: Rebalance::AtOnce,
        limit: LIMIT,
        workers: None,
        memory: Some(&memory),
        on_start: None,
        unfinished: Some(unfinished),
    };
    let outcome = care.give_back(Some(pods), &mut |text| say(&harmless(text))).await;
    let outcome = outcome.map_err(anyhow::Error::from)?;
    match outcome.is_well() && !outcome.health().is_alarming() {
        true => Ok(write_stdout(&format!("{}\n", harmless(&outcome.to_string())))?),
        false => Err(anyhow!("{}", harmless(&outcome.to_string())).into()),
    }
}

/// Looks at Locust again and again, and says what is new.
async fn watch(
    connection: &Connection,
    target: &Target,
    location: &LocustLocation,
    unfinished: &Unfinished,
) -> Result<(), Failed> {
    let client = &connection.client;
    let memory = StartMemory::of_user();
    let (mut keeper, mut known_pods) = (Keeper::with_memory(memory), WorkerPods::default());
    let (mut start, mut master) = (None, None);
    let (mut place, mut last) = (String::new(), String::new());
    let mut tell = |text: String| {
        if text != last {
            say(&harmless(&text));
            last = text;
        }
    };
    loop {
        let looked = async {
            let own = pods_of(client, target).await.map_err(anyhow::Error::from)?;
            known_pods = WorkerPods::new(&own.pods).remember(&known_pods);
            let found = match master.take() {
                Some(found) => found,
                None => find_quietly(connection, target, location, &known_pods).await?,
            };
            if place != found.place() {
                place = found.place();
                say(&harmless(&format!("Using Locust at {place}")));
            }
            let pods = Some(known_pods.clone());
            let mut report = |text: &str| say(&harmless(text));
            let known = start.as_ref();
            let watched = keeper.keep(&found, pods, known, Some(unfinished), &mut report).await?;
            // Keep the master: it caches expensive answers.
            master = Some(found);
            anyhow::Ok(watched)
        };
        match looked.await {
            Ok(watched) => {
                if !watched.look.is_running() {
                    start = None;
                }
                if let Some(outcome) = &watched.outcome {
                    start = outcome.sent().cloned().or(start);
                    write_stdout(&format!("{}\n", harmless(&outcome.to_string())))?;
                }
                match keeper.has_given_up() {
                    true => tell(
                        "Warning: three rebalances did not help; locustctl sends no more until the \
                         test has all its users"
                            .to_owned(),
                    ),
                    false => tell(line(&watched.health)),
                }
            }
            Err(error) => tell(format!("Warning: {error:#}")),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn line(health: &Health) -> String {
    match health.is_alarming() {
        true => format!("Warning: {health}"),
        false => health.to_string(),
    }
}

async fn find<'a>(
    connection: &'a Connection,
    target: &Target,
    location: &LocustLocation,
    pods: &WorkerPods,
) -> anyhow::Result<Master<'a>> {
    let master = find_quietly(connection, target, location, pods).await?;
    say(&harmless(&format!("Using Locust at {}", master.place())));
    Ok(master)
}

async fn find_quietly<'a>(
    connection: &'a Connection,
    target: &Target,
    location: &LocustLocation,
    pods: &WorkerPods,
) -> anyhow::Result<Master<'a>> {
    let namespace = &target.namespace;
    let hint = "name Locust's master with --locust=URL or --locust=service/NAME:PORT";
    match location.find(&connection.client, target, Some(pods)).await? {
        Search::Found(master) => Ok(*master),
        Search::Absent => {
            Err(anyhow!("no Locust was found for {target} in namespace {namespace}; {hint}"))
        }
        Search::Foreign { place, workers } => {
            Err(anyhow!("{}; {hint}", foreign_text(&place, workers, target)))
        }
    }
}
