//! The warning about a second master of Locust.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::results::CompletedChange;
use super::settings::Settings;
use crate::cluster::api::Client;
use crate::locust::{Role, Template};
use crate::scaling::Target;
use crate::text::terminal::{on_one_line, say};

/// Time limit of the request. The scale has succeeded, and the warning is not worth a longer wait.
const LIMIT: Duration = Duration::from_secs(2);

/// Warns about targets that run a master and now have several replicas. A master is recognised by its
/// name; with `--locust`, also by what its pods run. That takes one more request.
pub(super) async fn warn(client: &Client, settings: &Settings, changes: &[CompletedChange]) {
    let reads_objects = settings.location.is_some();
    let several = changes.iter().filter(|change| change.new > 1);
    let checks = several.map(|change| async move {
        is_master(client, &change.target, reads_objects).await.then_some(change)
    });
    for CompletedChange { target, new, .. } in join_all(checks).await.into_iter().flatten() {
        say(&on_one_line(&format!(
            "Warning: {target} runs Locust's master, and now has {new} replicas. Several masters split the \
             workers and the users of a test between them. Scale {target} to 1 again"
        )));
    }
}

async fn is_master(client: &Client, target: &Target, reads_objects: bool) -> bool {
    let (path, subject) = (target.path(), target.request_subject("get"));
    if reads_objects
        && let Ok(Ok(object)) = timeout(LIMIT, client.get_object(&path, &subject)).await
    {
        return Template::of_workload(&object).role() == Some(Role::Master);
    }
    let named = Template { name: target.name.clone(), ..Template::default() };
    named.role() == Some(Role::Master)
}
