//! Context, cluster, user and namespace: the names, and the entries behind them with the flags
//! laid over. As client-go `tools/clientcmd/client_config.go` does.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};

use super::{
    ConfigError, Environment, Overrides,
    entries::{ClusterEntry, ContextEntry, UserEntry},
    file::File,
    in_cluster, validate,
    with_flags::{cluster_with_flags, given, user_with_flags},
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
