//! What may stand at the cursor, from the kubeconfig and from the cluster.

use std::time::Instant;

use tokio::time::timeout_at;

use super::super::connection::{self, Connection};
use crate::cli::Partial;
use crate::cluster::api::{Client, Discovery, Listing, Resource};
use crate::cluster::kubeconfig::{self, Entries, Environment};
use crate::scaling::{Types, check_namespace};

/// More would be no help.
pub const MOST: usize = 300;

/// What kubectl scale knows by heart.
const BUILT_IN: [&str; 4] = ["deployment", "replicaset", "replicationcontroller", "statefulset"];

/// The names that can be had for one line, until its deadline.
pub struct Source {
    line: Partial,
    deadline: Instant,
}

impl Source {
    /// Asks nothing yet.
    pub fn new(line: Partial, deadline: Instant) -> Self {
        Self { line, deadline }
    }

    /// Names of contexts, clusters or users; without a request.
    pub fn entries(&self, of: Entries, current: &str) -> Vec<String> {
        // A line that cannot be right has no kubeconfig.
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

    /// The next target after those that are typed: a type, `TYPE/NAME`, or a name after its type;
    /// none beyond `most` objects.
    pub fn targets(&self, most: usize, current: &str) -> Vec<String> {
        let Some(typed) = self.line.targets().filter(|_| !current.starts_with('-')) else {
            return Vec::new();
        };
        match (typed.split_first(), current.split_once('/')) {
            (None, None) => self.types(current, ""),
            (Some((first, _)), None) if first.contains('/') && typed.len() < most => {
                self.types(current, "/")
            }
            (Some((first, names)), None) if !first.contains('/') && names.len() < most => {
                let found = self.names(first, current).into_iter();
                found.filter(|name| !names.contains(name)).collect()
            }
            (_, Some((token, name)))
                if typed.iter().all(|typed| typed.contains('/')) && typed.len() < most =>
            {
                let found = self.names(token, name).into_iter();
                let found = found.map(|name| format!("{token}/{name}"));
                found.filter(|target| !typed.contains(target)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The types that can be scaled: the built-in ones, and what the server tells in time.
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

    /// What the cluster of the line answers before the deadline.
    fn ask<T>(&self, question: impl AsyncFnOnce(&Connection) -> Option<T>) -> Option<T> {
        let prepared = connection::prepare(self.line.global()?).ok()?.unattended();
        check_namespace(prepared.namespace()).ok()?;
        // An error would mean that there is a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let answer = async { question(&prepared.open().await.ok()?).await };
        let answer = runtime.block_on(async { timeout_at(self.deadline.into(), answer).await });
        // A name lookup that hangs must not hold up the end.
        runtime.shutdown_background();
        answer.ok()?
    }
}

/// Types with a scale subresource that are not built in, by the shortest name that means them.
async fn custom_types(client: &Client) -> Option<Vec<String>> {
    let discovery = Discovery::fetch(client).await.ok()?;
    let scalable = discovery.scalable().into_iter();
    let custom = scalable.filter(|resource| !resource.has_replicas_in_spec());
    let name = |resource: std::sync::Arc<Resource>| {
        let is_clear = discovery.find(&resource.singular).is_some_and(|found| found == resource);
        if is_clear { resource.singular.to_string() } else { resource.plural_with_group() }
    };
    Some(custom.map(name).collect())
}

fn some(names: impl Iterator<Item = String>) -> Vec<String> {
    names.take(MOST).collect()
}

/// As Kubernetes names things (RFC 1123). A server may say anything, and a shell must not find
/// anything to evaluate in it.
fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    name.len() <= 253
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_allowed)
}

/// A name in a kubeconfig is free text; only those that no shell reads as more than a word.
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
    fn only_harmless_names_are_offered() {
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
