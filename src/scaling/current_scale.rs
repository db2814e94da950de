//! Reading the present count, with what goes with it.

use serde_json::Value;

use super::order::{ObjectSource, Order, count_text};
use crate::cluster::api::{About, Client, Error, Status};

/// The count as it was last seen.
pub(super) struct CurrentScale {
    /// `None` for a custom resource whose count is not set.
    pub(super) replicas: Option<i64>,
    /// Absent when the count was only given as a condition.
    pub(super) resource_version: Option<String>,
    /// Where it is wanted.
    pub(super) object: Option<Value>,
}

impl CurrentScale {
    /// Reads as little as is needed: the scale, or the whole object, which holds the count of the
    /// built-in kinds; for another kind both.
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

    /// For people.
    pub(super) fn count(&self) -> String {
        count_text(self.replicas)
    }
}

/// The count of an object of a built-in kind.
pub(super) fn replicas_in_spec(object: &Value) -> Result<i64, Error> {
    match &object["spec"]["replicas"] {
        // The API server fills it in; only a foreign server could leave it out.
        Value::Null => Ok(0),
        count => count.as_i64().filter(|count| *count >= 0).ok_or_else(|| {
            Error::Unreadable(format!(
                "the server's object has {count} in spec.replicas, which is no count"
            ))
        }),
    }
}

/// A custom resource without a count: its scale cannot be read, yet can be patched. The API server
/// (apiextensions, `customresource/etcd.go`) has no other sign of it than its words.
fn is_unset_count(status: &Status) -> bool {
    status.code == 500
        && status.message.contains("the spec replicas field ")
        && status.message.ends_with(" does not exist")
}
