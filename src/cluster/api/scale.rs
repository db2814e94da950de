//! The scale subresource: `autoscaling/v1 Scale`, the one small object that holds the count of
//! anything that can be scaled.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::{About, Error, Status, escape_segment};
use crate::text::go;

/// The group versions in which API servers have served Scale.
const KNOWN_VERSIONS: [&str; 4] =
    ["autoscaling/v1", "extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"];

/// What a Scale object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// `spec.replicas`. The server leaves the field out at zero.
    pub replicas: i32,
    /// `status.replicas`: how many pods there are.
    pub current: i64,
    /// `status.selector`: which pods these are, as in a query; empty when it is not said.
    pub selector: String,
    /// `metadata.resourceVersion`; opaque.
    pub resource_version: String,
}

/// Which patch to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902
    Json,
    /// RFC 7396
    Merge,
}

impl PatchKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
        }
    }
}

impl Client {
    /// Reads the scale of the object at `path` (see [`super::Resource::path`]).
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_scale(&self, path: &str, about: &About) -> Result<Scale, Error> {
        let path = format!("{path}/scale");
        let reply = self
            .send(Request {
                method: Method::GET,
                path: &path,
                query: &[],
                content: None,
                accept: None,
                about,
            })
            .await?;
        read_scale(&reply, about)
    }

    /// Sends `patch` to the scale of the object at `path`; with `dry_run` the server checks it
    /// and stores nothing. `is_under_way` is told whether the server may be at it.
    ///
    /// # Errors
    /// Any of [`Error`]; after [`Error::may_have_been_applied`] only reading tells.
    pub async fn patch_scale(
        &self,
        path: &str,
        kind: PatchKind,
        patch: &Value,
        dry_run: bool,
        about: &About,
        is_under_way: &(dyn Fn(bool) + Sync),
    ) -> Result<Scale, Error> {
        let path = format!("{path}/scale");
        let query: &[_] = if dry_run { &[("dryRun", "All")] } else { &[] };
        let content = Some((kind.media_type(), patch.to_string().into_bytes()));
        let request =
            Request { method: Method::PATCH, path: &path, query, content, accept: None, about };
        let reply = self.send_and_tell(request, is_under_way).await?;
        read_scale(&reply, about)
    }

    /// Reads a namespace, to see whether it exists.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_namespace(&self, name: &str) -> Result<Value, Error> {
        let path = format!("/api/v1/namespaces/{}", escape_segment(name));
        let about = About { verb: "get", resource: "namespaces".into(), name: name.to_owned() };
        self.get_object(&path, &about).await
    }

    /// Reads the whole object at `path`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_object(&self, path: &str, about: &About) -> Result<Value, Error> {
        let reply = self
            .send(Request {
                method: Method::GET,
                path,
                query: &[],
                content: None,
                accept: None,
                about,
            })
            .await?;
        read_object(&reply, about)
    }
}

fn read_scale(reply: &Reply, about: &About) -> Result<Scale, Error> {
    let object = read_object(reply, about)?;
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
            "the server's Scale has {count} in spec.replicas, which is no count"
        ))
    })?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Scale {
        replicas,
        current: object["status"]["replicas"].as_i64().unwrap_or_default(),
        selector: text(&object["status"]["selector"]),
        resource_version: text(&object["metadata"]["resourceVersion"]),
    })
}

/// A JSON object with a kind, as client-go's unstructured decoder wants it.
pub(super) fn read_object(reply: &Reply, about: &About) -> Result<Value, Error> {
    if !reply.is_success() {
        return Err(Error::Status(Box::new(Status::from_reply(reply, about))));
    }
    let media_type = reply.content_type().split(';').next().unwrap_or_default().trim();
    if !matches!(media_type, "application/json" | "") {
        return Err(Error::Unreadable(format!("serializer for {media_type} doesn't exist")));
    }
    let object: Value = serde_json::from_slice(&reply.body).map_err(|error| {
        let what = match error.is_eof() {
            true => "unexpected end of JSON input".to_owned(),
            false => error.to_string(),
        };
        Error::Unreadable(format!("couldn't get version/kind; json parse error: {what}"))
    })?;
    match object["kind"].as_str() {
        None | Some("") => {
            let text = object.to_string();
            let shown = &text[..text.floor_char_boundary(1024)];
            Err(Error::Unreadable(format!("Object 'Kind' is missing in '{shown}'")))
        }
        // kubectl panics on it; it may still say what happened.
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
        let about = About { verb: "get", resource: "deployments".into(), name: "a".into() };
        read_scale(&Reply::for_test(200, "application/json", body), &about)
            .map(|scale| scale.replicas)
            .map_err(|error| error.to_string())
    }

    fn scale(spec: &str) -> String {
        format!(r#"{{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{{}},"spec":{spec}}}"#)
    }

    #[test]
    fn an_absent_count_is_zero() {
        assert_eq!(read(&scale("{}")), Ok(0));
        assert_eq!(read(&scale(r#"{"replicas":3}"#)), Ok(3));
        assert_eq!(read(&scale(r#"{"replicas":2147483647}"#)), Ok(i32::MAX));
    }

    #[test]
    fn a_count_that_is_none_is_refused() {
        for spec in [
            r#"{"replicas":-1}"#,
            r#"{"replicas":"3"}"#,
            r#"{"replicas":1.5}"#,
            r#"{"replicas":2147483648}"#,
        ] {
            let error = read(&scale(spec)).unwrap_err();
            assert!(error.contains("which is no count"), "{spec}: {error}");
        }
    }

    #[test]
    fn what_is_no_scale_is_refused_in_client_gos_words() {
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
        let about = About { verb: "get", resource: "deployments".into(), name: "a".into() };
        let html = Reply::for_test(200, "text/html; charset=utf-8", "<html>");
        assert_eq!(
            read_scale(&html, &about).unwrap_err().to_string(),
            "serializer for text/html doesn't exist"
        );
    }
}
