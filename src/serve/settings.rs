//! The settings of a server, as the command line gives them.

use std::net::SocketAddr;

use super::guard::AccessOptions;
use super::listener::TlsFiles;
use super::snapshot::{Limits, TargetInfo};
use crate::cluster::api::Client;
use crate::locust::LocustLocation;
use crate::scaling::Target;

#[derive(Debug)]
pub struct Settings {
    /// The address and the port to listen on.
    pub listen: SocketAddr,
    /// The allowed numbers of replicas.
    pub limits: Limits,
    pub locust: LocustSettings,
    pub shared: SharedState,
    /// Access control.
    pub guard: AccessOptions,
    /// Certificate and key, to serve over TLS.
    pub tls: Option<TlsFiles>,
}

/// The objects in the target's namespace that outlive a restart, and that all replicas share.
#[derive(Debug, Clone, Default)]
pub struct SharedState {
    /// The name of the ConfigMap with the history.
    pub history_configmap: Option<String>,
    /// The name of the Lease. Its holder redistributes the users of a running test.
    pub lease: Option<String>,
}

#[derive(Debug, Clone)]
pub struct LocustSettings {
    /// The address of Locust's master, or how to find it.
    pub location: LocustLocation,
    pub rebalance: RebalancePolicy,
    /// True if serve also serves Locust's own web UI, with the panel in it.
    pub is_in_front: bool,
}

/// When the server redistributes the users of a running test without a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebalancePolicy {
    /// After a change that was made through this server.
    AfterChanges,
    /// Also when workers left for another reason.
    Always,
    Never,
}

/// The target of a server.
pub struct Subject {
    /// The client of the target's cluster.
    pub client: Client,
    pub target: Target,
    /// The description of the target on the page.
    pub info: TargetInfo,
}
