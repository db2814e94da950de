//! The selection of objects on the command line: the rules of kubectl's resource builder
//! (`cli-runtime/pkg/resource/builder.go`) that need no request.

use crate::text::go;

/// An invalid selection, in the words of kubectl's resource builder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Some arguments have a slash and others do not. The missing parenthesis is kubectl's.
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
    /// No object was named, and there is no default target.
    #[error(
        "You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"
    )]
    Nothing,
    /// A type without a name.
    #[error("resource(s) were provided, but no name was specified")]
    NoName,
    /// A category of several types, with a name.
    #[error("you must specify only one resource")]
    SeveralTypes,
    /// `-l` without a type.
    #[error("at least one resource must be specified to use a selector")]
    NoType,
    /// `TYPE NAME -l`
    #[error("name cannot be provided when a selector is specified")]
    NameWithSelector,
    /// `TYPE/NAME -l`
    #[error("selectors and the all flag cannot be used when passing resource/name arguments")]
    PairWithSelector,
    /// `-f FILE TYPE`
    #[error(
        "when paths, URLs, or stdin is provided as input, you may not specify resource arguments \
         as well"
    )]
    TypeWithFile,
    /// `-f FILE TYPE/NAME`
    #[error("resource/name arguments cannot be provided when a path is specified")]
    PairWithFile,
    /// The name is `""`.
    #[error("resource name may not be empty")]
    EmptyName,
    /// A name or a namespace that is not one path segment.
    #[error("invalid {part} {}: [{problems}]", go::quote(.text))]
    InvalidSegment {
        /// `resource name` or `namespace`.
        part: &'static str,
        /// The name or namespace.
        text: String,
        /// The forbidden characters.
        problems: String,
    },
}

impl SelectionError {
    /// True if an argument itself is malformed; false if the arguments and flags do not fit together.
    pub fn is_syntax(&self) -> bool {
        matches!(self, Self::MixedForms | Self::SeveralSlashes | Self::IncompleteForm)
    }
}

/// The arguments and flags that select objects, except the files.
#[derive(Debug, Clone, Default)]
pub struct SelectionArgs<'a> {
    /// The positional arguments.
    pub args: &'a [String],
    /// `--all`
    pub all: bool,
    /// `-l`
    pub labels: Option<&'a str>,
    /// `-f` or `-k` was given, but names no file.
    pub has_files: bool,
}

impl SelectionArgs<'_> {
    /// True if no argument and no flag selects anything.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty() && !self.all && self.labels.is_none() && !self.has_files
    }
}

/// The selected objects. Their types are not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// `TYPE/NAME…` and `T1,T2 NAME…`: pairs of type and name. Duplicates stay, as in kubectl.
    Pairs(Vec<(String, String)>),
    /// `TYPE NAME…`. Only in this form a category is an error of its own.
    Names {
        /// The type, as typed.
        kind: String,
        /// The names, as typed.
        names: Vec<String>,
    },
    /// `TYPE[,TYPE] --all`, or with `-l`.
    Collections {
        /// The types, as typed.
        types: Vec<String>,
        /// The label selector. It is sent to the server unchanged, and the server checks it.
        labels: Option<String>,
    },
    /// Types without a name. That is an error, but an unknown type is reported first.
    TypesOnly(Vec<String>),
}

impl Selection {
    /// Reads the arguments and flags.
    ///
    /// # Errors
    /// The first mistake that kubectl would report.
    pub fn new(typed: &SelectionArgs<'_>) -> Result<Self, SelectionError> {
        let labels = typed.labels.map(str::trim).filter(|labels| !labels.is_empty());
        let is_collection = labels.is_some() || (typed.all && typed.args.len() == 1);
        let selection = Self::of_args(typed.args)?;
        if !is_collection {
            return selection.ok_or(SelectionError::Nothing);
        }
        match selection {
            None => Err(SelectionError::NoType),
            Some(Self::TypesOnly(types)) => {
                Ok(Self::Collections { types, labels: labels.map(str::to_owned) })
            }
            Some(Self::Names { .. }) => Err(SelectionError::NameWithSelector),
            // `--all` together with a name has no effect.
            Some(pairs) if labels.is_none() => Ok(pairs),
            Some(_) => Err(SelectionError::PairWithSelector),
        }
    }

    /// Checks that no object is given together with files.
    ///
    /// # Errors
    /// An object is named.
    pub fn none_beside_files(args: &[String]) -> Result<(), SelectionError> {
        match Self::of_args(args)? {
            None => Ok(()),
            Some(Self::Pairs(_)) => Err(SelectionError::PairWithFile),
            Some(_) => Err(SelectionError::TypeWithFile),
        }
    }

    fn of_args(args: &[String]) -> Result<Option<Self>, SelectionError> {
        if args.iter().any(|arg| arg.contains('/')) {
            if !args.iter().all(|arg| arg.contains('/')) {
                return Err(SelectionError::MixedForms);
            }
            let pairs = args.iter().map(|arg| split(arg)).collect::<Result<_, _>>()?;
            return Ok(Some(Self::Pairs(pairs)));
        }
        let Some((kinds, names)) = args.split_first() else {
            return Ok(None);
        };
        let types = types(kinds)?;
        Ok(Some(match (types.as_slice(), names) {
            (_, []) => Self::TypesOnly(types),
            ([kind], names) => Self::Names { kind: kind.clone(), names: names.to_vec() },
            (types, names) => {
                let of_type = |kind: &String| {
                    let kind = kind.clone();
                    names.iter().map(move |name| (kind.clone(), name.clone()))
                };
                Self::Pairs(types.iter().flat_map(of_type).collect())
            }
        }))
    }
}

fn split(arg: &str) -> Result<(String, String), SelectionError> {
    match arg.split('/').collect::<Vec<_>>()[..] {
        [kind, name] if !kind.is_empty() && !name.is_empty() && !kind.contains(',') => {
            Ok((kind.to_owned(), name.to_owned()))
        }
        [_, _] => Err(SelectionError::IncompleteForm),
        _ => Err(SelectionError::SeveralSlashes),
    }
}

/// The types of a list with commas. Each type occurs once.
fn types(kinds: &str) -> Result<Vec<String>, SelectionError> {
    let mut unique: Vec<String> = Vec::new();
    for kind in kinds.split(',') {
        if kind.is_empty() && kinds.contains(',') {
            return Err(SelectionError::IncompleteForm);
        }
        if !unique.iter().any(|other| other == kind) {
            unique.push(kind.to_owned());
        }
    }
    Ok(unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(line: &str, all: bool, labels: Option<&str>) -> Result<Selection, SelectionError> {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let args = if line.is_empty() { &[] } else { args.as_slice() };
        Selection::new(&SelectionArgs { args, all, labels, has_files: false })
    }

    fn pairs(pairs: &[(&str, &str)]) -> Selection {
        let owned = |(kind, name): &(&str, &str)| ((*kind).to_owned(), (*name).to_owned());
        Selection::Pairs(pairs.iter().map(owned).collect())
    }

    fn names(kind: &str, names: &[&str]) -> Selection {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Selection::Names { kind: kind.to_owned(), names }
    }

    fn collections(types: &[&str], labels: Option<&str>) -> Selection {
        let types = types.iter().map(|kind| (*kind).to_owned()).collect();
        Selection::Collections { types, labels: labels.map(str::to_owned) }
    }

    #[test]
    fn every_argument_form_of_kubectl_selects_objects() {
        for (line, expected) in [
            ("deployment/a", pairs(&[("deployment", "a")])),
            ("deploy a b", names("deploy", &["a", "b"])),
            ("deploy a a", names("deploy", &["a", "a"])),
            ("sts/a rc/b", pairs(&[("sts", "a"), ("rc", "b")])),
            (
                "deploy,rs,deploy a b",
                pairs(&[("deploy", "a"), ("deploy", "b"), ("rs", "a"), ("rs", "b")]),
            ),
            ("deploy a,b", names("deploy", &["a,b"])),
            ("deploy/a,b", pairs(&[("deploy", "a,b")])),
            ("deploy,sts", Selection::TypesOnly(vec!["deploy".into(), "sts".into()])),
        ] {
            assert_eq!(select(line, false, None), Ok(expected), "{line}");
        }
    }

    #[test]
    fn malformed_arguments_are_reported_with_kubectls_error() {
        use SelectionError as E;
        for (line, expected) in [
            ("deploy/a b", E::MixedForms),
            ("deploy a/b", E::MixedForms),
            ("deploy/a/b", E::SeveralSlashes),
            ("deploy/", E::IncompleteForm),
            ("/a", E::IncompleteForm),
            ("deploy,sts/a", E::IncompleteForm),
            ("deploy, a", E::IncompleteForm),
            ("deploy/a/b deploy/", E::SeveralSlashes),
            ("", E::Nothing),
        ] {
            assert_eq!(select(line, false, None), Err(expected), "{line}");
        }
    }

    #[test]
    fn all_and_selectors_need_types_without_names() {
        use SelectionError as E;
        let by_label = Some("app=a");
        for (line, all, labels, expected) in [
            ("deploy", true, None, Ok(collections(&["deploy"], None))),
            ("deploy,sts", true, None, Ok(collections(&["deploy", "sts"], None))),
            ("deploy", false, Some(" app=a "), Ok(collections(&["deploy"], by_label))),
            ("deploy", true, by_label, Ok(collections(&["deploy"], by_label))),
            ("deploy a", true, None, Ok(names("deploy", &["a"]))),
            ("deploy/a", true, None, Ok(pairs(&[("deploy", "a")]))),
            ("deploy", false, Some(" "), Ok(Selection::TypesOnly(vec!["deploy".into()]))),
            ("", false, by_label, Err(E::NoType)),
            ("", true, None, Err(E::Nothing)),
            ("deploy a", false, by_label, Err(E::NameWithSelector)),
            ("deploy/a", false, by_label, Err(E::PairWithSelector)),
            ("deploy,sts a", false, by_label, Err(E::PairWithSelector)),
        ] {
            assert_eq!(select(line, all, labels), expected, "{line} {all} {labels:?}");
        }
    }

    #[test]
    fn an_object_cannot_be_combined_with_files() {
        use SelectionError as E;
        for (line, expected) in [
            ("deploy", E::TypeWithFile),
            ("deploy a", E::TypeWithFile),
            ("deploy/a", E::PairWithFile),
            ("deploy/", E::IncompleteForm),
        ] {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(Selection::none_beside_files(&args), Err(expected), "{line}");
        }
        assert_eq!(Selection::none_beside_files(&[]), Ok(()));
    }
}
