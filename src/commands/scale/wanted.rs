//! Which objects a scale is about, from what was typed to the single objects.

use anyhow::Result;

use super::super::connection::Connection;
use super::super::target::Meant;
use crate::cli::ScaleArgs;
use crate::output::Failed;
use crate::scaling::manifests::{self, Document, Selector, Source, Sources};
use crate::scaling::{
    ManifestRules, Resolved, Selection, SelectionArgs, resolve, resolve_manifests,
};

/// What was typed, found to be sound.
pub(super) enum Wanted {
    /// Objects of the cluster.
    Objects(Meant),
    /// Objects of manifests.
    Manifests {
        sources: Vec<Source>,
        /// Only those with these labels.
        selector: Option<Selector>,
    },
}

/// The same, with the manifests read.
pub(super) enum Read {
    Objects(Meant),
    Manifests(Vec<Result<Document, manifests::Error>>, Option<Selector>),
}

impl Wanted {
    /// Checks what was typed, in the order of kubectl's resource builder: what is wrong with
    /// single arguments is reported together, and only then what does not go together.
    pub(super) fn new(args: &ScaleArgs, is_for_machine: bool) -> Result<Self, Failed> {
        let sources = Sources {
            filenames: args.filename.iter().flat_map(|list| list.0.iter().cloned()).collect(),
            kustomize: args.kustomize.clone(),
            recursive: args.recursive,
        };
        let (found, problems) = sources.check();
        let mut errors: Vec<anyhow::Error> = problems.into_iter().map(Into::into).collect();
        if sources.is_empty() && errors.is_empty() {
            return Ok(Self::Objects(Meant::new(&typed(args))?.for_machine(is_for_machine)));
        }
        match Selection::none_beside_files(&args.targets) {
            Err(error) if error.is_syntax() => errors.push(error.into()),
            Err(error) if errors.is_empty() => return Err(error.into()),
            _ => {}
        }
        if !errors.is_empty() {
            return Err(Failed::all(errors));
        }
        let labels = args.selector.as_deref().map(str::trim).filter(|labels| !labels.is_empty());
        let selector = labels.map(Selector::parse).transpose().map_err(anyhow::Error::msg)?;
        Ok(Self::Manifests { sources: found, selector })
    }

    /// Whether standard input holds a manifest.
    pub(super) fn reads_stdin(&self) -> bool {
        matches!(self, Self::Manifests { sources, .. } if sources.contains(&Source::Stdin))
    }

    /// Reads the manifests. What cannot be read is an error among the others, later.
    pub(super) async fn read(self) -> Read {
        match self {
            Self::Objects(meant) => Read::Objects(meant),
            Self::Manifests { sources, selector } => {
                Read::Manifests(manifests::read(&sources).await, selector)
            }
        }
    }
}

impl Read {
    /// Finds the single objects.
    pub(super) async fn resolve(
        self,
        connection: &Connection,
        is_namespace_given: bool,
        with_objects: bool,
    ) -> Result<Resolved> {
        let Connection { client, namespace, .. } = connection;
        match self {
            Self::Objects(meant) => resolve(client, &meant.selection, namespace, with_objects)
                .await
                .map_err(|error| meant.explain(error)),
            Self::Manifests(documents, selector) => {
                let selector = selector.as_ref();
                let rules = ManifestRules { namespace, is_enforced: is_namespace_given, selector };
                Ok(resolve_manifests(client, documents, rules).await)
            }
        }
    }
}

fn typed(args: &ScaleArgs) -> SelectionArgs<'_> {
    SelectionArgs {
        args: &args.targets,
        all: args.all,
        labels: args.selector.as_deref(),
        has_files: !args.filename.is_empty() || args.kustomize.is_some() || args.recursive,
    }
}
