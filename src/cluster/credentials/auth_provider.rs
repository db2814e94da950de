//! `auth-provider`: of the providers that client-go once had built in, only `oidc` is left.

use anyhow::{Result, bail};

use crate::cluster::kubeconfig::AuthProvider;

/// Checks that the provider is one that still exists: `oidc`.
///
/// # Errors
/// kubectl's texts for providers that are gone or were never there.
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
    fn providers_that_are_not_there_get_kubectls_texts() {
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
