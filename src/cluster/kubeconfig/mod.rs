//! The cluster, the user and the namespace: kubeconfig files, their merge, the context, the flags
//! that override it, and the pod's service account when there is no file.
//!
//! The rules are those of client-go's `tools/clientcmd`, the texts kubectl's.

mod context;
mod entries;
mod environment;
mod error;
pub(crate) mod fields;
mod file;
mod files;
mod in_cluster;
mod lock;
mod merge;
mod named_list;
mod proxy_url;
mod replace;
mod server_url;
mod tls;
mod types;
mod validate;
mod with_flags;
mod write_back;

use std::path::Path;

use anyhow::Result;

pub use environment::Environment;
pub use error::ConfigError;
pub(crate) use tls::trust_roots;
pub use types::{
    Access, AuthProvider, Cluster, Exec, Impersonation, InteractiveMode, Overrides, User,
};
pub(crate) use write_back::TokenStore;

use self::with_flags::given;

/// kubectl's server when nothing is configured. A kubeconfig with this server is treated as not configured.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// Finds the cluster, the user and the namespace.
///
/// The order of the steps is kubectl's, and decides which of several errors is reported: files,
/// namespace, names, fields, the server, the files for TLS. In a pod without a configured server,
/// the pod's service account is used. Unlike in kubectl, impersonation flags do not prevent that.
///
/// # Errors
/// The configuration is invalid. The text is kubectl's if there is one, and names the file, entry
/// or flag. The error is a [`ConfigError`] if there is no server, and if kubectl does not print
/// `error: ` before it.
pub fn resolve(flags: &Overrides, environment: &Environment) -> Result<Access> {
    let kubeconfig = flags.kubeconfig.as_deref();
    let explicit = kubeconfig.filter(|path| !path.as_os_str().is_empty());
    access(files::load(explicit, environment)?, flags, environment)
}

/// The kinds of entries of a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// The values of `--context`.
    Contexts,
    /// The values of `--cluster`.
    Clusters,
    /// The values of `--user`.
    Users,
}

/// The possible values of `--context`, `--cluster` or `--user`, sorted.
///
/// # Errors
/// A file cannot be read, as in [`resolve`].
pub fn names(
    explicit: Option<&Path>,
    environment: &Environment,
    of: Entries,
) -> Result<Vec<String>> {
    let explicit = explicit.filter(|path| !path.as_os_str().is_empty());
    let config = files::load(explicit, environment)?.config;
    let mut names: Vec<String> = match of {
        Entries::Contexts => config.contexts.into_keys().collect(),
        Entries::Clusters => config.clusters.into_keys().collect(),
        Entries::Users => config.users.into_keys().collect(),
    };
    // A flag cannot select the entry without a name.
    names.retain(|name| !name.is_empty());
    Ok(names)
}

/// Does the same as [`resolve`], for the content of one file and no flags; used by `fuzz/`.
#[doc(hidden)]
pub fn resolve_content(content: &[u8]) -> Result<Access> {
    let config = files::parse(content, "config".as_ref()).map_err(anyhow::Error::msg)?;
    let loaded = files::LoadedFiles { config, ..Default::default() };
    access(loaded, &Overrides::default(), &Environment::default())
}

/// The normalized address of a server, without its login; used by `fuzz/`.
#[doc(hidden)]
pub fn server_of(text: &str) -> Option<String> {
    server_url::read(text).ok().map(|(server, _)| server)
}

fn access(
    loaded: files::LoadedFiles,
    flags: &Overrides,
    environment: &Environment,
) -> Result<Access> {
    let selection = context::select(&loaded.config, flags, environment)?;
    let namespace = selection.namespace(flags, environment);
    let server = selection.cluster.server.as_str();
    let is_default =
        server.is_empty() || server == DEFAULT_SERVER && given(&flags.server).is_none();
    if is_default && in_cluster::is_possible(environment) {
        let mut access = in_cluster::access(flags, environment, selection.user.impersonate)?;
        access.namespace = namespace;
        access.files = loaded.files;
        access.missing_files = loaded.missing;
        return Ok(access);
    }
    if server.is_empty() {
        return Err(selection.no_server(loaded.files, loaded.missing, environment).into());
    }
    let (server, login) = server_url::read(server)?;
    let user = tls::user(&selection.user_name, selection.user, &server)?;
    Ok(Access {
        cluster: Cluster { login, ..tls::cluster(selection.cluster, server)? },
        user,
        namespace,
        context: selection.context_name,
        files: loaded.files,
        missing_files: loaded.missing,
        warnings: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
