//! Completion candidates from the kubeconfig and the cluster.

use std::time::Instant;

use tokio::time::timeout_at;

use super::super::connection::{self, Connection};
use crate::cli::PartialLine;
use crate::cluster::api::{Client, Discovery, Listing, Resource};
use crate::cluster::kubeconfig::{self, Entries, Environment};
use crate::scaling::{Types, check_namespace};

/// Maximum number of candidates. More would not fit on a screen.
pub const MAX_CANDIDATES: usize = 300;

/// The types that can be scaled on every cluster.
const BUILT_IN: [&str; 4] = ["deployment", "replicaset", "replicationcontroller", "statefulset"];

/// The source of names for one command line, until its deadline.
pub struct Source {
    line: PartialLine,
    deadline: Instant,
}

impl Source {
    /// Sends no request.
    pub fn new(line: PartialLine, deadline: Instant) -> Self {
        Self { line, deadline }
    }

    /// Names of contexts, clusters or users. Sends no request.
    pub fn entries(&self, of: Entries, current: &str) -> Vec<String> {
        // An invalid line names no kubeconfig.
        let Some(global) = self.line.global() else { return Vec::new() };
        let names =
            kubeconfig::names(global.kubeconfig.as_deref(), &Environment::from_process(), of);
        let names = names.unwrap_or_default().into_iter();
        some(names.filter(|name| name.starts_with(current) && is_plain(name)))
    }

    /// Names of namespaces.
    pub fn namespaces(&self, current: &str) -> Vec<String> {
        let namespaces = Resource::namespaces();
        let names = self.ask(async |Connection { client, .. }| {
            let listing = Listing { resource: &namespaces, namespace: "", labels: None };
            client.names(listing).await.ok()
        });
        let names = names.unwrap_or_default().into_iter();
        some(names.filter(|name| name.starts_with(current) && is_name(name)))
    }

    /// Candidates for the next target: a type, `TYPE/NAME`, or a name after its type. Empty if the
    /// line has `max_targets` targets.
    pub fn targets(&self, max_targets: usize, current: &str) -> Vec<String> {
        let Some(typed) = self.line.targets().filter(|_| !current.starts_with('-')) else {
            return Vec::new();
        };
        match (typed.split_first(), current.split_once('/')) {
            (None, None) => self.types(current, ""),
            (Some((first, _)), None) if first.contains('/') && typed.len() < max_targets => {
                self.types(current, "/")
            }
            (Some((first, names)), None) if !first.contains('/') && names.len() < max_targets => {
                let found = self.names(first, current).into_iter();
                found.filter(|name| !names.contains(name)).collect()
            }
            (_, Some((token, name)))
                if typed.iter().all(|typed| typed.contains('/')) && typed.len() < max_targets =>
            {
                let found = self.names(token, name).into_iter();
                let found = found.map(|name| format!("{token}/{name}"));
                found.filter(|target| !typed.contains(target)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The types that can be scaled: the built-in ones, and those that the server reports in time.
    fn types(&self, current: &str, end: &str) -> Vec<String> {
        let custom = self.ask(async |Connection { client, .. }| custom_types(client).await);
        let custom = custom.unwrap_or_default().into_iter();
        let all = BUILT_IN.into_iter().map(str::to_owned).chain(custom);
        let all = all.filter(|name| name.starts_with(current) && is_name(name));
        some(all.map(|name| name + end))
    }

    /// Names of the objects of a type.
    fn names(&self, token: &str, current: &str) -> Vec<String> {
        let names = self.ask(async |Connection { client, namespace, .. }| {
            let resource = Types::new(client).find(token).await.ok()?;
            let listing = Listing { resource: &resource, namespace, labels: None };
            client.names(listing).await.ok()
        });
        let names = names.unwrap_or_default().into_iter();
        some(names.filter(|name| name.starts_with(current) && is_name(name)))
    }

    /// Asks the cluster that the line names. `None` after an error or the deadline.
    fn ask<T>(&self, question: impl AsyncFnOnce(&Connection) -> Option<T>) -> Option<T> {
        let prepared = connection::prepare(self.line.global()?).ok()?.unattended();
        check_namespace(prepared.namespace()).ok()?;
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let answer = async { question(&prepared.open().await.ok()?).await };
        let answer = runtime.block_on(async { timeout_at(self.deadline.into(), answer).await });
        // Do not wait for a name lookup that hangs.
        runtime.shutdown_background();
        answer.ok()?
    }
}

/// Types without a scale subresource that locustctl scales.
const OTHERS: [&str; 2] = ["jobs.batch", "locusttests.locust.cloud"];

/// Other types that can be scaled, by their shortest unambiguous name.
async fn custom_types(client: &Client) -> Option<Vec<String>> {
    let discovery = Discovery::fetch(client).await.ok()?;
    let others = OTHERS.iter().filter_map(|name| discovery.find(name));
    let scalable = discovery.scalable().into_iter().chain(others);
    let custom = scalable.filter(|resource| !resource.has_replicas_in_spec());
    let name = |resource: std::sync::Arc<Resource>| {
        let is_clear = discovery.find(&resource.singular).is_some_and(|found| found == resource);
        if is_clear { resource.singular.to_string() } else { resource.plural_with_group() }
    };
    Some(custom.map(name).collect())
}

fn some(names: impl Iterator<Item = String>) -> Vec<String> {
    names.take(MAX_CANDIDATES).collect()
}

/// True for a name in the form of Kubernetes (RFC 1123). A server can send any text, but the shell
/// must not evaluate it.
fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    name.len() <= 253
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_allowed)
}

/// True for a name that every shell reads as one plain word. A name in a kubeconfig is free text.
fn is_plain(name: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || "-._@:/+=".contains(c);
    name.len() <= 253
        && name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_could_evaluate_are_not_offered() {
        for (name, is_a_name, is_a_plain_one) in [
            ("locust-slave", true, true),
            ("a.b-1", true, true),
            ("1a", true, true),
            ("arn:aws:eks:eu-west-1:1:cluster/a_b", false, true),
            ("me@größe", false, true),
            ("_a", false, true),
            ("A", false, true),
            ("-n", false, false),
            ("--all", false, false),
            ("", false, false),
            ("a b", false, false),
            ("a\tb", false, false),
            ("a\nb", false, false),
            ("a\u{1b}[2J", false, false),
            ("a\u{202e}b", false, false),
            ("$(id)", false, false),
            ("a$(id)", false, false),
            ("a`id`", false, false),
            ("a;id", false, false),
            ("a'b", false, false),
            ("a*", false, false),
            ("~a", false, false),
            ("=a", false, false),
            ("@a", false, false),
            ("a\\b", false, false),
        ] {
            assert_eq!((is_name(name), is_plain(name)), (is_a_name, is_a_plain_one), "{name:?}");
        }
    }
}
