//! One object to scale.

use std::sync::Arc;

use super::SelectionError;
use crate::cluster::api::{About, Resource};

/// One object to scale.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its type.
    pub resource: Arc<Resource>,
    /// Its namespace; of no meaning where the type has none.
    pub namespace: String,
    /// Its name; not empty, and one path segment.
    pub name: String,
}

impl Target {
    /// A target whose name and namespace cannot lead a request to another path.
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

    /// Its path from the server's root.
    pub fn path(&self) -> String {
        self.resource.path(&self.namespace, &self.name)
    }

    /// Describes a request for this object; `verb` is the Kubernetes verb.
    pub fn about(&self, verb: &'static str) -> About {
        About { verb, resource: self.resource.plural.to_string(), name: self.name.clone() }
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        let resource = Resource::find_built_in("deployment").unwrap();
        Self { resource, namespace: "default".to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for Target {
    /// `deployment.apps/locust-slave`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource.kind_with_group(), self.name)
    }
}

/// Refuses a namespace that could lead a request to another path.
///
/// # Errors
/// [`SelectionError::InvalidSegment`]
pub fn check_namespace(namespace: &str) -> Result<(), SelectionError> {
    check_segment("namespace", namespace)
}

/// `IsValidPathSegmentName` of apimachinery: the only check that kubectl makes on names.
fn check_segment(what: &'static str, text: &str) -> Result<(), SelectionError> {
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
        false => Err(SelectionError::InvalidSegment { what, text: text.to_owned(), problems }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_lead_elsewhere_are_refused_in_kubectls_words() {
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
