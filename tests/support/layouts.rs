//! Clusters that are laid out like installations of Locust.

use std::time::Duration;

use locustctl::sandbox::{InitialObjects, Layout, LocustRelease, Options};

use crate::Outcome;
use crate::cluster::TestCluster;

/// A cluster with these objects. Its pods become ready quickly.
pub fn laid_out(layout: Layout) -> TestCluster {
    let (objects, pod_ready_after) = (InitialObjects::Layout(layout), Duration::from_millis(50));
    TestCluster::with(Options { objects, pod_ready_after, ..Options::default() })
}

/// A cluster with the layout of this name.
pub fn named(layout: &str) -> TestCluster {
    laid_out(Layout::named(layout, LocustRelease::LATEST).unwrap())
}

/// The value of a row in the text of `status`; empty if there is no such row.
pub fn row<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    let row = outcome.stdout.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    row.unwrap_or_default().trim()
}
