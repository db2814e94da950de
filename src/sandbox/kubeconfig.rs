//! The kubeconfig of a sandbox.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Its text, with one context for each account. The first context is the current one.
pub(super) fn text(server: &str, certificate_authority: &str, accounts: &[(&str, &str)]) -> String {
    let authority = BASE64_STANDARD.encode(certificate_authority);
    let current = accounts.first().map_or("", |(name, _)| name);
    let mut text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters:\n- name: sandbox\n  cluster:\n    \
         server: {server}\n    certificate-authority-data: {authority}\ncontexts:\n"
    );
    for (name, _) in accounts {
        text += &format!(
            "- name: {name}\n  context:\n    cluster: sandbox\n    user: {name}\n    namespace: default\n"
        );
    }
    text += "users:\n";
    for (name, token) in accounts {
        text += &format!("- name: {name}\n  user:\n    token: {token}\n");
    }
    text
}
