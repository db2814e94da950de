//! The settings of a sandbox.

use std::time::Duration;

use super::locust::LocustRelease;

/// How a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a pod takes to become ready.
    pub pod_ready_after: Duration,
    /// The certificate that the server shows.
    pub certificate: ServerCertificate,
    /// The protocols that the server offers.
    pub protocol: Protocol,
    /// Whether a client without a certificate is turned away in the TLS handshake.
    pub client_certificate_required: bool,
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// What the cluster holds at the start.
    pub start: Start,
    /// Whether there are `swarms.load.example.com`, whose count is `.spec.workers`: `big` with
    /// four, and `unset` with none. Their version `v1alpha1` is deprecated.
    pub custom_resources: bool,
    /// How clients learn of the types.
    pub discovery: Discovery,
    /// How long every answer takes: what a cluster far away is like.
    pub latency: Duration,
    /// The release of Locust that is simulated.
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
            start: Start::Locust,
            custom_resources: false,
            discovery: Discovery::Aggregated,
            latency: Duration::ZERO,
            locust_release: LocustRelease::LATEST,
        }
    }
}

/// The server's certificate; all but one would make a careful client refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerCertificate {
    /// Valid for 127.0.0.1, ::1, localhost and the names of the API server inside a cluster.
    #[default]
    Good,
    /// Valid for `localhost` and `alt.example` only, not for any address.
    WrongHost,
    /// Has ended yesterday.
    Expired,
    /// Signed by an authority other than the kubeconfig's.
    SignedByUnknownCa,
    /// The authority's own certificate, as a quick `openssl req -x509` makes it.
    ItsOwnAuthority,
}

/// What the server offers in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/2, and HTTP/1.1 for clients without it.
    #[default]
    Http2AndHttp1,
    /// HTTP/1.1 alone.
    Http1Only,
}

/// In which forms the server describes its types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discovery {
    /// All in one answer for clients that accept it, and group version by group version.
    #[default]
    Aggregated,
    /// Group version by group version alone, as servers before Kubernetes 1.26.
    LegacyOnly,
}

/// What a sandbox holds at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Deployments `locust-master` and `locust-slave` with one ready pod each, Service `locust-master`.
    #[default]
    Locust,
    /// The namespaces `default` and `kube-system`, nothing in them.
    Empty,
}
