//! The pod's own service account, for want of a configured server. As client-go `rest/config.go`
//! and `tools/clientcmd/client_config.go` do.

use std::{fs, path::PathBuf};

use anyhow::Result;
use secrecy::ExposeSecret;

use super::{
    Access, Cluster, Environment, Impersonation, Overrides, User, server_url, tls, with_flags,
};
use crate::text::go::os_error;

/// Whether this is a pod with a service account.
pub(super) fn is_possible(surroundings: &Environment) -> bool {
    is_pod(surroundings) && token(surroundings).is_file()
}

/// Where a pod's token should be and is not.
pub(super) fn missing_token(surroundings: &Environment) -> Option<PathBuf> {
    (is_pod(surroundings) && !token(surroundings).is_file()).then(|| token(surroundings))
}

fn is_pod(surroundings: &Environment) -> bool {
    let is_set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    is_set(&surroundings.service_host) && is_set(&surroundings.service_port)
}

fn token(surroundings: &Environment) -> PathBuf {
    surroundings.service_account.join("token")
}

/// `$POD_NAMESPACE`, else the service account's namespace, else `default`.
pub(super) fn namespace(surroundings: &Environment) -> String {
    if let Some(namespace) = with_flags::given(&surroundings.pod_namespace) {
        return namespace.to_owned();
    }
    let file = fs::read_to_string(surroundings.service_account.join("namespace"));
    match file.unwrap_or_default().trim() {
        "" => "default".to_owned(),
        namespace => namespace.to_owned(),
    }
}

/// Access by the service account, with what the flags say about TLS and identity laid over.
/// The service account's token is not sent when a flag gives another identity.
///
/// # Errors
/// A service host that makes no URL; a file named by a flag that cannot be read.
pub(super) fn access(
    flags: &Overrides,
    surroundings: &Environment,
    impersonate: Impersonation,
) -> Result<Access> {
    let host = surroundings.service_host.as_deref().unwrap_or_default();
    let port = surroundings.service_port.as_deref().unwrap_or_default();
    let server = server_url::normalize(&match host.contains(':') {
        true => format!("https://[{host}]:{port}"),
        false => format!("https://{host}:{port}"),
    })?;
    let entry = with_flags::cluster_with_flags(Default::default(), flags, &Environment::default());
    let names_trust =
        entry.insecure_skip_tls_verify || !entry.certificate_authority.as_os_str().is_empty();
    let mut cluster: Cluster = tls::cluster(entry, server)?;
    let mut warnings = Vec::new();
    if !names_trust {
        let path = surroundings.service_account.join("ca.crt");
        let read = fs::read(&path)
            .map_err(|err| format!("open {}: {}", path.display(), os_error(&err)))
            .and_then(|pem| tls::authority(pem).map_err(|err| err.to_string()));
        match read {
            Ok(authority) => cluster.certificate_authority = authority,
            Err(problem) => warnings.push(format!(
                "Expected to load root CA config from {}, but got err: {problem}",
                path.display()
            )),
        }
    }
    let entry = with_flags::user_with_flags(Default::default(), flags);
    let has_identity = !entry.token.expose_secret().is_empty()
        || !entry.username.is_empty()
        || entry.has_certificate();
    let mut user: User = tls::user("", entry, &cluster.server)?;
    if !has_identity {
        user.token_file = Some(surroundings.service_account.join("token"));
    }
    user.impersonate = impersonate;
    Ok(Access {
        cluster,
        user,
        namespace: String::new(),
        context: None,
        files: Vec::new(),
        missing_files: Vec::new(),
        warnings,
    })
}
