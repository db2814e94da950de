//! `locustctl status`: where we are, as whom, how many replicas there are, and who else changes
//! that number.

mod swarm;

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;

use self::swarm::Swarm;
use super::again::Again;
use super::connection::{self, Connection};
use super::hints::hints;
use super::locust::location;
use super::signals;
use super::target::{Meant, only_one, resolve_one};
use crate::cli::{GlobalArgs, StatusArgs};
use crate::cluster::api::Error;
use crate::locust::{Address, LocustLocation};
use crate::output::{Failed, UnknownFormat, print_json, sentence_of, write_stdout};
use crate::scaling::{
    Autoscaler, ScaleError, SelectionArgs, Target, Workload, autoscalers, check_namespace,
    explain_missing, workload_of,
};
use crate::text::terminal::{harmless, say};
use crate::text::yaml;

/// With `--watch`; Locust itself keeps its statistics for as long.
const PERIOD: Duration = Duration::from_secs(2);

/// The cursor to the upper left, and nothing below it.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// Everything that is shown; also the object of `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    server: String,
    context: Option<String>,
    namespace: String,
    credentials: String,
    target: String,
    replicas: Replicas,
    autoscalers: Vec<Autoscaler>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locust: Option<Swarm>,
}

/// The counts of the target; those that its kind does not have are left out.
#[derive(Serialize)]
struct Replicas {
    desired: i64,
    current: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
    ready: i64,
}

/// Reads the target, its autoscalers and Locust, and prints what they say; with `--watch` again
/// and again, until Ctrl-C.
///
/// # Errors
/// The target cannot be read, or Locust where it is said to be. That autoscalers cannot be listed is
/// only said on stderr.
pub async fn run(global: GlobalArgs, args: StatusArgs) -> Result<(), Failed> {
    let form = form(args.output.as_deref())?;
    let location = location(&args.locust, Address::Auto)?;
    let typed = global.typed.clone();
    let prepared = connection::prepare(global)?;
    let again = Again::new(typed, prepared.namespace());
    let meant = Meant::new(&SelectionArgs { args: &args.target, ..SelectionArgs::default() })?;
    let meant = meant.for_machine(!matches!(form, Form::Text));
    only_one("status", &meant.selection)?;
    check_namespace(prepared.namespace())?;
    let connection = prepared.open().await?;
    let target = resolve_one(&connection, &meant).await?;
    let subject = Subject { connection: &connection, target, location, form, again };
    if !args.watch {
        return print(&look(&subject).await?, form);
    }
    let end = signals::first()?;
    tokio::select! {
        result = again_and_again(&subject) => result,
        _ = end => Ok(()),
    }
}

/// What is looked at, and for whom.
struct Subject<'a> {
    connection: &'a Connection,
    target: Target,
    location: LocustLocation,
    form: Form,
    again: Again,
}

async fn again_and_again(subject: &Subject<'_>) -> Result<(), Failed> {
    let can_redraw = matches!(subject.form, Form::Text) && std::io::stdout().is_terminal();
    loop {
        let status = look(subject).await?;
        if can_redraw {
            write_stdout(CLEAR)?;
        }
        print(&status, subject.form)?;
        tokio::time::sleep(PERIOD).await;
    }
}

async fn look(subject: &Subject<'_>) -> Result<Status, Failed> {
    let Subject { connection, target, location, again, .. } = subject;
    let client = &connection.client;
    let workload = match workload_of(client, target).await {
        Ok(workload) => workload,
        Err(error) => return Err(missing(subject, error).await),
    };
    let managers = autoscalers(client, target).await;
    if let [(_, error), ..] = managers.unknown.as_slice() {
        let resources: Vec<_> = managers.unknown.iter().map(|(resource, _)| *resource).collect();
        let (resources, why) = (resources.join(" or "), sentence_of(error));
        say(&format!("Whether {resources} change the count of {target} is not known: {why}"));
    }
    for Autoscaler { kind, name, min, max } in &managers.found {
        say(&format!(
            "Warning: {kind} {name:?} keeps {target} between {min} and {max} replicas: it may undo a scale by hand"
        ));
    }
    let locust = swarm::look(client, target, location).await.map_err(anyhow::Error::from)?;
    for warning in locust.iter().flat_map(Swarm::warnings) {
        say(&format!("Warning: {warning}"));
    }
    for note in locust.iter().flat_map(Swarm::notes) {
        say(&format!("Note: {note}"));
    }
    if locust.as_ref().is_some_and(Swarm::needs_rebalance) {
        let command = again.command("rebalance", target);
        say(&format!("To give the test its users back, run: {command}"));
    }
    Ok(Status {
        server: connection.server.clone(),
        context: connection.context.clone(),
        namespace: connection.namespace.clone(),
        credentials: connection.credentials.clone(),
        target: target.to_string(),
        replicas: replicas(&workload, target),
        autoscalers: managers.found,
        locust,
    })
}

/// The forms of a status.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
    Yaml,
}

fn form(text: Option<&str>) -> Result<Form, UnknownFormat> {
    let given = text.unwrap_or_default();
    match given.to_lowercase().as_str() {
        "" => Ok(Form::Text),
        "json" => Ok(Form::Json),
        "yaml" => Ok(Form::Yaml),
        _ => Err(UnknownFormat { given: given.to_owned(), allowed: "json,yaml" }),
    }
}

async fn missing(subject: &Subject<'_>, error: Error) -> Failed {
    let Subject { connection, target, form, again, .. } = subject;
    let client = &connection.client;
    let problem = ScaleError::Api(explain_missing(client, target, error).await);
    let hints = match matches!(form, Form::Text) && problem.is_missing(target) {
        true => hints(client, std::slice::from_ref(target), again, "status").await,
        false => Vec::new(),
    };
    Failed::from(problem).with_hints(hints)
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

fn print(status: &Status, form: Form) -> Result<(), Failed> {
    let object = || serde_json::to_value(status);
    let text = match form {
        Form::Text => text(status),
        Form::Json => print_json(&object()?),
        Form::Yaml => yaml::print(&object()?),
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
    rows.extend(status.locust.iter().flat_map(Swarm::rows));
    let head: String = rows
        .iter()
        .map(|(name, value)| format!("{:<13}{}\n", format!("{name}:"), harmless(value)))
        .collect();
    head + &status.locust.as_ref().map(Swarm::table).unwrap_or_default()
}
