//! The settings of a sandbox.

use std::time::Duration;

use super::locust::LocustRelease;

/// The settings of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time until a pod becomes ready.
    pub pod_ready_after: Duration,
    /// The certificate of the server.
    pub certificate: ServerCertificate,
    /// The protocols of the server.
    pub protocol: Protocol,
    /// Refuse clients without a certificate in the TLS handshake.
    pub client_certificate_required: bool,
    /// The port on 127.0.0.1; 0 means any free port.
    pub port: u16,
    /// The objects at the start.
    pub objects: InitialObjects,
    /// Serve the type `swarms.load.example.com`, whose count is `.spec.workers`. There are two
    /// objects: `big` with four, and `unset` without a count. The version `v1alpha1` is deprecated.
    pub custom_resources: bool,
    /// The kinds of discovery that the server supports.
    pub discovery: Discovery,
    /// A delay for each response, as from a cluster that is far away.
    pub latency: Duration,
    /// The simulated release of Locust.
    pub locust_release: LocustRelease,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pod_ready_after: Duration::from_secs(1),
            certificate: ServerCertificate::Good,
            protocol: Protocol::Http2AndHttp1,
            client_certificate_required: false,
            port: 0,
            objects: InitialObjects::Locust,
            custom_resources: false,
            discovery: Discovery::Aggregated,
            latency: Duration::ZERO,
            locust_release: LocustRelease::LATEST,
        }
    }
}

/// The server's certificate. A careful client refuses all but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerCertificate {
    /// Valid for 127.0.0.1, ::1, localhost, and the names of the API server inside a cluster.
    #[default]
    Good,
    /// Valid only for `localhost` and `alt.example`, and for no address.
    WrongHost,
    /// Expired yesterday.
    Expired,
    /// Signed by an authority that is not in the kubeconfig.
    SignedByUnknownCa,
    /// The certificate of the authority itself, as `openssl req -x509` makes it.
    ItsOwnAuthority,
}

/// The protocols that the server offers in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InitialObjects {
    /// The Deployments `locust-master` and `locust-slave` with one ready pod each, and the Service
    /// `locust-master`.
    #[default]
    Locust,
    /// Only the namespaces `default` and `kube-system`.
    Empty,
}
