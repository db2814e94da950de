//! `locustctl status`: shows the cluster, the user, the replicas, autoscalers, and the running test.

mod all_namespaces;
mod locust;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{anyhow, bail};
use serde::Serialize;

use self::all_namespaces::ClusterStatus;
use self::locust::{LocustLook, LocustStatus};
use super::connection::{self, Connection};
use super::default_target::{Purpose, WorkerSearch};
use super::follow_up::FollowUp;
use super::hints::unreadable;
use super::locust::{location, source_of};
use super::signals;
use super::target::{Audience, RequestedTargets, only_one, resolve_one};
use crate::cli::{GlobalArgs, StatusArgs};
use crate::cluster::api::Error;
use crate::locust::{Address, LocustLocation};
use crate::output::{Failed, UnknownFormat, print_json, sentence_of, write_stdout};
use crate::scaling::{
    Autoscaler, ScaleError, SelectionArgs, Target, Workload, autoscalers, check_namespace,
    explain_missing, workload_of,
};
use crate::text::terminal::{on_one_line, say};
use crate::text::yaml;

/// The time between two looks with `--watch`. Locust caches its statistics for as long.
const PERIOD: Duration = Duration::from_secs(2);

/// Moves the cursor to the upper left, and clears the screen.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// The status. `-o json` and `-o yaml` print it as an object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    server: String,
    context: Option<String>,
    namespace: String,
    credentials: String,
    target: String,
    /// The time at which the deletion of the target began.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_timestamp: Option<String>,
    replicas: Replicas,
    autoscalers: Vec<Autoscaler>,
    #[serde(skip_serializing_if = "LocustLook::is_empty")]
    locust: LocustLook,
}

/// Numbers of pods. A number that the kind does not have is left out.
#[derive(Serialize)]
struct Replicas {
    desired: i64,
    current: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
    ready: i64,
}

/// Reads the target, its autoscalers and Locust, and prints them. With `--watch`, repeats this every
/// 2 s until a signal.
///
/// # Errors
/// The target cannot be read, or Locust does not answer at the given address. If autoscalers cannot be
/// listed, this is only a note on stderr.
pub async fn run(global: GlobalArgs, args: StatusArgs) -> Result<(), Failed> {
    let format = format_of(args.output.as_deref())?;
    let location = location(&args.locust, &args.target, Address::Auto)?;
    if args.all_namespaces {
        refuse_beside_all(&args, &location)?;
    }
    let typed = global.typed.clone();
    let prepared = connection::prepare(global)?;
    let follow_up = FollowUp::new(typed, prepared.namespace());
    let audience = match format {
        StatusFormat::Text => Audience::Person,
        StatusFormat::Json | StatusFormat::Yaml => Audience::Program,
    };
    let typed = SelectionArgs { args: &args.target, ..SelectionArgs::default() };
    let requested = RequestedTargets::new(&typed, audience)?;
    only_one("status", &requested.selection)?;
    check_namespace(prepared.namespace())?;
    let signal = signals::first()?;
    let work = async {
        let connection = prepared.open().await?;
        if args.all_namespaces {
            return show_all_namespaces(&connection, &location, format, args.watch).await;
        }
        let target = resolve_one(&connection, &requested).await?;
        let workers = WorkerSearch::new(&requested);
        let connection = &connection;
        let inputs = Inputs { connection, workers, target, location, format, follow_up };
        match args.watch {
            true => watch(inputs).await,
            false => {
                let mut inputs = inputs;
                print(&look(&mut inputs).await?, format)
            }
        }
    };
    tokio::select! {
        result = work => result,
        signal = signal => Err(match args.watch {
            true => Failed::by_signal(signal.number(), Vec::new()),
            false => signal.interrupted("locustctl has not received all answers yet"),
        }),
    }
}

/// Refuses what names a single Locust beside `-A`.
fn refuse_beside_all(args: &StatusArgs, location: &LocustLocation) -> anyhow::Result<()> {
    if let Some(target) = args.target.first() {
        bail!("status -A shows every Locust of the cluster: leave out the target {target:?}");
    }
    match location.address {
        Address::Auto | Address::None => Ok(()),
        _ => bail!(
            "status -A looks for every master itself: leave out {}, or use --locust=none",
            source_of(&args.locust)
        ),
    }
}

/// Inputs of each look.
struct Inputs<'a> {
    connection: &'a Connection,
    workers: WorkerSearch,
    target: Target,
    location: LocustLocation,
    format: StatusFormat,
    follow_up: FollowUp,
}

/// Shows every Locust of the cluster.
async fn show_all_namespaces(
    connection: &Connection,
    location: &LocustLocation,
    format: StatusFormat,
    is_watch: bool,
) -> Result<(), Failed> {
    let with_locust = location.address != Address::None;
    loop {
        let status = ClusterStatus::look(connection, with_locust).await?;
        if is_watch && can_redraw(format) {
            write_stdout(CLEAR)?;
        }
        print_as(format, &status, ClusterStatus::text)?;
        if !is_watch {
            return Ok(());
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn can_redraw(format: StatusFormat) -> bool {
    matches!(format, StatusFormat::Text) && std::io::stdout().is_terminal()
}

async fn watch(mut inputs: Inputs<'_>) -> Result<(), Failed> {
    loop {
        let status = look(&mut inputs).await?;
        if can_redraw(inputs.format) {
            write_stdout(CLEAR)?;
        }
        print(&status, inputs.format)?;
        tokio::time::sleep(PERIOD).await;
    }
}

async fn look(inputs: &mut Inputs<'_>) -> Result<Status, Failed> {
    let client = &inputs.connection.client;
    let Inputs { workers, target, .. } = &mut *inputs;
    let workload = match workers.read(client, target, Purpose::Show, workload_of).await {
        Ok(workload) => workload,
        Err(error) => return Err(explain(inputs, error).await),
    };
    let Inputs { connection, target, location, format, follow_up, .. } = &*inputs;
    let managers = autoscalers(client, target).await;
    if let [(_, error), ..] = managers.list_errors.as_slice() {
        let resources: Vec<_> =
            managers.list_errors.iter().map(|(resource, _)| *resource).collect();
        let (resources, why) = (resources.join(" or "), sentence_of(error));
        say(&format!(
            "Note: locustctl cannot tell whether {resources} change the replicas of {target}: {why}"
        ));
    }
    for autoscaler in &managers.found {
        let label = if autoscaler.is_active() { "Warning" } else { "Note" };
        say(&format!("{label}: {}", autoscaler.effect(target)));
    }
    let deletion_timestamp = workload.deleted_since();
    if deletion_timestamp.is_some() {
        say(&format!("Warning: {target} is being deleted, so no new pods will start"));
    }
    let locust = self::locust::look(client, target, location).await;
    let locust = locust.map_err(|error| anyhow!(error.explanation()))?;
    if let (Some(problem), StatusFormat::Json | StatusFormat::Yaml) = (locust.problem(), format) {
        say(&format!("Note: {problem}"));
    }
    for warning in locust.status().into_iter().flat_map(LocustStatus::warnings) {
        say(&format!("Warning: {warning}"));
    }
    for note in locust.status().into_iter().flat_map(LocustStatus::notes) {
        say(&format!("Note: {note}"));
    }
    if locust.status().is_some_and(LocustStatus::needs_rebalance) {
        let command = follow_up.command("rebalance", target);
        say(&format!("To redistribute the users, run: {command}"));
    }
    Ok(Status {
        server: connection.server.clone(),
        context: connection.context.clone(),
        namespace: connection.namespace.clone(),
        credentials: connection.credentials.clone(),
        target: target.to_string(),
        deletion_timestamp,
        replicas: replicas(&workload, target),
        autoscalers: managers.found,
        locust,
    })
}

#[derive(Clone, Copy)]
enum StatusFormat {
    Text,
    Json,
    Yaml,
}

fn format_of(text: Option<&str>) -> Result<StatusFormat, UnknownFormat> {
    let given = text.unwrap_or_default();
    match given.to_lowercase().as_str() {
        "" => Ok(StatusFormat::Text),
        "json" => Ok(StatusFormat::Json),
        "yaml" => Ok(StatusFormat::Yaml),
        _ => Err(UnknownFormat { given: given.to_owned(), allowed: "json,yaml" }),
    }
}

async fn explain(inputs: &Inputs<'_>, error: Error) -> Failed {
    let Inputs { connection, workers, target, format, follow_up, .. } = inputs;
    let client = &connection.client;
    match format {
        StatusFormat::Text => unreadable(client, target, error, workers, follow_up, "status").await,
        StatusFormat::Json | StatusFormat::Yaml => {
            Failed::from(ScaleError::Api(explain_missing(client, target, error).await))
        }
    }
}

fn replicas(workload: &Workload, target: &Target) -> Replicas {
    let (spec, status) = (&workload.spec, &workload.status);
    let has_revisions = matches!(&*target.resource.kind, "Deployment" | "StatefulSet");
    Replicas {
        desired: spec.replicas,
        current: status.replicas,
        updated: has_revisions.then_some(status.updated_replicas),
        ready: status.ready_replicas,
    }
}

fn print(status: &Status, format: StatusFormat) -> Result<(), Failed> {
    print_as(format, status, text)
}

fn print_as<T: Serialize>(
    format: StatusFormat,
    status: &T,
    text: impl Fn(&T) -> String,
) -> Result<(), Failed> {
    let object = || serde_json::to_value(status);
    let text = match format {
        StatusFormat::Text => text(status),
        StatusFormat::Json => print_json(&object()?),
        StatusFormat::Yaml => yaml::print(&object()?),
    };
    Ok(write_stdout(&text)?)
}

fn text(status: &Status) -> String {
    let Replicas { desired, current, updated, ready } = status.replicas;
    let updated = updated.map(|updated| format!("{updated} updated, ")).unwrap_or_default();
    let mut rows = vec![
        ("Server", status.server.clone()),
        ("Context", status.context.clone().unwrap_or_else(|| "none".to_owned())),
        ("Namespace", status.namespace.clone()),
        ("Credentials", status.credentials.clone()),
        ("Target", status.target.clone()),
        ("Replicas", format!("{desired} desired, {current} current, {updated}{ready} ready")),
    ];
    let since = status.deletion_timestamp.as_ref();
    rows.extend(
        since.map(|since| ("Terminating", format!("since {since}; waiting for finalizers"))),
    );
    rows.extend(status.locust.rows());
    let head: String = rows
        .iter()
        .map(|(name, value)| format!("{:<13}{}\n", format!("{name}:"), on_one_line(value)))
        .collect();
    head + &status.locust.status().map(LocustStatus::table).unwrap_or_default()
}
