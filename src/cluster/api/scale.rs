//! The scale subresource: `autoscaling/v1 Scale`, a small object with the replicas of any scalable
//! object.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::{Error, RequestSubject, Status, escape_segment};
use crate::text::go;
use crate::text::terminal::masked;

/// The group versions in which API servers have served Scale objects.
const KNOWN_VERSIONS: [&str; 4] =
    ["autoscaling/v1", "extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"];

/// A Scale object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// `spec.replicas`. The server leaves the field out at zero.
    pub replicas: i32,
    /// `status.replicas`: the number of pods.
    pub current: i64,
    /// `status.selector`: the label selector of the pods, as in a query; empty if it is missing.
    pub selector: String,
    /// `metadata.resourceVersion`; opaque.
    pub resource_version: String,
    /// Ready pods. A Scale object does not have this number.
    pub ready: Option<i64>,
    /// The most pods that will run, if that can be fewer than `replicas`. A Scale object does not have
    /// this number.
    pub max_pods: Option<i64>,
}

/// The kind of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902
    Json,
    /// RFC 7396
    Merge,
}

impl PatchKind {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
        }
    }
}

/// A change of an object on the server.
#[derive(Debug)]
pub struct Patch {
    pub kind: PatchKind,
    /// The body: the operations, or the fields to merge.
    pub body: Value,
    /// If true, the server checks the patch and stores nothing (`dryRun=All`).
    pub is_dry_run: bool,
}

impl Client {
    /// Reads the scale of the object at `path` (see [`super::Resource::path`]).
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_scale(&self, path: &str, subject: &RequestSubject) -> Result<Scale, Error> {
        let path = format!("{path}/scale");
        let reply = self
            .send(Request {
                method: Method::GET,
                path: &path,
                query: &[],
                content: None,
                accept: None,
                subject,
            })
            .await?;
        read_scale(&reply, subject)
    }

    /// Sends `patch` to the scale of the object at `path`. `on_progress` gets true while the server may
    /// be carrying out the patch.
    ///
    /// # Errors
    /// Any of [`Error`]. After [`Error::may_have_been_applied`], the caller must read the object to
    /// learn the outcome.
    pub async fn patch_scale(
        &self,
        path: &str,
        patch: &Patch,
        subject: &RequestSubject,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<Scale, Error> {
        let reply = self.send_patch(&format!("{path}/scale"), patch, subject, on_progress).await?;
        read_scale(&reply, subject)
    }

    /// Sends `patch` to the object at `path`, and returns the object. The rest is as in
    /// [`Self::patch_scale`].
    ///
    /// # Errors
    /// Those of [`Self::patch_scale`].
    pub async fn patch_object(
        &self,
        path: &str,
        patch: &Patch,
        subject: &RequestSubject,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<Value, Error> {
        read_object(&self.send_patch(path, patch, subject, on_progress).await?, subject)
    }

    async fn send_patch(
        &self,
        path: &str,
        patch: &Patch,
        subject: &RequestSubject,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<Reply, Error> {
        let query: &[_] = if patch.is_dry_run { &[("dryRun", "All")] } else { &[] };
        let content = Some((patch.kind.media_type(), patch.body.to_string().into_bytes()));
        let request =
            Request { method: Method::PATCH, path, query, content, accept: None, subject };
        self.send_with_progress(request, on_progress).await
    }

    /// Reads a namespace, for example to learn if it exists.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_namespace(&self, name: &str) -> Result<Value, Error> {
        let path = format!("/api/v1/namespaces/{}", escape_segment(name));
        let subject =
            RequestSubject { verb: "get", resource: "namespaces".into(), name: name.to_owned() };
        self.get_object(&path, &subject).await
    }
}

fn read_scale(reply: &Reply, subject: &RequestSubject) -> Result<Scale, Error> {
    let object = match serde_json::from_slice::<Value>(&reply.body) {
        // client-go decodes a Scale whatever its media type is (`scale/client.go`).
        Ok(object) if reply.is_success() && object.is_object() => check_kind(object, reply)?,
        _ => read_object(reply, subject)?,
    };
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    if kind != "Scale" || !KNOWN_VERSIONS.contains(&version) {
        return Err(Error::Unreadable(format!(
            "no kind {} is registered for version {} in scheme \"locustctl\"",
            go::quote(kind),
            go::quote(version)
        )));
    }
    let replicas = match &object["spec"]["replicas"] {
        Value::Null => Some(0),
        count => count.as_i64().and_then(|count| i32::try_from(count).ok()).filter(|n| *n >= 0),
    };
    let replicas = replicas.ok_or_else(|| {
        let count = &object["spec"]["replicas"];
        Error::Unreadable(format!(
            "the server's Scale has {count} in spec.replicas, which is not a number of replicas"
        ))
    })?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Scale {
        replicas,
        current: object["status"]["replicas"].as_i64().unwrap_or_default(),
        selector: text(&object["status"]["selector"]),
        resource_version: text(&object["metadata"]["resourceVersion"]),
        ready: None,
        max_pods: None,
    })
}

/// Reads a JSON object with a kind, by the rules of client-go's unstructured decoder.
pub(super) fn read_object(reply: &Reply, subject: &RequestSubject) -> Result<Value, Error> {
    if !reply.is_success() {
        return Err(Error::Status(Box::new(Status::from_reply(reply, subject))));
    }
    let media_type = reply.media_type();
    if !matches!(media_type.as_str(), "application/json" | "") {
        return Err(Error::Unreadable(format!("serializer for {media_type} doesn't exist")));
    }
    let object: Value = serde_json::from_slice(&reply.body).map_err(|error| {
        let what = match error.is_eof() {
            true => "unexpected end of JSON input".to_owned(),
            false => error.to_string(),
        };
        Error::Unreadable(format!("couldn't get version/kind; json parse error: {what}"))
    })?;
    check_kind(object, reply)
}

/// Returns the reply's object if it has a `kind` and is not a Status.
fn check_kind(object: Value, reply: &Reply) -> Result<Value, Error> {
    match object["kind"].as_str() {
        None | Some("") => {
            let text = object.to_string();
            let text = masked(&text);
            let shown = &text[..text.floor_char_boundary(1024)];
            Err(Error::Unreadable(format!("Object 'Kind' is missing in '{shown}'")))
        }
        // kubectl panics here. The Status may have a message.
        Some("Status") => Err(Error::Unreadable(match Status::decode(&reply.body) {
            Some(status) if !status.message.is_empty() => format!(
                "the server answered {} with a Status instead of the object: {}",
                reply.status, status.message
            ),
            _ => {
                format!("the server answered {} with a Status instead of the object", reply.status)
            }
        })),
        Some(_) => Ok(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<i32, String> {
        let subject =
            RequestSubject { verb: "get", resource: "deployments".into(), name: "a".into() };
        read_scale(&Reply::for_test(200, "application/json", body), &subject)
            .map(|scale| scale.replicas)
            .map_err(|error| error.to_string())
    }

    fn scale(spec: &str) -> String {
        format!(r#"{{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{{}},"spec":{spec}}}"#)
    }

    #[test]
    fn missing_replicas_are_zero() {
        assert_eq!(read(&scale("{}")), Ok(0));
        assert_eq!(read(&scale(r#"{"replicas":3}"#)), Ok(3));
        assert_eq!(read(&scale(r#"{"replicas":2147483647}"#)), Ok(i32::MAX));
    }

    #[test]
    fn invalid_replicas_are_refused() {
        for spec in [
            r#"{"replicas":-1}"#,
            r#"{"replicas":"3"}"#,
            r#"{"replicas":1.5}"#,
            r#"{"replicas":2147483648}"#,
        ] {
            let error = read(&scale(spec)).unwrap_err();
            assert!(error.contains("which is not a number of replicas"), "{spec}: {error}");
        }
    }

    #[test]
    fn a_scale_is_read_whatever_its_media_type() {
        let subject =
            RequestSubject { verb: "get", resource: "deployments".into(), name: "a".into() };
        let body = scale(r#"{"replicas":3}"#);
        for media_type in ["text/plain", "Application/JSON", "text/html; charset=utf-8"] {
            let reply = Reply::for_test(200, media_type, &body);
            assert_eq!(read_scale(&reply, &subject).unwrap().replicas, 3, "{media_type}");
        }
        let reply = Reply::for_test(200, "Application/JSON; charset=utf-8", &body);
        assert!(read_object(&reply, &subject).is_ok());
    }

    #[test]
    fn other_objects_are_refused_in_client_gos_words() {
        for (body, expected) in [
            ("{}", "Object 'Kind' is missing in '{}'"),
            ("[]", "Object 'Kind' is missing in '[]'"),
            (
                r#"{"kind":"Scale""#,
                "couldn't get version/kind; json parse error: unexpected end of JSON input",
            ),
            (
                r#"{"kind":"Scale","apiVersion":"foo/v1"}"#,
                "no kind \"Scale\" is registered for version \"foo/v1\" in scheme \"locustctl\"",
            ),
            (
                r#"{"kind":"Status","apiVersion":"v1","status":"Success","message":"fine"}"#,
                "the server answered 200 with a Status instead of the object: fine",
            ),
        ] {
            assert_eq!(read(body), Err(expected.to_owned()), "{body}");
        }
        let subject =
            RequestSubject { verb: "get", resource: "deployments".into(), name: "a".into() };
        let html = Reply::for_test(200, "text/html; charset=utf-8", "<html>");
        assert_eq!(
            read_scale(&html, &subject).unwrap_err().to_string(),
            "serializer for text/html doesn't exist"
        );
    }
}
