//! `auth-provider`: of the providers that client-go once had built in, only `oidc` is left.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::kubeconfig::{AuthProvider, ConfigError};

/// A token is renewed this long before it expires, as client-go's oidc provider does.
const EARLY: f64 = 10.0;

/// The settings of an OpenID Connect login.
#[derive(Debug)]
pub(super) struct Oidc {
    id_token: SecretString,
    has_refresh_token: bool,
}

impl Oidc {
    /// Checks the settings.
    ///
    /// # Errors
    /// kubectl's texts for providers that are gone or were never there, and for missing settings.
    pub fn new(provider: &AuthProvider) -> Result<Self> {
        let setting = |name: &str| {
            let value = provider.config.get(name);
            value.filter(|value| !value.expose_secret().is_empty())
        };
        match provider.name.as_str() {
            "oidc" => {}
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
        for name in ["idp-issuer-url", "client-id"] {
            if setting(name).is_none() {
                bail!("Must provide {name}");
            }
        }
        Ok(Self {
            id_token: setting("id-token").cloned().unwrap_or_default(),
            has_refresh_token: setting("refresh-token").is_some(),
        })
    }

    /// The id token, while it is valid.
    ///
    /// # Errors
    /// It has expired. Renewing it is not built yet.
    pub fn token(&self) -> Result<&str> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let token = self.id_token.expose_secret();
        if expiry(token).is_some_and(|expiry| expiry - EARLY > now) {
            return Ok(token);
        }
        if !self.has_refresh_token {
            let text = "No valid id-token, and cannot refresh without refresh-token";
            return Err(ConfigError::Credentials(text.to_owned()).into());
        }
        bail!(
            "the id-token of this user has expired, and this version of locustctl cannot renew it; \
             let kubectl do it (kubectl version), or pass --token"
        )
    }
}

/// The `exp` claim of a JSON Web Token, in seconds since 1970.
fn expiry(token: &str) -> Option<f64> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?.get("exp")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str, config: &[(&str, &str)]) -> AuthProvider {
        let config = config.iter().map(|(k, v)| (k.to_string(), SecretString::from(*v)));
        AuthProvider { name: name.to_owned(), config: config.collect() }
    }

    fn oidc(id_token: &str, more: &[(&str, &str)]) -> Result<String> {
        let mut config = vec![("idp-issuer-url", "https://i"), ("client-id", "c")];
        config.push(("id-token", id_token));
        config.extend(more);
        Oidc::new(&provider("oidc", &config))?.token().map(str::to_owned)
    }

    #[test]
    fn providers_that_are_not_there_get_kubectls_texts() {
        let table = [
            ("gcp", "The gcp auth plugin has been removed.\nPlease use"),
            ("azure", "The azure auth plugin has been removed.\nPlease use"),
            ("openstack", "no Auth Provider found for name \"openstack\""),
            ("oidc", "Must provide idp-issuer-url"),
        ];
        for (name, expected) in table {
            let err = Oidc::new(&provider(name, &[])).unwrap_err().to_string();
            assert!(err.starts_with(expected), "{err}");
        }
        let err = Oidc::new(&provider("oidc", &[("idp-issuer-url", "https://i")])).unwrap_err();
        assert_eq!(err.to_string(), "Must provide client-id");
    }

    #[test]
    fn an_id_token_counts_while_it_is_valid() {
        let jwt = |exp: &str| {
            format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}")))
        };
        let valid = jwt("4102444800");
        assert_eq!(oidc(&valid, &[]).unwrap(), valid);
        for token in [jwt("1000"), jwt("\"x\""), "a.b".into(), String::new()] {
            let err = oidc(&token, &[]).unwrap_err().to_string();
            assert_eq!(
                err,
                "Unable to connect to the server: \
                 No valid id-token, and cannot refresh without refresh-token"
            );
            let err = oidc(&token, &[("refresh-token", "r")]).unwrap_err().to_string();
            assert!(err.contains("cannot renew it"), "{err}");
        }
    }
}
