//! Refusals: the `Status` objects of a real API server, with its texts.

use serde_json::{Map, Value, json};

use super::resource_type::{ResourceType, qualified};

/// A refused request.
#[derive(Debug)]
pub(super) struct Failure {
    pub code: u16,
    pub body: FailureBody,
}

/// The body of a refusal. The router below the API machinery answers in plain text if a group
/// version does not exist.
#[derive(Debug)]
pub(super) enum FailureBody {
    Status(Value),
    PlainText(&'static str),
}

impl Failure {
    pub(super) fn new(
        code: u16,
        reason: &str,
        message: impl Into<String>,
        details: Option<Value>,
    ) -> Self {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(), "reason": reason, "code": code,
        });
        if let Some(details) = details {
            status["details"] = details;
        }
        Self { code, body: FailureBody::Status(status) }
    }

    /// The `Status`, for tests and for watch events.
    pub(super) fn status(&self) -> Value {
        match &self.body {
            FailureBody::Status(status) => status.clone(),
            FailureBody::PlainText(text) => Value::from(*text),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message, None)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized", None)
    }

    pub(super) fn no_such_path() -> Self {
        Self { code: 404, body: FailureBody::PlainText("404 page not found\n") }
    }

    pub(super) fn no_such_resource() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
            Some(json!({})),
        )
    }

    pub(super) fn not_found(kind: &ResourceType, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.qualified());
        Self::new(404, "NotFound", message, Some(details(name, kind.group, kind.plural)))
    }

    pub(super) fn already_exists(kind: &ResourceType, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Self::new(409, "AlreadyExists", message, Some(details(name, kind.group, kind.plural)))
    }

    pub(super) fn conflict(kind: &ResourceType, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; \
             please apply your changes to the latest version and try again",
            kind.qualified()
        );
        Self::new(409, "Conflict", message, Some(details(name, kind.group, kind.plural)))
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message, Some(json!({})))
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type", Some(json!({})))
    }

    pub(super) fn unknown_body_format() -> Self {
        Self::accepts_only(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )
    }

    /// The body has none of these media types.
    pub(super) fn accepts_only(types: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {types}"
        );
        Self::new(415, "UnsupportedMediaType", message, Some(json!({})))
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(413, "RequestEntityTooLarge", message, Some(json!({})))
    }

    /// A patch that cannot be applied. The real server does not name the operation either.
    pub(super) fn patch_does_not_apply() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(422, "Invalid", message, Some(json!({})))
    }

    /// The refusal of one field. `group`, `kind` and `name` may be empty.
    pub(super) fn invalid(
        group: &str,
        kind: &str,
        name: &str,
        reason: &str,
        field: &str,
        problem: &str,
    ) -> Self {
        let subject = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let message = format!("{subject} \"{name}\" is invalid: {field}: {problem}");
        let mut about = details(name, group, kind);
        about["causes"] = json!([{ "reason": reason, "message": problem, "field": field }]);
        Self::new(422, "Invalid", message, Some(about))
    }

    pub(super) fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"), None)
    }

    /// A page whose list is too old to be continued. `token` continues the list with the objects of
    /// now.
    pub(super) fn page_expired(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. \
                       You can start a new list without the continue parameter, or use the continue token \
                       in this response to retrieve the remainder of the results. Continuing with the \
                       provided token results in an inconsistent list - objects that were created, \
                       modified, or deleted between the time the first chunk was returned and now may \
                       show up in the list.";
        let mut failure = Self::new(410, "Expired", message, None);
        if let FailureBody::Status(status) = &mut failure.body {
            status["metadata"]["continue"] = Value::from(token);
        }
        failure
    }

    pub(super) fn internal(problem: &str) -> Self {
        let details = json!({ "causes": [{ "message": problem }] });
        let message = format!("Internal error occurred: {problem}");
        Self::new(500, "InternalError", message, Some(details))
    }

    /// The refusal of RBAC. `resource` may have a subresource.
    pub(super) fn forbidden(
        user: &str,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Self {
        let plural = resource.split('/').next().unwrap_or(resource);
        let mut subject = qualified(plural, group);
        if !name.is_empty() {
            subject = format!("{subject} \"{name}\"");
        }
        let place = match namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let message = format!(
            "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
        );
        Self::new(403, "Forbidden", message, Some(details(name, group, plural)))
    }

    pub(super) fn forbidden_path(user: &str, verb: &str, path: &str) -> Self {
        let message = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"");
        Self::new(403, "Forbidden", message, Some(json!({})))
    }
}

/// `details` without the empty fields, as with Go's `omitempty`.
fn details(name: &str, group: &str, kind: &str) -> Value {
    let mut fields = Map::new();
    for (field, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            fields.insert(field.to_owned(), Value::from(value));
        }
    }
    Value::Object(fields)
}
