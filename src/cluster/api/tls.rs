//! The TLS settings of a cluster, as kubectl applies them.

use std::sync::Arc;

use anyhow::Result;
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;

use crate::cluster::kubeconfig::Cluster;
use crate::cluster::trust::{self, Handshakes, Settings, VerifiedName};

/// The TLS client configuration for one cluster.
///
/// # Errors
/// The CA bundle has no usable certificate. The text is kubectl's.
pub fn client_config(
    cluster: &Cluster,
    name: VerifiedName,
    identity: Option<Arc<CertifiedKey>>,
    handshakes: Handshakes,
) -> Result<ClientConfig> {
    trust::client_config(Settings {
        roots: cluster.certificate_authority.as_deref(),
        is_insecure: cluster.insecure_skip_tls_verify,
        name,
        identity,
        handshakes,
    })
}
