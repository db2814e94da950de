//! The pod's service account, used when no server is configured. The rules are those of client-go's
//! `rest/config.go` and `tools/clientcmd/client_config.go`.

use std::{fs, path::PathBuf};

use anyhow::Result;
use secrecy::ExposeSecret;

use super::{
    Access, Cluster, Environment, Impersonation, Overrides, User, server_url, tls, with_flags,
};
use crate::text::go::os_error;

/// True in a pod with a service account.
pub(super) fn is_possible(environment: &Environment) -> bool {
    is_pod(environment) && token(environment).is_file()
}

/// The path of the token, in a pod without one.
pub(super) fn missing_token(environment: &Environment) -> Option<PathBuf> {
    (is_pod(environment) && !token(environment).is_file()).then(|| token(environment))
}

fn is_pod(environment: &Environment) -> bool {
    let is_set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    is_set(&environment.service_host) && is_set(&environment.service_port)
}

fn token(environment: &Environment) -> PathBuf {
    environment.service_account.join("token")
}

/// `$POD_NAMESPACE`, else the service account's namespace, else `default`.
pub(super) fn namespace(environment: &Environment) -> String {
    if let Some(namespace) = with_flags::given(&environment.pod_namespace) {
        return namespace.to_owned();
    }
    let file = fs::read_to_string(environment.service_account.join("namespace"));
    match file.unwrap_or_default().trim() {
        "" => "default".to_owned(),
        namespace => namespace.to_owned(),
    }
}

/// Access with the service account, and the flags for TLS and identity applied. The service
/// account's token is not sent if a flag gives another identity.
///
/// # Errors
/// The service host is no valid host, or a file of a flag cannot be read.
pub(super) fn access(
    flags: &Overrides,
    environment: &Environment,
    impersonate: Impersonation,
) -> Result<Access> {
    let host = environment.service_host.as_deref().unwrap_or_default();
    let port = environment.service_port.as_deref().unwrap_or_default();
    let (server, _) = server_url::read(&match host.contains(':') {
        true => format!("https://[{host}]:{port}"),
        false => format!("https://{host}:{port}"),
    })?;
    let entry = with_flags::cluster_with_flags(Default::default(), flags, &Environment::default());
    let has_trust_flag =
        entry.insecure_skip_tls_verify || !entry.certificate_authority.as_os_str().is_empty();
    let mut cluster: Cluster = tls::cluster(entry, server)?;
    let mut warnings = Vec::new();
    if !has_trust_flag {
        let path = environment.service_account.join("ca.crt");
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
        user.token_file = Some(environment.service_account.join("token"));
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
