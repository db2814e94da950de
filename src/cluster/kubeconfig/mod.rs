//! Which cluster, as whom, in which namespace: kubeconfig files, their merge, the context,
//! the flags that override it, and the pod's own service account when there is no file.
//!
//! The rules are those of client-go's `tools/clientcmd`, in kubectl's wording.

mod base64_field;
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
pub(crate) use write_back::Store;

use self::with_flags::given;

/// What kubectl falls back to without any configuration. It counts as no configuration when it
/// stands in a kubeconfig, too.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// Finds the cluster, the user and the namespace.
///
/// The order of work is kubectl's, and decides which of several errors is reported: files,
/// namespace, names, fields, then the server and the files for TLS. When no server is configured
/// and this is a pod, the pod's service account is used; unlike with kubectl, impersonation flags
/// do not prevent that.
///
/// # Errors
/// In kubectl's words where it has them; always names the file, entry or flag at fault.
/// A [`ConfigError`] where kubectl does not print `error: ` first, and where no server is found.
pub fn resolve(flags: &Overrides, surroundings: &Environment) -> Result<Access> {
    let kubeconfig = flags.kubeconfig.as_deref();
    let explicit = kubeconfig.filter(|path| !path.as_os_str().is_empty());
    access(files::load(explicit, surroundings)?, flags, surroundings)
}

/// What a kubeconfig gives names to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// For `--context`.
    Contexts,
    /// For `--cluster`.
    Clusters,
    /// For `--user`.
    Users,
}

/// The names that `--context`, `--cluster` or `--user` may have, sorted.
///
/// # Errors
/// As [`resolve`] for files that cannot be read or understood.
pub fn names(
    explicit: Option<&Path>,
    surroundings: &Environment,
    of: Entries,
) -> Result<Vec<String>> {
    let explicit = explicit.filter(|path| !path.as_os_str().is_empty());
    let config = files::load(explicit, surroundings)?.config;
    Ok(match of {
        Entries::Contexts => config.contexts.into_keys().collect(),
        Entries::Clusters => config.clusters.into_keys().collect(),
        Entries::Users => config.users.into_keys().collect(),
    })
}

/// As [`resolve`] with nothing but the content of one file; for `fuzz/`.
#[doc(hidden)]
pub fn resolve_content(content: &[u8]) -> Result<Access> {
    let config = files::parse(content, "config".as_ref()).map_err(anyhow::Error::msg)?;
    let loaded = files::Loaded { config, ..Default::default() };
    access(loaded, &Overrides::default(), &Environment::default())
}

fn access(loaded: files::Loaded, flags: &Overrides, surroundings: &Environment) -> Result<Access> {
    let chosen = context::choose(&loaded.config, flags, surroundings)?;
    let namespace = chosen.namespace(flags, surroundings);
    let server = chosen.cluster.server.as_str();
    let is_default =
        server.is_empty() || server == DEFAULT_SERVER && given(&flags.server).is_none();
    if is_default && in_cluster::is_possible(surroundings) {
        let mut access = in_cluster::access(flags, surroundings, chosen.user.impersonate)?;
        access.namespace = namespace;
        access.files = loaded.files;
        access.missing_files = loaded.missing;
        return Ok(access);
    }
    if server.is_empty() {
        return Err(chosen.no_server(loaded.files, loaded.missing, surroundings).into());
    }
    let (server, login) = server_url::without_login(server_url::normalize(server)?);
    let mut user = tls::user(&chosen.user_name, chosen.user, &server)?;
    if user.token.is_none() && user.token_file.is_none() && user.username.is_none() {
        // As Go's HTTP client: a login in the address counts when there is nothing else.
        (user.username, user.password) = login.unzip();
    }
    Ok(Access {
        cluster: tls::cluster(chosen.cluster, server)?,
        user,
        namespace,
        context: chosen.context_name,
        files: loaded.files,
        missing_files: loaded.missing,
        warnings: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
