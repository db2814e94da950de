//! Which objects to scale: kubectl's `TYPE NAME…` and `TYPE/NAME…`.

use crate::api::{Resource, UnknownType};
use crate::go;

/// One object to scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its type.
    pub resource: &'static Resource,
    /// Its name; not empty, and one path segment.
    pub name: String,
}

impl std::fmt::Display for Target {
    /// `deployment.apps/locust-slave`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource.singular_with_group(), self.name)
    }
}

/// Arguments that name no target, in the words of kubectl's resource builder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Some arguments have a slash and some have not. The unbalanced parenthesis is kubectl's.
    #[error(
        "there is no need to specify a resource type as a separate argument when passing \
         arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of \
         'kubectl get resource resource/<resource_name>'"
    )]
    MixedForms,
    /// `deploy/a/b`
    #[error("arguments in resource/name form may not have more than one slash")]
    SeveralSlashes,
    /// `deploy/`, `/a`, `deploy,sts/a`, `deploy, a`
    #[error("arguments in resource/name form must have a single resource and name")]
    IncompleteForm,
    /// A type without a name.
    #[error("resource(s) were provided, but no name was specified")]
    NoName,
    /// A type that is not built in.
    #[error(
        "{0:?} is not one of the types that can be scaled: deployment, statefulset, replicaset, \
         replicationcontroller"
    )]
    UnknownType(String),
    /// One word that is no type: most likely a name.
    #[error(
        "{0:?} is not one of the types that can be scaled: deployment, statefulset, replicaset, \
         replicationcontroller; if it is the name of a Deployment: deployment/{0}"
    )]
    LoneName(String),
    /// `""` for a name.
    #[error("resource name may not be empty")]
    EmptyName,
    /// A name or a namespace that is not one path segment.
    #[error("invalid {what} {}: [{problems}]", go::quote(.text))]
    InvalidSegment {
        /// `resource name` or `namespace`.
        what: &'static str,
        /// As given.
        text: String,
        /// What is wrong with it.
        problems: String,
    },
}

impl From<UnknownType> for TargetError {
    fn from(unknown: UnknownType) -> Self {
        Self::UnknownType(unknown.0)
    }
}

/// The targets that positional arguments name, in their order; duplicates stay, as in kubectl.
/// In `T1,T2 N1 N2` every type goes with every name.
///
/// # Errors
/// The first thing that is wrong, as kubectl reports it.
pub fn parse_targets(args: &[String]) -> Result<Vec<Target>, TargetError> {
    let pairs = if args.iter().any(|arg| arg.contains('/')) {
        if !args.iter().all(|arg| arg.contains('/')) {
            return Err(TargetError::MixedForms);
        }
        args.iter().map(|arg| split(arg)).collect::<Result<_, _>>()?
    } else {
        combine(args)?
    };
    pairs.into_iter().map(|(kind, name)| target(kind, name)).collect()
}

fn split(arg: &str) -> Result<(&str, &str), TargetError> {
    match arg.split('/').collect::<Vec<_>>()[..] {
        [kind, name] if !kind.is_empty() && !name.is_empty() && !kind.contains(',') => {
            Ok((kind, name))
        }
        [_, _] => Err(TargetError::IncompleteForm),
        _ => Err(TargetError::SeveralSlashes),
    }
}

fn combine(args: &[String]) -> Result<Vec<(&str, &str)>, TargetError> {
    let Some((kinds, names)) = args.split_first() else {
        return Ok(Vec::new());
    };
    let mut unique: Vec<&str> = Vec::new();
    for kind in kinds.split(',') {
        if kind.is_empty() && kinds.contains(',') {
            return Err(TargetError::IncompleteForm);
        }
        if !unique.contains(&kind) {
            unique.push(kind);
        }
    }
    if names.is_empty() {
        // kubectl looks the types up before it misses a name.
        return match unique.iter().find_map(|kind| Resource::find(kind).err()) {
            Some(_) if unique.len() == 1 => Err(TargetError::LoneName(kinds.clone())),
            Some(unknown) => Err(unknown.into()),
            None => Err(TargetError::NoName),
        };
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(unique.iter().flat_map(|kind| names.iter().map(move |name| (*kind, *name))).collect())
}

fn target(kind: &str, name: &str) -> Result<Target, TargetError> {
    let resource = Resource::find(kind)?;
    if name.is_empty() {
        return Err(TargetError::EmptyName);
    }
    check_segment("resource name", name)?;
    Ok(Target { resource, name: name.to_owned() })
}

/// Refuses a namespace that could lead a request to another path.
///
/// # Errors
/// [`TargetError::InvalidSegment`]
pub fn check_namespace(namespace: &str) -> Result<(), TargetError> {
    check_segment("namespace", namespace)
}

/// `IsValidPathSegmentName` of apimachinery: the only check that kubectl makes on names.
fn check_segment(what: &'static str, text: &str) -> Result<(), TargetError> {
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
        false => Err(TargetError::InvalidSegment { what, text: text.to_owned(), problems }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Vec<String>, TargetError> {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse_targets(&args).map(|targets| targets.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn targets_are_named_in_every_form_of_kubectls() {
        for (line, expected) in [
            ("deployment/a", vec!["deployment.apps/a"]),
            ("deploy a b", vec!["deployment.apps/a", "deployment.apps/b"]),
            ("deploy a a", vec!["deployment.apps/a", "deployment.apps/a"]),
            ("sts/a rc/b", vec!["statefulset.apps/a", "replicationcontroller/b"]),
            (
                "deploy,rs,deploy a b",
                vec![
                    "deployment.apps/a",
                    "deployment.apps/b",
                    "replicaset.apps/a",
                    "replicaset.apps/b",
                ],
            ),
            ("deploy a,b", vec!["deployment.apps/a,b"]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_names_no_target_is_refused_in_kubectls_words() {
        use TargetError as E;
        for (line, expected) in [
            ("deploy/a b", E::MixedForms),
            ("deploy a/b", E::MixedForms),
            ("deploy/a/b", E::SeveralSlashes),
            ("deploy/", E::IncompleteForm),
            ("/a", E::IncompleteForm),
            ("deploy,sts/a", E::IncompleteForm),
            ("deploy, a", E::IncompleteForm),
            ("deploy/a/b deploy/", E::SeveralSlashes),
            ("deploy", E::NoName),
            ("foo", E::LoneName("foo".into())),
            ("foo.v1.bar/a", E::UnknownType("foo".into())),
            ("deploy ", E::EmptyName),
        ] {
            assert_eq!(parse(line), Err(expected), "{line}");
        }
        for (line, expected) in [
            ("deploy a%b", "invalid resource name \"a%b\": [may not contain '%']"),
            ("deploy ..", "invalid resource name \"..\": [may not be '..']"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), expected);
        }
        assert_eq!(
            check_namespace("a/b%").unwrap_err().to_string(),
            "invalid namespace \"a/b%\": [may not contain '/' may not contain '%']"
        );
    }
}
