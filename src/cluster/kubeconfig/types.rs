//! The flags, and the access to a cluster that they and the kubeconfig resolve to.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use secrecy::SecretString;

use crate::text::go::url::Login;

/// The flags that select the cluster and the user; `None` for a flag that is not given. An empty
/// string counts as not given, as in kubectl.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `--kubeconfig`: the only file to read. It must exist.
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

/// The cluster, the user and the namespace, with all flags applied.
#[derive(Debug, Default, Clone)]
pub struct Access {
    /// The cluster.
    pub cluster: Cluster,
    /// The user.
    pub user: User,
    /// The namespace in effect.
    pub namespace: String,
    /// The context in effect; `None` with only flags, or in a pod.
    pub context: Option<String>,
    /// The files that were read, in order. `-v=6` lists them.
    pub files: Vec<PathBuf>,
    /// The files that do not exist.
    pub missing_files: Vec<PathBuf>,
    /// Warnings for stderr.
    pub warnings: Vec<String>,
}

/// One API server, with the settings for its connection.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// `http://` or `https://`, host, port and optional path prefix; no trailing slash, query or
    /// fragment.
    pub server: String,
    /// The user name and password in the server's URL. Go sends them instead of the user's
    /// credentials.
    pub login: Option<Login>,
    /// The PEM bundle of the trust roots; `None` for the system's roots.
    pub certificate_authority: Option<Vec<u8>>,
    /// True if the server's certificate is not verified.
    pub insecure_skip_tls_verify: bool,
    /// The name for SNI and verification; `None` for the server's host.
    pub tls_server_name: Option<String>,
    /// `proxy-url` of the cluster entry.
    pub proxy_url: Option<String>,
    /// `disable-compression` of the cluster entry.
    pub disable_compression: bool,
    /// The extension `client.authentication.k8s.io/exec`, which credential plugins get.
    pub exec_config: Option<serde_json::Value>,
}

/// One user, from the kubeconfig's entry and the flags.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// The name of the kubeconfig entry; empty without one.
    pub name: String,
    /// The file of the entry, to which renewed tokens are written; `None` without one.
    pub defined_in: Option<PathBuf>,
    /// The bearer token.
    pub token: Option<SecretString>,
    /// The file of the bearer token. It wins over `token` of the entry, but not over `--token`.
    pub token_file: Option<PathBuf>,
    /// The client certificate chain as PEM.
    pub client_certificate: Option<Vec<u8>>,
    /// The client key as PEM.
    pub client_key: Option<SecretString>,
    /// The name for basic authentication.
    pub username: Option<String>,
    /// The password for basic authentication.
    pub password: Option<SecretString>,
    /// The credential plugin.
    pub exec: Option<Exec>,
    /// The credential provider of the old kind.
    pub auth_provider: Option<AuthProvider>,
    /// The user to impersonate.
    pub impersonate: Impersonation,
}

/// The user to impersonate. All fields are empty without impersonation.
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
    /// `client.authentication.k8s.io/v1` or `…/v1beta1`, not checked.
    pub api_version: String,
    /// A name on `$PATH`, or an absolute path.
    pub command: String,
    pub args: Vec<String>,
    /// Environment variables, in addition to ours.
    pub env: Vec<(String, SecretString)>,
    /// The hint for the user if the command does not exist.
    pub install_hint: String,
    /// True if the plugin gets information about the cluster.
    pub provide_cluster_info: bool,
    /// The use of stdin.
    pub interactive_mode: InteractiveMode,
}

/// The use of stdin by a credential plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InteractiveMode {
    /// The plugin does not use stdin.
    Never,
    /// The plugin uses stdin if it is a terminal.
    IfAvailable,
    /// The plugin needs a terminal on stdin.
    Always,
}

/// A credential provider that is built into client-go. Only `oidc` still exists.
#[derive(Debug, Clone)]
pub struct AuthProvider {
    /// The provider's name.
    pub name: String,
    /// The settings, including tokens.
    pub config: BTreeMap<String, SecretString>,
}

/// Leaves out the arguments, which may contain a secret.
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
    /// True without impersonation.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
