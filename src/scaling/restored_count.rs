//! Reads the number that `--restore` puts back.

use super::current_scale::count_in_field;
use super::missing::explain_missing;
use super::order::{ListedObject, ScaleError};
use super::remembered_count::Annotation;
use super::target::Target;
use crate::cluster::api::{Client, Error};

/// Reads what `--restore` does: the number to restore, and the object before the change.
///
/// # Errors
/// The object cannot be read, or [`ScaleError::NotRestored`].
pub async fn restored_count(
    client: &Client,
    target: &Target,
) -> Result<(i32, ListedObject), ScaleError> {
    let object = match client.get_object(&target.path(), &target.request_subject("get")).await {
        Ok(object) => object,
        Err(error) => return Err(explain_missing(client, target, error).await.into()),
    };
    let count = count_in_field(&object, "replicas")?;
    let annotation = Annotation::of(&object);
    let restored = annotation.to_restore(count);
    let new = restored.map_err(|why| not_restored(target, why))?;
    let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let replicas = count.ok_or_else(|| no_count(target))?;
    let listed =
        ListedObject { replicas, resource_version: version, object: Some(object), annotation };
    Ok((new, listed))
}

pub(super) fn not_restored(target: &Target, why: String) -> ScaleError {
    ScaleError::NotRestored { target: target.to_string(), why }
}

fn no_count(target: &Target) -> Error {
    Error::Unreadable(format!("the server's answer for {target} has no spec.replicas"))
}
