//! Suggestions after a target was not found.

use super::follow_up::{FollowUp, typed_name, versioned_name};
use crate::cluster::api::{Client, ScaleSupport};
use crate::scaling::{Likeness, Suggestion, Target, scale_support, suggest};
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

/// One line for each existing target that resembles a missing one, with the command to type. A type
/// without a scale subresource gets a line as well.
pub async fn hints(
    client: &Client,
    missing: &[MissingTarget],
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
    for MissingTarget { target, cause } in missing {
        let found = match cause {
            MissingPart::Object => suggest(client, target).await,
            MissingPart::Path => Default::default(),
        };
        if found.exists || *cause == MissingPart::Path {
            without_scale(client, target, follow_up, subcommand)
                .await
                .into_iter()
                .for_each(&mut add);
        }
        for Suggestion { target, likeness } in found.similar {
            let why = match likeness {
                Likeness::Name => "has a similar name",
                Likeness::Workers => "looks like Locust workers",
            };
            let command = follow_up.command(subcommand, &target);
            add(format!("{} {why}: {command}", typed_name(&target)));
        }
    }
    hints
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
