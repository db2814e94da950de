//! Sends the PATCH of one order.

use serde_json::{Value, json};

use super::count_location::CountLocation;
use super::current_scale::{CurrentScale, count_in_field};
use super::job::notes_about;
use super::order::{DryRun, Order};
use super::patch::{tested_patch, versioned_patch};
use crate::cluster::api::{Client, Error, Patch, PatchKind};

/// The count that the server has after a PATCH.
pub(super) struct PatchResult {
    pub count: i64,
    /// Sentences about the object.
    pub notes: Vec<String>,
}

/// Sends the PATCH that changes the count that was `seen` to `new`. `on_progress` gets true while the server
/// may be carrying it out.
///
/// # Errors
/// Those of [`Client::patch_scale`].
pub(super) async fn send(
    client: &Client,
    order: &Order,
    seen: &CurrentScale,
    new: i64,
    on_progress: &(dyn Fn(bool) + Sync),
) -> Result<PatchResult, Error> {
    let (location, path) = (order.count_location(), order.target.path());
    let tested = || tested_patch(location, seen.replicas, new);
    let (kind, body) = match (order.annotation_change, &order.condition.resource_version) {
        (Some(annotation_change), version) => {
            let mut operations = tested_operations(tested(), version.as_deref());
            operations.extend(seen.annotation.operations(annotation_change, seen.replicas, new));
            (PatchKind::Json, Value::Array(operations))
        }
        (None, Some(version)) => (PatchKind::Merge, versioned_patch(location, version, new)),
        (None, None) => (PatchKind::Json, tested()),
    };
    let patch = Patch { kind, body, is_dry_run: order.dry_run == DryRun::Server };
    let subject = order.target.request_subject("patch");
    let CountLocation::Field(field) = location else {
        let sent = client.patch_scale(&path, &patch, &subject, on_progress);
        return Ok(PatchResult { count: sent.await?.replicas.into(), notes: Vec::new() });
    };
    let object = client.patch_object(&path, &patch, &subject, on_progress).await?;
    let count = count_in_field(&object, field)?.unwrap_or_default();
    Ok(PatchResult { count, notes: notes_about(&order.target, &object) })
}

/// The operations of a patch, and a test of the resource version. They apply together or not at all.
fn tested_operations(patch: Value, version: Option<&str>) -> Vec<Value> {
    let mut operations = match patch {
        Value::Array(operations) => operations,
        other => vec![other],
    };
    let test =
        |version| json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
    operations.extend(version.map(test));
    operations
}
