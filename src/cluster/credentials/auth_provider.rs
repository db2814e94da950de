//! `auth-provider`: `oidc` is the last provider that client-go still has.

use anyhow::{Result, bail};

use crate::cluster::kubeconfig::AuthProvider;

/// Checks that the provider is `oidc`.
///
/// # Errors
/// kubectl's text for any other provider.
pub(super) fn check(provider: &AuthProvider) -> Result<()> {
    match provider.name.as_str() {
        "oidc" => Ok(()),
        "gcp" => bail!(
            "The gcp auth plugin has been removed.\n\
             Please use the \"gke-gcloud-auth-plugin\" kubectl/client-go credential plugin instead.\n\
             See https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke for further details"
        ),
        "azure" => bail!(
            "The azure auth plugin has been removed.\n\
             Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.\n\
             See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins for further details"
        ),
        other => bail!("no Auth Provider found for name {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_providers_are_refused_in_kubectls_words() {
        let table = [
            ("gcp", "The gcp auth plugin has been removed.\nPlease use"),
            ("azure", "The azure auth plugin has been removed.\nPlease use"),
            ("openstack", "no Auth Provider found for name \"openstack\""),
        ];
        for (name, expected) in table {
            let provider = AuthProvider { name: name.to_owned(), config: Default::default() };
            let err = check(&provider).unwrap_err().to_string();
            assert!(err.starts_with(expected), "{err}");
        }
    }
}
