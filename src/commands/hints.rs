//! Suggestions after a target was not found.

use super::default_target::WorkerSearch;
use super::follow_up::{FollowUp, typed_name, versioned_name};
use crate::cluster::api::{Client, Error, ScaleSupport};
use crate::output::Failed;
use crate::scaling::{ScaleError, Target, explain_missing, scale_support, suggest};
use crate::text::terminal::on_one_line;

/// If more targets than this are missing, their names are probably not the problem.
const MAX_MISSING: usize = 3;

/// A target for which the server has answered 404.
#[derive(Debug, Clone)]
pub struct MissingTarget {
    pub target: Target,
    pub cause: MissingPart,
}

/// The part that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingPart {
    /// The server says that the object does not exist. Some servers say so if only the scale subresource
    /// does not exist.
    Object,
    /// The server does not have the path. The type has no scale subresource.
    Path,
}

/// The hints for missing targets. They name the variable that the target comes from, and the command for each
/// existing target that resembles a missing one: those with a similar name, else those that run Locust workers if
/// the missing name is one of workers. A type without a scale subresource gets a line as well.
pub async fn hints(
    client: &Client,
    missing: &[MissingTarget],
    workers: &WorkerSearch,
    follow_up: &FollowUp,
    subcommand: &str,
) -> Vec<String> {
    let mut hints = Vec::new();
    if missing.len() > MAX_MISSING {
        return hints;
    }
    let mut add = |hint: String| {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    };
    if let Some(variable) = workers.variable().filter(|_| !missing.is_empty()) {
        add(on_one_line(variable).into_owned());
    }
    for MissingTarget { target, cause } in missing {
        let found = match cause {
            // The search for workers covers names that are similar to the default one.
            MissingPart::Object if workers.is_default() => Default::default(),
            MissingPart::Object => suggest(client, target).await,
            MissingPart::Path => Default::default(),
        };
        if found.exists || *cause == MissingPart::Path {
            without_scale(client, target, follow_up, subcommand)
                .await
                .into_iter()
                .for_each(&mut add);
        }
        for similar in &found.similar {
            let command = follow_up.command(subcommand, similar);
            add(format!("{} has a similar name: {command}", typed_name(similar)));
        }
        let is_unknown = *cause == MissingPart::Object && !found.exists && missing.len() == 1;
        if is_unknown && found.similar.is_empty() && is_name_of_workers(&target.name) {
            workers
                .hints(client, target, follow_up, subcommand)
                .await
                .into_iter()
                .for_each(&mut add);
        }
    }
    hints
}

/// The error for a target that cannot be read. If it does not exist, the error has the commands to type
/// instead.
pub async fn unreadable(
    client: &Client,
    target: &Target,
    error: Error,
    workers: &WorkerSearch,
    follow_up: &FollowUp,
    subcommand: &str,
) -> Failed {
    let problem = ScaleError::Api(explain_missing(client, target, error).await);
    if !problem.is_missing(target) {
        return Failed::from(problem);
    }
    let missing = MissingTarget { target: target.clone(), cause: MissingPart::Object };
    let hints = hints(client, &[missing], workers, follow_up, subcommand).await;
    Failed::from(problem).with_hints(hints)
}

fn is_name_of_workers(name: &str) -> bool {
    ["locust", "worker", "slave"].iter().any(|word| name.contains(word))
}

/// The line for an object whose type has no scale subresource. `None` if the type has one.
async fn without_scale(
    client: &Client,
    target: &Target,
    follow_up: &FollowUp,
    subcommand: &str,
) -> Option<String> {
    let resource = &target.resource;
    let (types, version) = (resource.plural_with_group(), resource.api_version());
    let hint = match scale_support(client, resource).await? {
        ScaleSupport::SameVersion => return None,
        ScaleSupport::None => {
            format!("{target} cannot be scaled: {types} have no scale subresource")
        }
        ScaleSupport::OtherVersion(scalable) => {
            let other = Target { resource: scalable, ..target.clone() };
            let command = follow_up.command_for(subcommand, &other, &versioned_name(&other));
            format!(
                "{target} cannot be scaled in the version {version}: {types} have no scale subresource there, \
                 but they have one in {}: {command}",
                other.resource.api_version()
            )
        }
    };
    Some(on_one_line(&hint).into_owned())
}
