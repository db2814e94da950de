//! The error for a target that does not exist.

use super::target::Target;
use crate::cluster::api::{Client, Error, Status};

/// The error for a target that does not exist. If its namespace does not exist either, that is the
/// error, as in kubectl.
pub async fn explain_missing(client: &Client, target: &Target, error: Error) -> Error {
    let is_about_target = error.status().is_some_and(|status| {
        status.is_not_found()
            && status.details.as_ref().is_some_and(|details| details.name == target.name)
    });
    let namespace = &target.namespace;
    if !is_about_target || !target.resource.namespaced || namespace == "default" {
        return error;
    }
    match client.get_namespace(namespace).await {
        Err(missing) if missing.status().is_some_and(Status::is_not_found) => missing,
        _ => error,
    }
}
