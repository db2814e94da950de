//! Looks for autoscalers of the target.

use std::time::Duration;

use tokio::time::sleep;

use super::super::live::Live;
use super::super::log::log;
use crate::cluster::api::Client;
use crate::scaling::{Autoscaler, Target, autoscalers};
use crate::text::terminal::harmless;

/// Time between two looks. Autoscalers are rarely created or deleted.
const PERIOD: Duration = Duration::from_secs(60);

/// Looks for autoscalers of the target periodically; never ends.
pub(crate) async fn follow_autoscalers(client: &Client, target: &Target, live: &Live) {
    let mut logged = String::new();
    loop {
        let now = autoscalers(client, target).await;
        let errors: Vec<_> = now
            .list_errors
            .iter()
            .map(|(resource, error)| format!("{resource}: {error}"))
            .collect();
        let errors = errors.join("; ");
        if errors != logged && !errors.is_empty() {
            log(&format!("cannot read the autoscalers of {target}: {errors}"));
        }
        logged = errors;
        live.change(|state| state.autoscalers = shown(now.merge_with(&state.autoscalers)));
        sleep(PERIOD).await;
    }
}

/// The autoscalers with names that are safe to show.
fn shown(mut autoscalers: Vec<Autoscaler>) -> Vec<Autoscaler> {
    autoscalers.iter_mut().for_each(|one| one.name = harmless(&one.name));
    autoscalers
}
