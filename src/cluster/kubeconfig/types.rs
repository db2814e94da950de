//! What a kubeconfig and the flags come to: the flags themselves, and the access they resolve to.

use std::{collections::BTreeMap, fmt, path::PathBuf};

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
    /// `--disable-compression`
    pub disable_compression: Option<bool>,
    /// `--as`, `--as-uid`, `--as-group`, `--as-user-extra`
    pub impersonate: Impersonation,
}

/// The cluster to talk to and the identity to use, with every override applied.
#[derive(Debug, Default, Clone)]
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
    /// Files that were looked for and do not exist.
    pub missing_files: Vec<PathBuf>,
    /// What should be said on stderr though nothing failed.
    pub warnings: Vec<String>,
}

/// One API server and how to trust it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
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
    /// The extension `client.authentication.k8s.io/exec`, handed to credential plugins as it is.
    pub exec_config: Option<serde_json::Value>,
}

/// One identity, as a kubeconfig's user entry and the flags describe it; nothing here is checked
/// against the server yet.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Name of the kubeconfig entry; empty without one.
    pub name: String,
    /// The file that has this entry, where renewed tokens are written back to; `None` without one.
    pub defined_in: Option<PathBuf>,
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
    /// A credential plugin to run.
    pub exec: Option<Exec>,
    /// A credential provider of the old kind.
    pub auth_provider: Option<AuthProvider>,
    /// Whom to act as.
    pub impersonate: Impersonation,
}

/// Whom to act as; all empty when as oneself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `as`, `--as`
    pub user: String,
    /// `as-uid`, `--as-uid`
    pub uid: String,
    /// `as-groups`, `--as-group`
    pub groups: Vec<String>,
    /// `as-user-extra`, `--as-user-extra`
    pub extra: BTreeMap<String, Vec<String>>,
}

/// A credential plugin: a command that prints a token or a client certificate.
#[derive(Clone)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1` or `…/v1beta1`; not checked here.
    pub api_version: String,
    /// A name to look for on `$PATH`, or a path; a relative one is resolved already.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables for its environment, beside our own.
    pub env: Vec<(String, SecretString)>,
    /// What to tell the user when the command does not exist.
    pub install_hint: String,
    /// Whether it wants to know about the cluster.
    pub provide_cluster_info: bool,
    /// Whether it may use stdin.
    pub interactive_mode: InteractiveMode,
}

/// Whether a credential plugin may use stdin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InteractiveMode {
    /// It never does.
    Never,
    /// It does when stdin is a terminal.
    IfAvailable,
    /// It cannot work without.
    Always,
}

/// A credential provider of the kind that client-go once had built in; only `oidc` is left.
#[derive(Debug, Clone)]
pub struct AuthProvider {
    /// Which one.
    pub name: String,
    /// Its settings, tokens among them.
    pub config: BTreeMap<String, SecretString>,
}

/// Without the arguments: some plugins are given a secret there.
impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("command", &self.command)
            .field("api_version", &self.api_version)
            .field("interactive_mode", &self.interactive_mode)
            .finish_non_exhaustive()
    }
}

impl Impersonation {
    /// Whether we act as ourselves.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
