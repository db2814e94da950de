//! Which objects to scale, as it was typed: the rules of kubectl's resource builder
//! (`cli-runtime/pkg/resource/builder.go`) that need no server.

use crate::text::go;

/// What is wrong with what was typed, in the words of kubectl's resource builder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
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
    /// Nothing was named; only where the default target is not meant either.
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
    /// A category, which stands for several types, with a name.
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

impl SelectionError {
    /// Whether it is about single arguments, and not about what does not go together.
    pub fn is_syntax(&self) -> bool {
        matches!(self, Self::MixedForms | Self::SeveralSlashes | Self::IncompleteForm)
    }
}

/// What was typed to say which objects are meant, without the files.
#[derive(Debug, Clone, Default)]
pub struct SelectionArgs<'a> {
    /// The positional arguments.
    pub args: &'a [String],
    /// `--all`
    pub all: bool,
    /// `-l`
    pub labels: Option<&'a str>,
    /// Files were spoken of, though none was named.
    pub has_files: bool,
}

impl SelectionArgs<'_> {
    /// Whether nothing at all was said.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty() && !self.all && self.labels.is_none() && !self.has_files
    }
}

/// The objects that are meant, by types that are yet to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// `TYPE/NAME…`, and `T1,T2 NAME…`: objects of given types. Duplicates stay, as in kubectl.
    Pairs(Vec<(String, String)>),
    /// `TYPE NAME…`: the only form in which a category in place of a type is told from a type.
    Names {
        /// As typed.
        kind: String,
        /// As typed.
        names: Vec<String>,
    },
    /// `TYPE[,TYPE] --all`, or with `-l`.
    Collections {
        /// As typed.
        types: Vec<String>,
        /// Sent to the server as it is: the server is the judge of it.
        labels: Option<String>,
    },
    /// Types without a name; an error, unless a type is unknown, which is one before it.
    TypesOnly(Vec<String>),
}

impl Selection {
    /// Takes apart what was typed.
    ///
    /// # Errors
    /// The first thing that is wrong, as kubectl reports it.
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
            // `--all` beside a name counts for nothing.
            Some(pairs) if labels.is_none() => Ok(pairs),
            Some(_) => Err(SelectionError::PairWithSelector),
        }
    }

    /// That nothing is named besides files.
    ///
    /// # Errors
    /// What is named, or what is wrong with it.
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

/// The types of a list with commas, each once.
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
    fn objects_are_named_in_every_form_of_kubectls() {
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
    fn what_names_no_object_is_refused_in_kubectls_words() {
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
    fn all_and_selectors_go_with_types_alone() {
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
    fn beside_files_nothing_may_be_named() {
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
