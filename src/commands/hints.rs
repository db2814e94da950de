//! What may have been meant by a target that does not exist.

use super::again::{Again, typed};
use crate::cluster::api::Client;
use crate::scaling::{Likeness, Suggestion, Target, suggest};

/// Where more are missing, something else is wrong than a name.
const MOST: usize = 3;

/// A line for each suggestion, with the command to type.
pub async fn hints(
    client: &Client,
    missing: &[Target],
    again: &Again,
    subcommand: &str,
) -> Vec<String> {
    let mut hints = Vec::new();
    if missing.len() > MOST {
        return hints;
    }
    for target in missing {
        for Suggestion { target, likeness } in suggest(client, target).await {
            let why = match likeness {
                Likeness::Name => "has a similar name",
                Likeness::Workers => "looks like Locust workers",
            };
            let command = again.command(subcommand, &target);
            let hint = format!("{} {why}: {command}", typed(&target));
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }
    hints
}
