//! Reads the current replica count, and the object if it is printed.

use serde_json::Value;

use super::count_location::CountLocation;
use super::job::notes_about;
use super::order::{ObjectSource, Order, count_text};
use super::remembered_count::Annotation;
use crate::cluster::api::{Client, Error, RequestSubject, Status};

/// The replica count as it was read last.
pub(super) struct CurrentScale {
    /// `None` for a custom resource without a count.
    pub(super) replicas: Option<i64>,
    /// `None` if the count comes from `--current-replicas` and was not read.
    pub(super) resource_version: Option<String>,
    /// The whole object, if [`Order::object`] asks for it.
    pub(super) object: Option<Value>,
    /// Sentences about the object.
    pub(super) notes: Vec<String>,
    /// The annotation of `--remember`, if the order needs it.
    pub(super) annotation: Annotation,
}

impl CurrentScale {
    /// Reads the scale subresource, or the whole object if it is needed. The whole object has the
    /// count of a built-in kind. Of another kind both are read.
    pub(super) async fn read(
        client: &Client,
        order: &Order,
        path: &str,
        subject: &RequestSubject,
    ) -> Result<Self, Error> {
        if let CountLocation::Field(field) = order.count_location() {
            let object = client.get_object(path, subject).await?;
            return Self::in_field(order, object, field);
        }
        let object = match &order.object {
            ObjectSource::None => None,
            ObjectSource::Given(object) => Some(object.clone()),
            ObjectSource::Server => {
                let object = client.get_object(path, subject).await?;
                if order.target.resource.has_replicas_in_spec() {
                    return Self::in_object(object);
                }
                Some(object)
            }
        };
        match client.get_scale(path, subject).await {
            Ok(scale) => Ok(Self {
                replicas: Some(scale.replicas.into()),
                resource_version: Some(scale.resource_version),
                object,
                notes: Vec::new(),
                annotation: Annotation::default(),
            }),
            Err(Error::Status(status)) if is_unset_count(&status) => Ok(Self {
                replicas: None,
                resource_version: None,
                object,
                notes: Vec::new(),
                annotation: Annotation::default(),
            }),
            Err(error) => Err(error),
        }
    }

    fn in_object(object: Value) -> Result<Self, Error> {
        let replicas = replicas_in_spec(&object)?;
        Ok(Self {
            replicas: Some(replicas),
            resource_version: Some(version_of(&object)),
            object: Some(object),
            notes: Vec::new(),
            annotation: Annotation::default(),
        })
    }

    fn in_field(order: &Order, object: Value, field: &str) -> Result<Self, Error> {
        Ok(Self {
            replicas: count_in_field(&object, field)?,
            resource_version: Some(version_of(&object)),
            notes: notes_about(&order.target, &object),
            annotation: Annotation::of(&object),
            object: match &order.object {
                ObjectSource::None => None,
                ObjectSource::Given(object) => Some(object.clone()),
                ObjectSource::Server => Some(object),
            },
        })
    }

    pub(super) fn is(&self, count: i64) -> bool {
        self.replicas == Some(count)
    }

    /// The count as text.
    pub(super) fn count(&self) -> String {
        count_text(self.replicas)
    }
}

fn version_of(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

/// The count in a field of the object's spec; `None` if the field is missing.
///
/// # Errors
/// The field is no natural number.
pub(super) fn count_in_field(object: &Value, field: &str) -> Result<Option<i64>, Error> {
    match &object["spec"][field] {
        Value::Null => Ok(None),
        count => count.as_i64().filter(|count| *count >= 0).map(Some).ok_or_else(|| {
            Error::Unreadable(format!(
                "the server's object has {count} in spec.{field}, which is not a number of replicas"
            ))
        }),
    }
}

/// `spec.replicas` of an object of a built-in kind.
///
/// # Errors
/// The field is no natural number.
pub(super) fn replicas_in_spec(object: &Value) -> Result<i64, Error> {
    // The API server sets a default; only a server that is no API server leaves it out.
    Ok(count_in_field(object, "replicas")?.unwrap_or_default())
}

/// True if a custom resource has no count: its scale cannot be read, but it can be patched. Only the
/// message of the API server tells this case (apiextensions, `customresource/etcd.go`).
fn is_unset_count(status: &Status) -> bool {
    status.code == 500
        && status.message.contains("the spec replicas field ")
        && status.message.ends_with(" does not exist")
}
