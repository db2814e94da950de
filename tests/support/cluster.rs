//! A simulated cluster in its own thread, for tests that run a program against it.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use locustctl::sandbox::{Account, ClusterHandle, Options, RecordedRequest, Sandbox};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::secrets;
use crate::serving::wait_until;

/// The path of the Deployment that most tests scale.
pub const WORKERS: &str = "/apis/apps/v1/namespaces/default/deployments/locust-slave";

/// A running cluster and the files to reach it. Both are removed when this is dropped.
pub struct TestCluster {
    handle: ClusterHandle,
    server: String,
    certificate_authority: String,
    tokens: [String; 3],
    password: String,
    directory: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestCluster {
    /// The usual cluster, with pods that become ready quickly.
    pub fn start() -> Self {
        Self::with(Options { pod_ready_after: Duration::from_millis(100), ..Options::default() })
    }

    /// A cluster with these options.
    pub fn with(options: Options) -> Self {
        // An error means that another test has installed a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (started, starting) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = Sandbox::start(options).await.unwrap();
                let tokens = [Account::Admin, Account::Viewer, Account::Expired];
                let tokens = tokens.map(|account| sandbox.token(account).to_owned());
                let facts = (
                    sandbox.cluster(),
                    sandbox.server(),
                    sandbox.certificate_authority().to_owned(),
                    tokens,
                    sandbox.password().to_owned(),
                    sandbox.kubeconfig(),
                );
                started.send(facts).unwrap();
                let _ = stopped.await;
                sandbox.shutdown().await;
            });
        });
        let (handle, server, certificate_authority, tokens, password, kubeconfig) =
            starting.recv().expect("the sandbox starts");
        tokens.iter().chain([&password]).for_each(|secret| secrets::add(secret));
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("kubeconfig"), kubeconfig).unwrap();
        std::fs::write(directory.path().join("ca.crt"), &certificate_authority).unwrap();
        Self {
            handle,
            server,
            certificate_authority,
            tokens,
            password,
            directory,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The handle to inspect and change the cluster.
    pub fn handle(&self) -> &ClusterHandle {
        &self.handle
    }

    /// `https://127.0.0.1:PORT`
    pub fn server(&self) -> &str {
        &self.server
    }

    pub fn port(&self) -> u16 {
        self.server.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The certificate authority to trust, PEM.
    pub fn certificate_authority(&self) -> &str {
        &self.certificate_authority
    }

    pub fn certificate_authority_file(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    /// A kubeconfig with the contexts `sandbox` (current), `sandbox-viewer` and `sandbox-expired`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// A directory of this cluster, for further files and as a HOME.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The path of a file in that directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file into that directory.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
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

    /// The password of the user `admin`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The recorded requests, each as `METHOD /path?query`.
    pub fn request_lines(&self) -> Vec<String> {
        self.handle.requests().iter().map(|request| request.line()).collect()
    }

    /// `spec.replicas` of `deployment/locust-slave`.
    pub fn workers(&self) -> i64 {
        self.handle.replicas(WORKERS).expect("deployment/locust-slave exists")
    }

    /// Waits until the object at a path fulfils the condition.
    #[track_caller]
    pub fn wait_for(&self, path: &str, wanted: impl Fn(&serde_json::Value) -> bool) {
        let object = || self.handle.object(path);
        wait_until(
            || object().as_ref().is_some_and(&wanted),
            || format!("a change of {path}: {:#?}", object()),
        );
    }

    /// Waits until this many requests fulfil the condition.
    #[track_caller]
    pub fn wait_for_requests(&self, count: usize, wanted: impl Fn(&RecordedRequest) -> bool) {
        let found = || self.handle.requests().iter().filter(|request| wanted(request)).count();
        wait_until(
            || found() >= count,
            || format!("{count} requests in {:#?}", self.request_lines()),
        );
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(!matches!(ended, Some(Err(_))), "the sandbox panicked");
        }
    }
}
