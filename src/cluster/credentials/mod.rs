//! How to prove who we are: bearer token, token file, basic authentication, client certificate,
//! credential plugin, OpenID Connect login.

mod auth_provider;
mod client_certificate;
mod exec;
mod header;
mod oidc;
mod token_file;

use std::sync::Arc;

pub use self::client_certificate::identity as certified_key;

use anyhow::Result;
use reqwest::header::HeaderValue;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use self::{
    exec::{Patience, Plugin},
    oidc::Oidc,
    token_file::TokenFile,
};
use crate::cluster::kubeconfig::{Cluster, User};
use crate::cluster::kuberc::PluginPolicy;

/// What goes with every request to one cluster. Nothing is sent to a plain `http` server.
#[derive(Debug, Default)]
pub struct Credentials {
    /// For error texts.
    user: String,
    bearer: Bearer,
    identity: Option<Arc<CertifiedKey>>,
}

/// What the `Authorization` header is made of.
#[derive(Debug, Default)]
enum Bearer {
    #[default]
    Nothing,
    Token(SecretString),
    File(TokenFile),
    Basic(String, SecretString),
    Oidc(Box<Oidc>),
    Plugin(Box<Plugin>),
}

impl Credentials {
    /// Prepares what can be prepared without a request; starts no plugin. That the user's fields
    /// fit together is checked where kubectl does it, by [`crate::cluster::kubeconfig::resolve`].
    ///
    /// `policy` decides whether a credential plugin may run when it comes to that.
    ///
    /// A user with nothing gives credentials that send nothing (kubectl would ask for a name).
    ///
    /// # Errors
    /// In kubectl's words: a token file that cannot be read and no token to fall back to, a
    /// certificate and key that are broken or do not match, a credential provider or plugin
    /// version that does not exist.
    pub fn new(cluster: &Cluster, user: &User, policy: &PluginPolicy) -> Result<Self> {
        if cluster.server.starts_with("http://") {
            return Ok(Self::default());
        }
        let oidc = match &user.auth_provider {
            Some(provider) => {
                auth_provider::check(provider)?;
                Some(Oidc::new(provider, user)?)
            }
            None => None,
        };
        let plugin = match &user.exec {
            Some(exec) => Some(Plugin::new(exec, cluster, policy, Patience::default())?),
            None => None,
        };
        let bearer = if let Some(path) = &user.token_file {
            Bearer::File(TokenFile::new(path.clone(), user.token.clone())?)
        } else if let Some(token) = &user.token {
            Bearer::Token(token.clone())
        } else if user.username.is_some() || user.password.is_some() {
            let password = user.password.clone().unwrap_or_default();
            Bearer::Basic(user.username.clone().unwrap_or_default(), password)
        } else if let Some(oidc) = oidc {
            Bearer::Oidc(Box::new(oidc))
        } else if let Some(plugin) = plugin.filter(|_| user.client_certificate.is_none()) {
            Bearer::Plugin(Box::new(plugin))
        } else {
            Bearer::Nothing
        };
        let identity = match (&user.client_certificate, &user.client_key) {
            (Some(certificate), Some(key)) => {
                Some(client_certificate::identity(certificate, key.expose_secret())?)
            }
            _ => None,
        };
        Ok(Self { user: user.name.clone(), bearer, identity })
    }

    /// The same where nobody waits and nothing may be lost when it is broken off: a plugin can ask
    /// nobody and say nothing, and an expired login is not renewed, since its refresh token may be
    /// good for one use only.
    pub fn unattended(mut self) -> Self {
        match &mut self.bearer {
            Bearer::Plugin(plugin) => plugin.is_unattended = true,
            Bearer::Oidc(oidc) => oidc.is_unattended = true,
            _ => {}
        }
        self
    }

    /// Gets what the TLS handshake needs: runs a credential plugin, which may answer with a client
    /// certificate. To be called before [`Credentials::identity`]; does nothing for other users.
    ///
    /// # Errors
    /// As [`Credentials::authorization`].
    pub async fn prepare(&self) -> Result<()> {
        if let Bearer::Plugin(plugin) = &self.bearer {
            plugin.token().await?;
        }
        Ok(())
    }

    /// The `Authorization` header for the next request, marked sensitive; `None` without one.
    ///
    /// # Errors
    /// A token file that can no longer be read and never could, a plugin that fails (in kubectl's
    /// words, as [`crate::cluster::kubeconfig::ConfigError::Credentials`]), an id-token that cannot be
    /// renewed, a token that fits no header. None of them shows a secret.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>> {
        let token = match &self.bearer {
            Bearer::Nothing => return Ok(None),
            Bearer::Basic(username, password) => {
                return header::basic(username, password.expose_secret()).map(Some);
            }
            Bearer::Token(token) => token.clone(),
            Bearer::File(file) => file.token()?,
            Bearer::Oidc(oidc) => oidc.token().await?,
            Bearer::Plugin(plugin) => match plugin.token().await? {
                Some(token) => token,
                None => return Ok(None),
            },
        };
        header::bearer(token.expose_secret(), &self.user).map(Some)
    }

    /// After a 401: drops what may be out of date. `true` when the next
    /// [`Credentials::authorization`] may differ, so that repeating the request once makes sense.
    pub async fn renew(&self) -> bool {
        match &self.bearer {
            Bearer::Plugin(plugin) => {
                plugin.forget().await;
                true
            }
            Bearer::File(file) => {
                file.expire();
                true
            }
            _ => false,
        }
    }

    /// What proves who we are, in a word or two; never a secret.
    pub fn kind(&self) -> String {
        let bearer = match &self.bearer {
            Bearer::Nothing => None,
            Bearer::Token(_) => Some("token"),
            Bearer::File(_) => Some("token file"),
            Bearer::Basic(..) => Some("basic authentication"),
            Bearer::Oidc(_) => Some("oidc"),
            Bearer::Plugin(_) => Some("credential plugin"),
        };
        let certificate = self.identity.as_ref().map(|_| "client certificate");
        let kinds: Vec<_> = certificate.into_iter().chain(bearer).collect();
        match kinds.is_empty() {
            true => "none".to_owned(),
            false => kinds.join(" and "),
        }
    }

    /// The client certificate for the TLS handshake.
    pub fn identity(&self) -> Option<Arc<CertifiedKey>> {
        match &self.bearer {
            Bearer::Plugin(plugin) => plugin.identity().or_else(|| self.identity.clone()),
            _ => self.identity.clone(),
        }
    }
}

/// Whether a credential plugin's output can be used; for `fuzz/`.
#[doc(hidden)]
pub fn is_plugin_answer(output: &str) -> bool {
    exec::is_answer(output, "client.authentication.k8s.io/v1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kubeconfig::{AuthProvider, Exec, InteractiveMode};

    fn cluster(server: &str) -> Cluster {
        Cluster { server: server.into(), ..Cluster::default() }
    }

    fn header(user: &User) -> Result<Option<String>> {
        let credentials = Credentials::new(&cluster("https://h"), user, &PluginPolicy::AllowAll)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let header = runtime.block_on(credentials.authorization())?;
        header.map(|header| Ok(header.to_str()?.to_owned())).transpose()
    }

    fn exec(api_version: &str) -> Exec {
        Exec {
            api_version: api_version.into(),
            command: "/no/such".into(),
            args: vec![],
            env: vec![],
            install_hint: String::new(),
            provide_cluster_info: false,
            interactive_mode: InteractiveMode::Never,
        }
    }

    #[test]
    fn each_kind_of_user_gets_its_header() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\n").unwrap();
        let token = || Some(SecretString::from("t"));
        let plugin = || Some(exec("client.authentication.k8s.io/v1"));
        let path = || Some(file.path().to_owned());
        let id_token = "e30.eyJleHAiOjQxMDI0NDQ4MDB9.x";
        let config = [("idp-issuer-url", "https://i"), ("client-id", "c"), ("id-token", id_token)];
        let config = config.map(|(name, value)| (name.to_owned(), value.into())).into();
        let login = AuthProvider { name: "oidc".into(), config };
        let table = [
            (User::default(), None),
            (User { token: token(), ..User::default() }, Some("Bearer t")),
            (User { token: token(), exec: plugin(), ..User::default() }, Some("Bearer t")),
            (
                User { token: token(), token_file: path(), ..User::default() },
                Some("Bearer from-file"),
            ),
            (
                User { auth_provider: Some(login), ..User::default() },
                Some("Bearer e30.eyJleHAiOjQxMDI0NDQ4MDB9.x"),
            ),
            (User { username: Some("me".into()), ..User::default() }, Some("Basic bWU6")),
            (
                User {
                    username: Some("me".into()),
                    password: Some("pw".into()),
                    ..User::default()
                },
                Some("Basic bWU6cHc="),
            ),
        ];
        for (user, expected) in table {
            assert_eq!(header(&user).unwrap().as_deref(), expected, "{user:?}");
        }
    }

    #[test]
    fn a_plain_http_server_gets_nothing_and_nothing_is_checked() {
        let user = User {
            token: Some("t".into()),
            token_file: Some("/no/such".into()),
            exec: Some(exec("nonsense")),
            ..User::default()
        };
        let credentials =
            Credentials::new(&cluster("http://h"), &user, &PluginPolicy::AllowAll).unwrap();
        assert!(matches!(credentials.bearer, Bearer::Nothing));
        assert!(credentials.identity().is_none());
    }

    #[test]
    fn a_plugin_is_not_run_beside_a_client_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
        let user = User {
            client_certificate: Some(pem.into_bytes()),
            client_key: Some(key.serialize_pem().into()),
            exec: Some(exec("client.authentication.k8s.io/v1")),
            ..User::default()
        };
        let credentials =
            Credentials::new(&cluster("https://h"), &user, &PluginPolicy::AllowAll).unwrap();
        assert!(credentials.identity().is_some());
        assert!(matches!(credentials.bearer, Bearer::Nothing));
    }

    #[test]
    fn debug_shows_no_secret() {
        let user = User {
            username: Some("me".into()),
            password: Some("s3cret".into()),
            ..User::default()
        };
        let credentials =
            Credentials::new(&cluster("https://h"), &user, &PluginPolicy::AllowAll).unwrap();
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
}
