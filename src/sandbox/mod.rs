//! A simulated Kubernetes cluster on loopback, to try locustctl in and to test it against.
//!
//! It speaks TLS, HTTP/2 and HTTP/1.1, and answers as the recordings of a real API server in
//! `tests/fixtures/transcripts` do. It shares no type with [`crate::cluster::api`]: a misreading on one
//! side must not hide on the other.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
};

mod body;
mod client_certificate;
mod cluster;
mod controller;
mod custom;
mod defaults;
mod deployments;
mod discovery;
mod dispatch;
mod faults;
mod handler;
mod identity;
mod kubeconfig;
mod list;
mod locust;
mod object;
mod openapi;
mod patch;
mod pods;
mod protobuf;
mod query;
mod resources;
mod routes;
mod scale;
mod seed;
mod selector;
mod server;
mod shared;
mod statefulsets;
mod status;
mod store;
mod table;
mod tls;
mod trouble;
mod verbs;
mod watch;

pub use cluster::ClusterHandle;
pub use faults::{Action, Fault};
pub use identity::{Rights, Rule};
pub use locust::LocustRelease;
pub use shared::SeenRequest;
pub use tls::ClientCertificate;
pub use trouble::Trouble;

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

/// The accounts that every sandbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// May do everything.
    Admin,
    /// May read.
    Viewer,
    /// Its token has expired.
    Expired,
}

/// A running simulated cluster; it ends when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    server: String,
    certificate_authority: String,
    tokens: [String; 3],
    password: String,
    cluster: ClusterHandle,
    stop: Option<oneshot::Sender<()>>,
    accept: JoinHandle<()>,
    controllers: AbortHandle,
}

impl Sandbox {
    /// Binds to 127.0.0.1 and serves on the current runtime.
    ///
    /// # Errors
    /// When the port is taken, or the system gives no random numbers.
    pub async fn start(options: Options) -> Result<Self> {
        let authority = Arc::new(tls::Authority::new("locustctl-sandbox")?);
        let config = tls::server_config(&authority, &options)?;
        let address = (Ipv4Addr::LOCALHOST, options.port);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on 127.0.0.1:{}", options.port))?;
        let server = format!(
            "https://127.0.0.1:{}",
            listener.local_addr().context("reading the port")?.port()
        );
        let tokens = [tls::random_secret()?, tls::random_secret()?, tls::random_secret()?];
        let password = tls::random_secret()?;
        let state = initial_state(&options, &server, &tokens, &password);
        let shared = Arc::new(shared::Shared::new(state));
        let (stop, stopped) = oneshot::channel();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let accept = tokio::spawn(server::run(listener, acceptor, Arc::clone(&shared), stopped));
        let controllers = tokio::spawn(shared::run_controllers(Arc::clone(&shared))).abort_handle();
        let certificate_authority = authority.pem();
        let cluster = ClusterHandle { shared, authority };
        Ok(Self {
            server,
            certificate_authority,
            tokens,
            password,
            cluster,
            stop: Some(stop),
            accept,
            controllers,
        })
    }

    /// `https://127.0.0.1:PORT`
    pub fn server(&self) -> String {
        self.server.clone()
    }

    /// The certificate to trust, PEM.
    pub fn certificate_authority(&self) -> &str {
        &self.certificate_authority
    }

    /// The bearer token of an account.
    pub fn token(&self, account: Account) -> &str {
        let [admin, viewer, expired] = &self.tokens;
        match account {
            Account::Admin => admin,
            Account::Viewer => viewer,
            Account::Expired => expired,
        }
    }

    /// The password of the user `admin`, for basic authentication.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// A kubeconfig with the contexts `sandbox` (admin, the current one), `sandbox-viewer` and
    /// `sandbox-expired`, each in the namespace `default`.
    pub fn kubeconfig(&self) -> String {
        let accounts = [
            ("sandbox", self.token(Account::Admin)),
            ("sandbox-viewer", self.token(Account::Viewer)),
            ("sandbox-expired", self.token(Account::Expired)),
        ];
        kubeconfig::text(&self.server, &self.certificate_authority, &accounts)
    }

    /// A handle on what is in it; may be used from any thread.
    pub fn cluster(&self) -> ClusterHandle {
        self.cluster.clone()
    }

    /// Ends it: no new connections, requests under way may end within half a second.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // An accept loop that panicked has ended too.
        let _ = (&mut self.accept).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.controllers.abort();
        self.accept.abort();
    }
}

fn initial_state(
    options: &Options,
    server: &str,
    tokens: &[String; 3],
    password: &str,
) -> shared::State {
    let mut accounts = identity::Accounts::default();
    let [admin, viewer, expired] = tokens;
    accounts.add_token(admin, "sandbox-admin", Rights::All);
    accounts.add_token(viewer, "sandbox-viewer", Rights::ReadOnly);
    accounts.add_expired_token(expired, "sandbox-expired");
    accounts.add_password("admin", password, Rights::All);
    let mut store = store::Store::new();
    seed::namespaces(&mut store);
    if options.start == Start::Locust {
        seed::locust(&mut store, options.locust_release);
    }
    if options.custom_resources {
        seed::swarms(&mut store);
    }
    shared::State {
        store,
        accounts,
        faults: Vec::new(),
        controllers: controller::Controllers::new(options.pod_ready_after),
        controllers_paused: false,
        latency: options.latency,
        requests: std::collections::VecDeque::new(),
        next_request: 0,
        server: server.to_owned(),
        locusts: locust::Locusts::new(options.locust_release),
        types: resources::Types { custom: options.custom_resources },
        legacy_discovery: options.discovery == Discovery::LegacyOnly,
    }
}
