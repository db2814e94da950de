//! Warnings about autoscalers that will change the count again.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use tokio::time::timeout;

use super::results::CompletedChange;
use super::settings::Settings;
use crate::cluster::api::Client;
use crate::scaling::{AutoscalerLists, DryRun};
use crate::text::terminal::say;

/// Time limit of the LISTs. The scale has succeeded, and the warning is not worth a longer wait.
const LIMIT: Duration = Duration::from_secs(3);

/// Warns about the autoscalers of the changed targets. It sends two LISTs for each namespace, and only
/// for a person or a command that waits anyway. Without the right to list them it says nothing.
pub(super) async fn warn(client: &Client, settings: &Settings, changes: &[CompletedChange]) {
    let is_waiting = settings.wait.is_some_and(|plan| plan.is_until_ready());
    let is_wanted = is_waiting || settings.location.is_some() || std::io::stderr().is_terminal();
    if !is_wanted || settings.dry_run != DryRun::None {
        return;
    }
    let mut namespaces: BTreeMap<&str, Vec<&CompletedChange>> = BTreeMap::new();
    for change in changes {
        namespaces.entry(&change.target.namespace).or_default().push(change);
    }
    for (namespace, changes) in namespaces {
        let read = timeout(LIMIT, AutoscalerLists::read(client, namespace)).await;
        let Ok(lists) = read else { return };
        for CompletedChange { target, new, .. } in changes {
            let active = lists.of(target).into_iter().filter(|one| one.may_undo(*new));
            active.for_each(|one| say(&format!("Warning: {}", one.effect(target))));
        }
    }
}
