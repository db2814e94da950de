//! An object to scale.

use std::sync::Arc;

use super::SelectionError;
use crate::cluster::api::{RequestSubject, Resource};
use crate::text::terminal::on_one_line;

/// An object to scale: type, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub resource: Arc<Resource>,
    /// The namespace. It has no effect if the type has no namespaces.
    pub namespace: String,
    /// The name: not empty, and a single path segment.
    pub name: String,
}

impl Target {
    /// Makes a target. The name and the namespace must be single path segments, since they become
    /// parts of the URL.
    ///
    /// # Errors
    /// [`SelectionError::EmptyName`] or [`SelectionError::InvalidSegment`].
    pub fn new(
        resource: Arc<Resource>,
        namespace: &str,
        name: &str,
    ) -> Result<Self, SelectionError> {
        if name.is_empty() {
            return Err(SelectionError::EmptyName);
        }
        check_segment("resource name", name)?;
        check_namespace(namespace)?;
        Ok(Self { resource, namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The path of the URL, from the server's root.
    pub fn path(&self) -> String {
        self.resource.path(&self.namespace, &self.name)
    }

    /// Describes a request for this object; `verb` is the Kubernetes verb.
    pub fn request_subject(&self, verb: &'static str) -> RequestSubject {
        RequestSubject { verb, resource: self.resource.plural.to_string(), name: self.name.clone() }
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        let resource = Resource::find_built_in("deployment").unwrap();
        Self { resource, namespace: "default".to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for Target {
    /// `deployment.apps/locust-slave`. A server can send any text as a name, so the text is made safe to
    /// print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&on_one_line(&format!("{}/{}", self.resource.kind_with_group(), self.name)))
    }
}

/// Checks that a namespace is a single path segment.
///
/// # Errors
/// [`SelectionError::InvalidSegment`]
pub fn check_namespace(namespace: &str) -> Result<(), SelectionError> {
    check_segment("namespace", namespace)
}

/// The rule of apimachinery's `IsValidPathSegmentName`. It is kubectl's only check on names.
fn check_segment(part: &'static str, text: &str) -> Result<(), SelectionError> {
    let problems = match text {
        "." | ".." => format!("may not be '{text}'"),
        _ => ['/', '%']
            .into_iter()
            .filter(|character| text.contains(*character))
            .map(|character| format!("may not contain '{character}'"))
            .collect::<Vec<_>>()
            .join(" "),
    };
    match problems.is_empty() {
        true => Ok(()),
        false => Err(SelectionError::InvalidSegment { part, text: text.to_owned(), problems }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_a_path_segment_is_reported_with_kubectls_error() {
        let resource = Resource::find_built_in("deploy").unwrap();
        for (name, expected) in [
            ("", "resource name may not be empty"),
            ("a%b", "invalid resource name \"a%b\": [may not contain '%']"),
            ("..", "invalid resource name \"..\": [may not be '..']"),
        ] {
            let error = Target::new(Arc::clone(&resource), "default", name).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(
            check_namespace("a/b%").unwrap_err().to_string(),
            "invalid namespace \"a/b%\": [may not contain '/' may not contain '%']"
        );
    }
}
