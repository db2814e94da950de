//! The context in effect, and its cluster, user and namespace with the flags applied. The rules are
//! those of client-go's `tools/clientcmd/client_config.go`.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};

use super::{
    ConfigError, Environment, Overrides,
    entries::{ClusterEntry, ContextEntry, UserEntry},
    file::File,
    in_cluster, validate,
    with_flags::{cluster_with_flags, given, user_with_flags},
};

/// The entries in effect, with the flags applied.
#[derive(Debug)]
pub(super) struct Selection {
    pub context_name: Option<String>,
    context: ContextEntry,
    cluster_name: String,
    is_cluster_known: bool,
    pub cluster: ClusterEntry,
    pub user_name: String,
    pub user: UserEntry,
}

/// Selects the entries by flag, else by context, and checks them.
///
/// # Errors
/// A flag or the current context names an entry that does not exist, or the fields of an entry
/// contradict each other. Names *inside* the context may have no entry: such a user has no
/// credentials, and such a cluster no server.
pub(super) fn select(
    config: &File,
    flags: &Overrides,
    environment: &Environment,
) -> Result<Selection> {
    let by_flag = given(&flags.context);
    let current = Some(config.current_context.as_str()).filter(|name| !name.is_empty());
    let context_name = by_flag.or(current);
    // If no context is selected, client-go uses the entry whose name is empty. The same holds for
    // users and clusters.
    let context = config.contexts.get(context_name.unwrap_or_default());
    let context_check = match (context_name, context) {
        (Some(name), None) => Err(ConfigError::InConfiguration(vec![format!(
            "context was not found for specified context: {name}"
        )])),
        _ => Ok(()),
    };
    let context = context.cloned().unwrap_or_default();

    let user_name = given(&flags.user).unwrap_or(&context.user).to_owned();
    let user = config.users.get(&user_name);
    let is_user_known = user.is_some() || given(&flags.user).is_none();
    let user = user_with_flags(user.cloned().unwrap_or_default(), flags);

    let cluster_name = given(&flags.cluster).unwrap_or(&context.cluster).to_owned();
    let cluster = config.clusters.get(&cluster_name);
    let is_cluster_known = cluster.is_some();
    let is_cluster_missing = !is_cluster_known && given(&flags.cluster).is_some();
    let cluster = cluster.cloned().unwrap_or_default();
    let cluster = cluster_with_flags(cluster, flags, environment);

    // kubectl checks all entries while it looks for the namespace. With --namespace it first checks
    // that the entries named by flags exist, and has other texts for that.
    let check = || -> Result<()> {
        context_check?;
        let mut reasons = validate::user(&user_name, &user);
        if is_cluster_missing {
            reasons.push(format!("no server found for cluster {cluster_name:?}"));
        } else {
            reasons.extend(validate::cluster(&cluster_name, &cluster));
        }
        refuse(reasons)
    };
    let with_namespace = given(&flags.namespace).is_some();
    if !with_namespace {
        check()?;
        if !is_user_known {
            bail!("auth info {user_name:?} does not exist");
        }
    } else {
        if !is_user_known {
            bail!("auth info {user_name:?} does not exist");
        }
        if let Some(name) = by_flag.filter(|name| !config.contexts.contains_key(*name)) {
            bail!("context {name:?} does not exist");
        }
        if is_cluster_missing {
            bail!("cluster {cluster_name:?} does not exist");
        }
        check()?;
    }
    Ok(Selection {
        context_name: context_name.map(str::to_owned),
        context,
        cluster_name,
        is_cluster_known,
        cluster,
        user_name,
        user,
    })
}

impl Selection {
    /// `--namespace`, else the context's namespace, else the pod's in a pod, else `default`.
    pub fn namespace(&self, flags: &Overrides, environment: &Environment) -> String {
        if let Some(namespace) = given(&flags.namespace) {
            return namespace.to_owned();
        }
        if !self.context.namespace.is_empty() {
            return self.context.namespace.clone();
        }
        if in_cluster::is_possible(environment) {
            return in_cluster::namespace(environment);
        }
        "default".to_owned()
    }

    /// The error for a missing server.
    pub fn no_server(
        self,
        files: Vec<PathBuf>,
        missing: Vec<PathBuf>,
        environment: &Environment,
    ) -> ConfigError {
        if self.context_name.is_none() && self.cluster_name.is_empty() {
            let pod_token = in_cluster::missing_token(environment);
            return ConfigError::NoCluster { files, missing, pod_token };
        }
        ConfigError::NoServer {
            context: self.context_name,
            cluster: self.cluster_name,
            known: self.is_cluster_known,
        }
    }
}

/// The error for some reasons. kubectl makes a list of several reasons.
fn refuse(mut reasons: Vec<String>) -> Result<()> {
    match reasons.len() {
        0 => Ok(()),
        1 => Err(anyhow!(reasons.remove(0))),
        _ => Err(ConfigError::InConfiguration(reasons).into()),
    }
}
