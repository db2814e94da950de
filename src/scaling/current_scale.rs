//! Reads the current replica count, and the object if it is printed.

use serde_json::Value;

use super::order::{ObjectSource, Order, count_text};
use crate::cluster::api::{About, Client, Error, Status};

/// The replica count as it was read last.
pub(super) struct CurrentScale {
    /// `None` for a custom resource without a count.
    pub(super) replicas: Option<i64>,
    /// `None` if the count comes from `--current-replicas` and was not read.
    pub(super) resource_version: Option<String>,
    /// The whole object, if [`Order::object`] asks for it.
    pub(super) object: Option<Value>,
}

impl CurrentScale {
    /// Reads the scale subresource, or the whole object if it is needed. The whole object has the
    /// count of a built-in kind. Of another kind both are read.
    pub(super) async fn read(
        client: &Client,
        order: &Order,
        path: &str,
        about: &About,
    ) -> Result<Self, Error> {
        let object = match &order.object {
            ObjectSource::None => None,
            ObjectSource::Given(object) => Some(object.clone()),
            ObjectSource::Server => {
                let object = client.get_object(path, about).await?;
                if order.target.resource.has_replicas_in_spec() {
                    return Self::in_object(object);
                }
                Some(object)
            }
        };
        match client.get_scale(path, about).await {
            Ok(scale) => Ok(Self {
                replicas: Some(scale.replicas.into()),
                resource_version: Some(scale.resource_version),
                object,
            }),
            Err(Error::Status(status)) if is_unset_count(&status) => {
                Ok(Self { replicas: None, resource_version: None, object })
            }
            Err(error) => Err(error),
        }
    }

    fn in_object(object: Value) -> Result<Self, Error> {
        let replicas = replicas_in_spec(&object)?;
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        Ok(Self { replicas: Some(replicas), resource_version: Some(version), object: Some(object) })
    }

    pub(super) fn is(&self, count: i64) -> bool {
        self.replicas == Some(count)
    }

    /// The count as text.
    pub(super) fn count(&self) -> String {
        count_text(self.replicas)
    }
}

/// `spec.replicas` of an object of a built-in kind.
///
/// # Errors
/// The field is no natural number.
pub(super) fn replicas_in_spec(object: &Value) -> Result<i64, Error> {
    match &object["spec"]["replicas"] {
        // The API server sets a default; only a server that is no API server leaves it out.
        Value::Null => Ok(0),
        count => count.as_i64().filter(|count| *count >= 0).ok_or_else(|| {
            Error::Unreadable(format!(
                "the server's object has {count} in spec.replicas, which is not a number of replicas"
            ))
        }),
    }
}

/// True if a custom resource has no count: its scale cannot be read, but it can be patched. Only the
/// message of the API server tells this case (apiextensions, `customresource/etcd.go`).
fn is_unset_count(status: &Status) -> bool {
    status.code == 500
        && status.message.contains("the spec replicas field ")
        && status.message.ends_with(" does not exist")
}
