//! The check for contradicting fields of an entry, with the rules, texts and order of client-go's
//! `tools/clientcmd/validation.go`.

use std::{fs::File, path::Path};

use secrecy::ExposeSecret;

use super::{
    entries::{ClusterEntry, ExecEntry, UserEntry},
    proxy_url,
};
use crate::text::go::url::mask_login;
use crate::text::go::{os_error, quote};

/// The reasons why `user` is invalid.
pub(super) fn user(name: &str, user: &UserEntry) -> Vec<String> {
    let mut reasons = Vec::new();
    if user.has_certificate() {
        certificate(name, user, &mut reasons);
    }
    if let Some(plugin) = &user.exec {
        if user.auth_provider.is_some() {
            reasons.push(format!(
                "authProvider cannot be provided in combination with an exec plugin for {name}"
            ));
        }
        exec(name, plugin, &mut reasons);
    }
    let has_basic = !user.username.is_empty() || !user.password.expose_secret().is_empty();
    if !user.token.expose_secret().is_empty() && has_basic {
        reasons.push(format!(
            "more than one authentication method found for {name}; \
             found [token basicAuth], only one is allowed"
        ));
    }
    if user.impersonate.user.is_empty() && !user.impersonate.is_empty() {
        reasons.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    reasons
}

fn certificate(name: &str, user: &UserEntry, reasons: &mut Vec<String>) {
    let certificate_file = user.client_certificate.as_path();
    let key_file = user.client_key.as_path();
    let key_is_data = !user.client_key_data.expose_secret().is_empty();
    if is_set(certificate_file) && !user.client_certificate_data.is_empty() {
        reasons.push(format!(
            "client-cert-data and client-cert are both specified for {name}. \
             client-cert-data will override."
        ));
    }
    if is_set(key_file) && key_is_data {
        reasons.push(format!(
            "client-key-data and client-key are both specified for {name}; \
             client-key-data will override"
        ));
    }
    if user.lacks_key() {
        reasons.push(format!(
            "client-key-data or client-key must be specified for {name} \
             to use the clientCert authentication method."
        ));
    }
    reasons.extend(unreadable("client-cert", certificate_file, name));
    reasons.extend(unreadable("client-key", key_file, name));
}

fn exec(name: &str, exec: &ExecEntry, reasons: &mut Vec<String>) {
    let mut missing = |what: &str| {
        reasons
            .push(format!("{what} must be specified for {name} to use exec authentication plugin"));
    };
    if exec.command.is_empty() {
        missing("command");
    }
    if exec.api_version.is_empty() {
        missing("apiVersion");
    }
    for _ in exec.env.iter().filter(|(name, _)| name.is_empty()) {
        missing("env variable name");
    }
    match exec.interactive_mode() {
        Some(_) => {}
        None if exec.interactive_mode.is_empty() => missing("interactiveMode"),
        None => {
            reasons.push(format!("invalid interactiveMode for {name}: {:?}", exec.interactive_mode))
        }
    }
}

/// The reasons why `cluster` is invalid. A missing server is not among them.
pub(super) fn cluster(name: &str, cluster: &ClusterEntry) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Err(problem) = proxy_url::check(&cluster.proxy_url) {
        reasons.push(format!(
            "invalid 'proxy-url' {} for cluster {name:?}: {problem}",
            quote(&mask_login(&cluster.proxy_url))
        ));
    }
    let file = cluster.certificate_authority.as_path();
    if is_set(file) && !cluster.certificate_authority_data.is_empty() {
        reasons.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    reasons.extend(unreadable("certificate-authority", file, name));
    reasons
}

fn is_set(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

/// The reason why the file at `path` cannot be opened. An empty path is no file.
fn unreadable(field: &str, path: &Path, name: &str) -> Option<String> {
    if !is_set(path) {
        return None;
    }
    let err = File::open(path).err()?;
    let path = path.display();
    Some(format!("unable to read {field} {path} for {name} due to open {path}: {}", os_error(&err)))
}
