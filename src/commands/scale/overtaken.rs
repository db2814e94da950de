//! Notices that another client changes a count while locustctl still checks the running test.

use std::time::Duration;

use anyhow::{Error, anyhow};
use tokio::time::sleep;

use super::super::follow_up::FollowUp;
use super::results::CompletedChange;
use crate::cluster::api::Client;
use crate::scaling::{WaitError, counts_of};
use crate::text::terminal::harmless;

/// The time between two reads of the counts.
const PERIOD: Duration = Duration::from_secs(2);

/// Waits until another client changes one of the counts. Returns the error for the user.
pub(super) async fn overtaken(
    client: &Client,
    changes: &[CompletedChange],
    follow_up: &FollowUp,
) -> Error {
    loop {
        sleep(PERIOD).await;
        for CompletedChange { target, new: requested, .. } in changes {
            let Ok(counts) = counts_of(client, target).await else { continue };
            let now = i64::from(counts.replicas);
            if now != *requested {
                let change =
                    WaitError::Overtaken { target: target.to_string(), requested: *requested, now };
                let check = follow_up.command("status", target);
                return anyhow!(
                    "{}; locustctl has ended its check of Locust. To check the test, run: {check}",
                    harmless(&change.to_string())
                );
            }
        }
    }
}
