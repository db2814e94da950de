//! Which cluster, as whom, in which namespace: kubeconfig files, their merge, the context,
//! the flags that override it, and the pod's own service account when there is no file.
//!
//! The rules are those of client-go's `tools/clientcmd`, in kubectl's wording.

use std::path::PathBuf;

use anyhow::Result;
use secrecy::SecretString;

/// The flags that say which cluster and as whom; `None` where a flag was not given.
///
/// An empty string counts as not given, as in kubectl.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `--kubeconfig`: the only file to read; it must exist.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`
    pub context: Option<String>,
    /// `--cluster`
    pub cluster: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `-n`, `--namespace`
    pub namespace: Option<String>,
    /// `-s`, `--server`
    pub server: Option<String>,
    /// `--token`
    pub token: Option<SecretString>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`
    pub password: Option<SecretString>,
    /// `--certificate-authority`, relative to the working directory
    pub certificate_authority: Option<PathBuf>,
    /// `--client-certificate`, relative to the working directory
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`, relative to the working directory
    pub client_key: Option<PathBuf>,
    /// `--insecure-skip-tls-verify`
    pub insecure_skip_tls_verify: Option<bool>,
    /// `--tls-server-name`
    pub tls_server_name: Option<String>,
}

/// What the process's surroundings say: environment variables and well-known places.
/// Held in a value so that a test can describe other surroundings.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    /// `$KUBECONFIG`: a list of files, separated as `$PATH` is.
    pub kubeconfig: Option<std::ffi::OsString>,
    /// The home directory, which holds `.kube/config`.
    pub home: Option<PathBuf>,
    /// `$KUBERNETES_MASTER`: the server when neither flag nor file names one.
    pub kubernetes_master: Option<String>,
    /// `$KUBERNETES_SERVICE_HOST`, set in every pod.
    pub service_host: Option<String>,
    /// `$KUBERNETES_SERVICE_PORT`, set in every pod.
    pub service_port: Option<String>,
    /// `$POD_NAMESPACE`
    pub pod_namespace: Option<String>,
    /// Where the pod's service account is mounted: `token`, `ca.crt` and `namespace`.
    pub service_account: PathBuf,
}

/// The cluster to talk to and the identity to use, with every override applied.
#[derive(Debug, Clone)]
pub struct Access {
    /// The server and how to trust it.
    pub cluster: Cluster,
    /// Who we are.
    pub user: User,
    /// The namespace in effect.
    pub namespace: String,
    /// The context in effect; `None` without one (flags only, or in-cluster).
    pub context: Option<String>,
    /// The files that were read, in order, for `-v=6` (`Config loaded from file:  …`).
    pub files: Vec<PathBuf>,
}

/// One API server and how to trust it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Name of the kubeconfig entry; empty without one.
    pub name: String,
    /// `http://` or `https://`, host, port and optional path prefix; no trailing slash, query or fragment.
    pub server: String,
    /// PEM bundle that is the only trust root; `None` means the system's roots.
    pub certificate_authority: Option<Vec<u8>>,
    /// Do not verify the server's certificate.
    pub insecure_skip_tls_verify: bool,
    /// The name for SNI and verification when it is not the server's host.
    pub tls_server_name: Option<String>,
    /// `proxy-url` of the cluster entry.
    pub proxy_url: Option<String>,
    /// `disable-compression` of the cluster entry.
    pub disable_compression: bool,
}

/// One identity, as a kubeconfig's user entry and the flags describe it; nothing here is checked
/// against the server yet.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Name of the kubeconfig entry; empty without one.
    pub name: String,
    /// Bearer token.
    pub token: Option<SecretString>,
    /// File that holds the bearer token; wins over a `token` beside it, but not over `--token`.
    pub token_file: Option<PathBuf>,
    /// Client certificate chain, PEM.
    pub client_certificate: Option<Vec<u8>>,
    /// Client key, PEM.
    pub client_key: Option<SecretString>,
    /// Basic authentication.
    pub username: Option<String>,
    /// Basic authentication.
    pub password: Option<SecretString>,
}

impl Environment {
    /// Reads the process's environment variables and home directory.
    pub fn from_process() -> Self {
        todo!()
    }
}

/// Finds the cluster, the user and the namespace.
///
/// # Errors
/// In kubectl's words where it has them; always names the file or flag at fault.
pub fn resolve(_flags: &Overrides, _surroundings: &Environment) -> Result<Access> {
    todo!()
}
