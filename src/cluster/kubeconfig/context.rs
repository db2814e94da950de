//! Context, cluster, user and namespace: the names, and the entries behind them with the flags
//! laid over. As client-go `tools/clientcmd/client_config.go` does.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use secrecy::{ExposeSecret, SecretString};

use super::{
    ConfigError, Environment, Overrides,
    entries::{ClusterEntry, ContextEntry, UserEntry},
    file::File,
    given, in_cluster, validate,
};

/// What the names lead to.
#[derive(Debug)]
pub(super) struct Chosen {
    pub context_name: Option<String>,
    context: ContextEntry,
    pub cluster_name: String,
    cluster_known: bool,
    pub cluster: ClusterEntry,
    pub user_name: String,
    pub user: UserEntry,
}

/// Chooses by flag, else by context, and checks what was chosen.
///
/// # Errors
/// A name given by flag, or the current context, that has no entry; entries whose fields do not
/// fit together. Names *inside* the context that have no entry are no errors: an unknown user is
/// nobody, an unknown cluster has no server.
pub(super) fn choose(
    config: &File,
    flags: &Overrides,
    surroundings: &Environment,
) -> Result<Chosen> {
    let by_flag = given(&flags.context);
    let current = Some(config.current_context.as_str()).filter(|name| !name.is_empty());
    let context_name = by_flag.or(current);
    let context = context_name.and_then(|name| config.contexts.get(name));
    let checked = match (context_name, context) {
        (Some(name), None) => Err(ConfigError::InConfiguration(vec![format!(
            "context was not found for specified context: {name}"
        )])),
        _ => Ok(()),
    };
    let context = context.cloned().unwrap_or_default();

    let user_name = given(&flags.user).unwrap_or(&context.user).to_owned();
    let user = config.users.get(&user_name);
    let user_is_known = user.is_some() || given(&flags.user).is_none();
    let user = user_with_flags(user.cloned().unwrap_or_default(), flags);

    let cluster_name = given(&flags.cluster).unwrap_or(&context.cluster).to_owned();
    let cluster = config.clusters.get(&cluster_name);
    let cluster_known = cluster.is_some();
    let cluster_is_missed = !cluster_known && given(&flags.cluster).is_some();
    let cluster = cluster.cloned().unwrap_or_default();
    let cluster = cluster_with_flags(cluster, flags, surroundings);

    // kubectl checks everything first while it looks for a namespace, unless a flag gives it one;
    // then names given by flag are found missing first, and in other words.
    let usable = || -> Result<()> {
        checked?;
        let mut reasons = validate::user(&user_name, &user);
        if cluster_is_missed {
            reasons.push(format!("no server found for cluster {cluster_name:?}"));
        } else {
            reasons.extend(validate::cluster(&cluster_name, &cluster));
        }
        refuse(reasons)
    };
    let with_namespace = given(&flags.namespace).is_some();
    if !with_namespace {
        usable()?;
        if !user_is_known {
            bail!("auth info {user_name:?} does not exist");
        }
    } else {
        if !user_is_known {
            bail!("auth info {user_name:?} does not exist");
        }
        if let Some(name) = by_flag.filter(|name| !config.contexts.contains_key(*name)) {
            bail!("context {name:?} does not exist");
        }
        if cluster_is_missed {
            bail!("cluster {cluster_name:?} does not exist");
        }
        usable()?;
    }
    Ok(Chosen {
        context_name: context_name.map(str::to_owned),
        context,
        cluster_name,
        cluster_known,
        cluster,
        user_name,
        user,
    })
}

impl Chosen {
    /// `--namespace`, else the context's, else the pod's if this is one, else `default`.
    pub fn namespace(&self, flags: &Overrides, surroundings: &Environment) -> String {
        if let Some(namespace) = given(&flags.namespace) {
            return namespace.to_owned();
        }
        if !self.context.namespace.is_empty() {
            return self.context.namespace.clone();
        }
        if in_cluster::is_possible(surroundings) {
            return in_cluster::namespace(surroundings);
        }
        "default".to_owned()
    }

    /// The error for want of a server.
    pub fn no_server(
        self,
        files: Vec<PathBuf>,
        missing: Vec<PathBuf>,
        surroundings: &Environment,
    ) -> ConfigError {
        if self.context_name.is_none() && self.cluster_name.is_empty() {
            let pod_token = in_cluster::missing_token(surroundings);
            return ConfigError::NoCluster { files, missing, pod_token };
        }
        ConfigError::NoServer {
            context: self.context_name,
            cluster: self.cluster_name,
            known: self.cluster_known,
        }
    }
}

/// One reason is an ordinary error; of several, kubectl makes a list.
fn refuse(mut reasons: Vec<String>) -> Result<()> {
    match reasons.len() {
        0 => Ok(()),
        1 => Err(anyhow!(reasons.remove(0))),
        _ => Err(ConfigError::InConfiguration(reasons).into()),
    }
}

pub(super) fn cluster_with_flags(
    mut cluster: ClusterEntry,
    flags: &Overrides,
    surroundings: &Environment,
) -> ClusterEntry {
    if cluster.server.is_empty() {
        cluster.server = surroundings.kubernetes_master.clone().unwrap_or_default();
    }
    let server = given(&flags.server);
    if let Some(server) = server {
        cluster.server = server.to_owned();
    }
    let insecure = flags.insecure_skip_tls_verify.unwrap_or(false);
    let authority = flags.certificate_authority.clone().unwrap_or_default();
    // Either flag clears what the file says about both, else they would contradict each other.
    if insecure || !authority.as_os_str().is_empty() {
        cluster.insecure_skip_tls_verify = insecure;
        cluster.certificate_authority = authority;
        cluster.certificate_authority_data.clear();
    }
    // The file's name belongs to the file's server.
    let name = given(&flags.tls_server_name);
    if name.is_some() || server.is_some() {
        cluster.tls_server_name = name.unwrap_or_default().to_owned();
    }
    cluster.disable_compression = flags.disable_compression.unwrap_or(cluster.disable_compression);
    cluster
}

pub(super) fn user_with_flags(mut user: UserEntry, flags: &Overrides) -> UserEntry {
    let secret = |flag: &Option<SecretString>| {
        flag.clone().filter(|secret| !secret.expose_secret().is_empty())
    };
    let path = |flag: &Option<PathBuf>| flag.clone().filter(|path| !path.as_os_str().is_empty());
    if let Some(token) = secret(&flags.token) {
        user.token = token;
        // kubectl would send the file's content all the same (decided otherwise).
        user.token_file = PathBuf::new();
    }
    if let Some(username) = given(&flags.username) {
        user.username = username.to_owned();
    }
    if let Some(password) = secret(&flags.password) {
        user.password = password;
    }
    if let Some(certificate) = path(&flags.client_certificate) {
        user.client_certificate = certificate;
        user.client_certificate_data.clear();
    }
    if let Some(key) = path(&flags.client_key) {
        user.client_key = key;
        user.client_key_data = SecretString::default();
    }
    let (whom, flag) = (&mut user.impersonate, &flags.impersonate);
    if !flag.user.is_empty() {
        whom.user.clone_from(&flag.user);
    }
    if !flag.uid.is_empty() {
        whom.uid.clone_from(&flag.uid);
    }
    if !flag.groups.is_empty() {
        whom.groups.clone_from(&flag.groups);
    }
    if !flag.extra.is_empty() {
        whom.extra.clone_from(&flag.extra);
    }
    user
}
