//! The flags that override the entries of a kubeconfig. The rules are those of client-go's
//! `tools/clientcmd/client_config.go`.

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

/// The cluster entry with the flags and `$KUBERNETES_MASTER` applied.
pub(super) fn cluster_with_flags(
    mut cluster: ClusterEntry,
    flags: &Overrides,
    environment: &Environment,
) -> ClusterEntry {
    if cluster.server.is_empty() {
        cluster.server = environment.kubernetes_master.clone().unwrap_or_default();
    }
    let server = given(&flags.server);
    if let Some(server) = server {
        cluster.server = server.to_owned();
    }
    let insecure = flags.insecure_skip_tls_verify.unwrap_or(false);
    let authority = flags.certificate_authority.clone().unwrap_or_default();
    // Either flag replaces both fields of the file, which would contradict it otherwise.
    if insecure || !authority.as_os_str().is_empty() {
        cluster.insecure_skip_tls_verify = insecure;
        cluster.certificate_authority = authority;
        cluster.certificate_authority_data.clear();
    }
    // The file's server name belongs to the file's server.
    let name = given(&flags.tls_server_name);
    if name.is_some() || server.is_some() {
        cluster.tls_server_name = name.unwrap_or_default().to_owned();
    }
    cluster.disable_compression = flags.disable_compression.unwrap_or(cluster.disable_compression);
    cluster
}

/// The user entry with the flags applied.
pub(super) fn user_with_flags(mut user: UserEntry, flags: &Overrides) -> UserEntry {
    let secret = |flag: &Option<SecretString>| {
        flag.clone().filter(|secret| !secret.expose_secret().is_empty())
    };
    let path = |flag: &Option<PathBuf>| flag.clone().filter(|path| !path.as_os_str().is_empty());
    if let Some(token) = secret(&flags.token) {
        user.token = token;
        // kubectl would still send the token file's content. Here the flag wins.
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
    let (entry, flag) = (&mut user.impersonate, &flags.impersonate);
    if !flag.user.is_empty() {
        entry.user.clone_from(&flag.user);
    }
    if !flag.uid.is_empty() {
        entry.uid.clone_from(&flag.uid);
    }
    if !flag.groups.is_empty() {
        entry.groups.clone_from(&flag.groups);
    }
    if !flag.extra.is_empty() {
        entry.extra.clone_from(&flag.extra);
    }
    user
}
