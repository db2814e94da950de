//! The source of the objects to scale: the cluster, or manifests.

use anyhow::Result;

use super::super::connection::Connection;
use super::super::default_target::WorkerSearch;
use super::super::target::{Audience, RequestedTargets};
use super::settings::Settings;
use crate::cli::ScaleArgs;
use crate::output::Failed;
use crate::scaling::manifests::{self, Document, Source, Sources};
use crate::scaling::{
    ManifestRules, Resolved, Selection, SelectionArgs, resolve, resolve_manifests,
};
use crate::text::label_selector::LabelSelector;

/// The source that the command line names, checked.
pub(super) enum TargetSource {
    Cluster(RequestedTargets),
    Manifests {
        sources: Vec<Source>,
        /// Selects the objects with these labels.
        selector: Option<LabelSelector>,
    },
}

/// The source after the manifests were read.
pub(super) enum LoadedSource {
    Cluster(RequestedTargets),
    Manifests(Vec<Result<Document, manifests::Error>>, Option<LabelSelector>),
}

impl TargetSource {
    /// Checks the arguments in the order of kubectl's resource builder: first it reports all
    /// errors in single arguments, then arguments that exclude each other.
    pub(super) fn new(args: &ScaleArgs, audience: Audience) -> Result<Self, Failed> {
        let sources = Sources {
            filenames: args.filename.iter().flat_map(|list| list.0.iter().cloned()).collect(),
            kustomize: args.kustomize.clone(),
            recursive: args.recursive,
        };
        let (found, problems) = sources.check();
        let mut errors: Vec<anyhow::Error> = problems.into_iter().map(Into::into).collect();
        if sources.is_empty() && errors.is_empty() {
            return Ok(Self::Cluster(RequestedTargets::new(&typed(args), audience)?));
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
        let selector =
            labels.map(manifests::label_selector).transpose().map_err(anyhow::Error::msg)?;
        Ok(Self::Manifests { sources: found, selector })
    }

    /// The search for workers if nothing was named and the default target does not exist.
    pub(super) fn worker_search(&self) -> WorkerSearch {
        match self {
            Self::Cluster(requested) => WorkerSearch::new(requested),
            Self::Manifests { .. } => WorkerSearch::unused(),
        }
    }

    /// True if standard input holds a manifest.
    pub(super) fn reads_stdin(&self) -> bool {
        matches!(self, Self::Manifests { sources, .. } if sources.contains(&Source::Stdin))
    }

    /// Reads the manifests. [`LoadedSource::resolve`] returns the errors.
    pub(super) async fn load(self) -> LoadedSource {
        match self {
            Self::Cluster(requested) => LoadedSource::Cluster(requested),
            Self::Manifests { sources, selector } => {
                LoadedSource::Manifests(manifests::read(&sources).await, selector)
            }
        }
    }
}

impl LoadedSource {
    /// Finds the single objects.
    pub(super) async fn resolve(
        self,
        connection: &Connection,
        settings: &Settings,
    ) -> Result<Resolved> {
        let Connection { client, namespace, .. } = connection;
        match self {
            Self::Cluster(requested) => {
                resolve(client, &requested.selection, namespace, settings.needs_object)
                    .await
                    .map_err(|error| requested.explain(error))
            }
            Self::Manifests(documents, selector) => {
                let selector = selector.as_ref();
                let is_enforced = settings.is_namespace_given;
                let rules = ManifestRules { namespace, is_enforced, selector };
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
