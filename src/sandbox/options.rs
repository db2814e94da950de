//! Options of the simulated cluster: certificate, protocols, objects.

use std::time::Duration;

use super::{layout::Layout, locust::LocustRelease, pod_failure::PodFailure};

#[derive(Debug, Clone)]
pub struct Options {
    /// The time until a pod becomes ready.
    pub pod_ready_after: Duration,
    /// The TLS certificate to present.
    pub certificate: ServerCertificate,
    /// The protocols to offer.
    pub protocols: Protocols,
    /// Refuse clients without a certificate in the TLS handshake.
    pub client_certificate_required: bool,
    /// The port on 127.0.0.1; 0 means any free port.
    pub port: u16,
    /// The objects that exist when the sandbox starts.
    pub objects: InitialObjects,
    /// Serve the type `swarms.load.example.com`. Its count is `.spec.workers`. It has two objects:
    /// `big` with 4 workers, and `unset` without a count. The version `v1alpha1` is deprecated.
    pub custom_resources: bool,
    /// The reason why new pods do not become ready. The pods of the initial objects are not affected.
    pub pod_failure: Option<PodFailure>,
    /// The kinds of discovery to support.
    pub discovery: Discovery,
    /// Delay of every response, to simulate a remote cluster.
    pub latency: Duration,
    /// The simulated release of Locust.
    pub locust_release: LocustRelease,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pod_ready_after: Duration::from_secs(1),
            certificate: ServerCertificate::Good,
            protocols: Protocols::Http2AndHttp1,
            client_certificate_required: false,
            port: 0,
            objects: InitialObjects::Locust,
            custom_resources: false,
            pod_failure: None,
            discovery: Discovery::Aggregated,
            latency: Duration::ZERO,
            locust_release: LocustRelease::LATEST,
        }
    }
}

/// The server's certificate. A client that verifies certificates refuses `WrongHost`, `Expired` and
/// `SignedByUnknownCa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerCertificate {
    /// Valid for 127.0.0.1, ::1, localhost, and the names of the API server inside a cluster.
    #[default]
    Good,
    /// Valid only for `localhost` and `alt.example`, and for no address.
    WrongHost,
    /// Expired yesterday.
    Expired,
    /// Signed by a CA that is not in the kubeconfig.
    SignedByUnknownCa,
    /// A self-signed CA certificate, as `openssl req -x509` creates. Clients accept it, because the
    /// kubeconfig trusts it.
    SelfSigned,
}

/// The protocols that the server offers in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocols {
    /// HTTP/2, or HTTP/1.1 for clients without HTTP/2.
    #[default]
    Http2AndHttp1,
    /// Only HTTP/1.1.
    Http1Only,
}

/// The kinds of discovery that the server supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discovery {
    /// Aggregated discovery for clients that accept it, and legacy discovery.
    #[default]
    Aggregated,
    /// Only legacy discovery, as in servers before Kubernetes 1.26.
    LegacyOnly,
}

/// The objects of a new sandbox.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum InitialObjects {
    /// The Deployments `locust-master` and `locust-slave` with one ready pod each, and the Service
    /// `locust-master`.
    #[default]
    Locust,
    /// Only the namespaces `default` and `kube-system`.
    Empty,
    /// The objects of a layout. The types of their API groups are served.
    Layout(Layout),
}
