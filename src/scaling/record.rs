//! `--record`: the command line as an annotation of the scaled object.

use reqwest::Method;
use serde_json::json;

use super::{DryRun, Order};
use crate::cluster::api::{Client, Request};

/// Writes the annotation after the scale, except in a dry run. A failure is only logged, as in
/// kubectl, because the scale has succeeded.
pub(super) async fn record(client: &Client, order: &Order) {
    let Some(cause) = order.change_cause.as_deref() else { return };
    if order.dry_run != DryRun::None {
        return;
    }
    let target = &order.target;
    let patch = json!({"metadata": {"annotations": {"kubernetes.io/change-cause": cause}}});
    let subject = target.request_subject("patch");
    let content = Some(("application/merge-patch+json", patch.to_string().into_bytes()));
    let path = target.path();
    let request = Request {
        method: Method::PATCH,
        path: &path,
        query: &[],
        content,
        accept: None,
        subject: &subject,
    };
    let failed = match client.send(request).await {
        Ok(reply) if reply.is_success() => return,
        Ok(reply) => format!("the server answered {}", reply.status),
        Err(error) => error.to_string(),
    };
    client.trace().info(4, "record.rs", &format!("error recording current command: {failed}"));
}
