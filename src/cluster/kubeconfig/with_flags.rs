//! The flags laid over the entries of a kubeconfig. As client-go `tools/clientcmd/client_config.go`
//! does.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Environment, Overrides,
    entries::{ClusterEntry, UserEntry},
};

/// The value of a flag; `None` when it is not given or empty.
pub(super) fn given(flag: &Option<String>) -> Option<&str> {
    flag.as_deref().filter(|value| !value.is_empty())
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
