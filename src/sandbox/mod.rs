//! A simulated Kubernetes cluster on loopback, for trying out and testing locustctl.
//!
//! It speaks TLS, HTTP/2 and HTTP/1.1. Its responses match the recordings of a real API server in
//! `tests/fixtures/transcripts`. It shares no type with `cluster::api`, so that a mistake
//! on one side is found by the other.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::{Context as _, Result};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
    time::{Duration, Instant},
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
mod jobs;
mod kubeconfig;
mod layout;
mod layouts;
mod list;
mod locust;
mod object;
mod openapi;
mod operators;
mod options;
mod patch;
mod pod_count;
mod pod_failure;
mod pod_spec;
mod pods;
mod protobuf;
mod proxied;
mod query;
mod replicasets;
mod resource_type;
mod resources;
mod rollouts;
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
mod verbs;
mod watch;

pub use cluster::ClusterHandle;
pub use faults::{Action, Fault};
pub use identity::{Account, Rights, Rule};
pub use layout::{Layout, LayoutError};
pub use locust::LocustRelease;
pub use options::{Discovery, InitialObjects, Options, Protocols, ServerCertificate};
pub use pod_failure::PodFailure;
pub use shared::RecordedRequest;
pub use tls::ClientCertificate;

/// A running simulated cluster. It ends when this is dropped.
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
    /// If the port is in use, if the system has no random numbers, or if an object of the layout is
    /// invalid.
    pub async fn start(options: Options) -> Result<Self> {
        let authority = Arc::new(tls::Authority::new("locustctl-sandbox")?);
        let config = tls::server_config(&authority, &options)?;
        let address = (Ipv4Addr::LOCALHOST, options.port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("listening on 127.0.0.1:{} (--port=N chooses another port)", options.port)
        })?;
        let server = format!(
            "https://127.0.0.1:{}",
            listener.local_addr().context("reading the port")?.port()
        );
        let tokens = [tls::random_secret()?, tls::random_secret()?, tls::random_secret()?];
        let password = tls::random_secret()?;
        let state = initial_state(&options, &server, &tokens, &password)?;
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
    /// `sandbox-expired`. Each has the namespace `default`.
    pub fn kubeconfig(&self) -> String {
        let accounts = [
            ("sandbox", self.token(Account::Admin)),
            ("sandbox-viewer", self.token(Account::Viewer)),
            ("sandbox-expired", self.token(Account::Expired)),
        ];
        kubeconfig::text(&self.server, &self.certificate_authority, &accounts)
    }

    /// A handle on the cluster. It may be used from any thread.
    pub fn cluster(&self) -> ClusterHandle {
        self.cluster.clone()
    }

    /// Shuts down: accepts no new connections, and gives open requests half a second to end.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // An accept loop that panicked has also ended.
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
) -> Result<shared::ClusterState> {
    let mut accounts = identity::Accounts::default();
    let [admin, viewer, expired] = tokens;
    accounts.add_token(admin, "sandbox-admin", Rights::All);
    accounts.add_token(viewer, "sandbox-viewer", Rights::ReadOnly);
    accounts.add_expired_token(expired, "sandbox-expired");
    accounts.add_password("admin", password, Rights::All);
    let mut store = store::Store::new();
    seed::namespaces(&mut store);
    let layout = match &options.objects {
        InitialObjects::Locust => Layout::named("tutorial", options.locust_release),
        InitialObjects::Layout(layout) => Some(layout.clone()),
        InitialObjects::Empty => None,
    };
    let mut types = resources::Types::default();
    if let Some(layout) = &layout {
        types.custom_groups = layout.groups();
        seed::layout(&mut store, layout).context("laying out the simulated cluster")?;
        // The objects are not new, so their pods are ready immediately.
        let mut controllers = controller::Controllers::new(Duration::ZERO);
        controllers.settle(&mut store, Instant::now());
    }
    if options.custom_resources {
        seed::swarms(&mut store);
        types.custom_groups.insert(seed::SWARMS);
    }
    store.pod_failure = options.pod_failure.clone();
    Ok(shared::ClusterState {
        store,
        accounts,
        faults: Vec::new(),
        faults_cleared: tokio::sync::watch::Sender::new(()),
        controllers: controller::Controllers::new(options.pod_ready_after),
        controllers_paused: false,
        latency: options.latency,
        requests: std::collections::VecDeque::new(),
        next_request: 0,
        server: server.to_owned(),
        locusts: locust::Locusts::new(options.locust_release),
        types,
        legacy_discovery: options.discovery == Discovery::LegacyOnly,
    })
}
