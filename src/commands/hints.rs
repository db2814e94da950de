//! Suggestions after a target was not found.

use super::follow_up::{FollowUp, typed_name};
use crate::cluster::api::Client;
use crate::scaling::{Likeness, Suggestion, Target, suggest};

/// If more targets than this are missing, their names are probably not the problem.
const MAX_MISSING: usize = 3;

/// One line for each existing target that resembles a missing one, with the command to type.
pub async fn hints(
    client: &Client,
    missing: &[Target],
    follow_up: &FollowUp,
    subcommand: &str,
) -> Vec<String> {
    let mut hints = Vec::new();
    if missing.len() > MAX_MISSING {
        return hints;
    }
    for target in missing {
        for Suggestion { target, likeness } in suggest(client, target).await {
            let why = match likeness {
                Likeness::Name => "has a similar name",
                Likeness::Workers => "looks like Locust workers",
            };
            let command = follow_up.command(subcommand, &target);
            let hint = format!("{} {why}: {command}", typed_name(&target));
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }
    hints
}
