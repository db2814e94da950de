//! The credentials for a cluster: bearer token, token file, basic authentication, client
//! certificate, credential plugin, OpenID Connect login.

mod auth_provider;
mod client_certificate;
mod exec;
mod header;
mod oidc;
mod rsa_key;
mod signing_key;
mod token_file;

use std::sync::Arc;

pub use self::client_certificate::identity as certified_key;

use anyhow::{Result, bail};
use reqwest::header::HeaderValue;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use self::{
    exec::{Plugin, TimeLimits},
    oidc::Oidc,
    token_file::TokenFile,
};
use crate::cluster::kubeconfig::{Cluster, User};
use crate::cluster::kuberc::PluginPolicy;

/// The credentials of all requests to one cluster. To a plain `http` server, only the login in its
/// own URL is sent.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The user's name, for messages.
    user: String,
    source: AuthorizationSource,
    identity: Option<Arc<CertifiedKey>>,
}

/// The source of the `Authorization` header.
#[derive(Debug, Default)]
enum AuthorizationSource {
    #[default]
    Nothing,
    Token(SecretString),
    File(TokenFile),
    Basic(String, SecretString),
    Oidc(Box<Oidc>),
    Plugin(Box<Plugin>),
}

impl Credentials {
    /// Prepares the credentials, without a request and without running a plugin. The check
    /// for contradicting fields is in [`crate::cluster::kubeconfig::resolve`], as in kubectl.
    ///
    /// `policy` decides if a credential plugin may run.
    ///
    /// A user without any field has no credentials. kubectl would ask for a name.
    ///
    /// # Errors
    /// In kubectl's words: the token file cannot be read and there is no other token; there is a
    /// token and a user name (client-go's `transport/round_trippers.go`); the certificate or the key
    /// is broken, or they do not match; the credential provider or the
    /// plugin's version does not exist.
    pub fn new(cluster: &Cluster, user: &User, policy: &PluginPolicy) -> Result<Self> {
        let login = cluster.login.as_ref().map(|login| {
            AuthorizationSource::Basic(login.username.clone(), login.password.clone())
        });
        if cluster.server.starts_with("http://") {
            return Ok(Self { source: login.unwrap_or_default(), ..Self::default() });
        }
        let oidc = match &user.auth_provider {
            Some(provider) => {
                auth_provider::check(provider)?;
                Some(Oidc::new(provider, user)?)
            }
            None => None,
        };
        let plugin = match &user.exec {
            Some(exec) => Some(Plugin::new(exec, cluster, policy, TimeLimits::default())?),
            None => None,
        };
        let token_file = match &user.token_file {
            Some(path) => Some(TokenFile::new(path.clone(), user.token.clone())?),
            None => None,
        };
        let has_token = token_file.is_some() || user.token.is_some();
        if has_token && user.username.is_some() {
            bail!("username/password or bearer token may be set, but not both");
        }
        let source = if let Some(login) = login {
            // Go's HTTP client sets the header from the URL first. No later step overwrites it.
            login
        } else if let Some(file) = token_file {
            AuthorizationSource::File(file)
        } else if let Some(token) = &user.token {
            AuthorizationSource::Token(token.clone())
        } else if user.username.is_some() || user.password.is_some() {
            let password = user.password.clone().unwrap_or_default();
            AuthorizationSource::Basic(user.username.clone().unwrap_or_default(), password)
        } else if let Some(oidc) = oidc {
            AuthorizationSource::Oidc(Box::new(oidc))
        } else if let Some(plugin) = plugin.filter(|_| user.client_certificate.is_none()) {
            AuthorizationSource::Plugin(Box::new(plugin))
        } else {
            AuthorizationSource::Nothing
        };
        let identity = match (&user.client_certificate, &user.client_key) {
            (Some(certificate), Some(key)) => {
                Some(client_certificate::identity(certificate, key.expose_secret().as_bytes())?)
            }
            _ => None,
        };
        Ok(Self { user: user.name.clone(), source, identity })
    }

    /// Credentials for a run without a user, such as shell completion, which may end at any time. A
    /// plugin has neither stdin nor stderr. An expired login is not renewed, because its refresh
    /// token may be valid for one use only.
    pub fn unattended(mut self) -> Self {
        match &mut self.source {
            AuthorizationSource::Plugin(plugin) => plugin.is_unattended = true,
            AuthorizationSource::Oidc(oidc) => oidc.is_unattended = true,
            _ => {}
        }
        self
    }

    /// Runs the credential plugin, which may return a client certificate for the TLS handshake.
    /// Call this before [`Credentials::identity`]. It does nothing for a user without a plugin.
    ///
    /// # Errors
    /// The errors of [`Credentials::authorization`].
    pub async fn prepare(&self) -> Result<()> {
        if let AuthorizationSource::Plugin(plugin) = &self.source {
            plugin.token().await?;
        }
        Ok(())
    }

    /// The `Authorization` header for the next request, marked sensitive; `None` without one.
    ///
    /// # Errors
    /// The token file could never be read; the plugin fails (in kubectl's words, as
    /// [`crate::cluster::kubeconfig::ConfigError::Credentials`]); the id-token cannot be renewed;
    /// the token has a character that a header cannot carry. No error shows a secret.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>> {
        let token = match &self.source {
            AuthorizationSource::Nothing => return Ok(None),
            AuthorizationSource::Basic(username, password) => {
                return header::basic(username, password.expose_secret()).map(Some);
            }
            AuthorizationSource::Token(token) => token.clone(),
            AuthorizationSource::File(file) => file.token()?,
            AuthorizationSource::Oidc(oidc) => oidc.token().await?,
            AuthorizationSource::Plugin(plugin) => match plugin.token().await? {
                Some(token) => token,
                None => return Ok(None),
            },
        };
        header::bearer(token.expose_secret(), &self.user).map(Some)
    }

    /// Drops credentials that may be out of date, after a 401. Returns true if the next
    /// [`Credentials::authorization`] may differ, so that the caller can repeat the request once.
    pub async fn renew(&self) -> bool {
        match &self.source {
            AuthorizationSource::Plugin(plugin) => {
                plugin.forget().await;
                true
            }
            AuthorizationSource::File(file) => {
                file.expire();
                true
            }
            _ => false,
        }
    }

    /// The kind of the credentials in a few words, such as `token`.
    pub fn kind(&self) -> String {
        let source = match &self.source {
            AuthorizationSource::Nothing => None,
            AuthorizationSource::Token(_) => Some("token"),
            AuthorizationSource::File(_) => Some("token file"),
            AuthorizationSource::Basic(..) => Some("basic authentication"),
            AuthorizationSource::Oidc(_) => Some("oidc"),
            AuthorizationSource::Plugin(_) => Some("credential plugin"),
        };
        let certificate = self.identity.as_ref().map(|_| "client certificate");
        let kinds: Vec<_> = certificate.into_iter().chain(source).collect();
        match kinds.is_empty() {
            true => "none".to_owned(),
            false => kinds.join(" and "),
        }
    }

    /// The client certificate for the TLS handshake.
    pub fn identity(&self) -> Option<Arc<CertifiedKey>> {
        match &self.source {
            AuthorizationSource::Plugin(plugin) => {
                plugin.identity().or_else(|| self.identity.clone())
            }
            _ => self.identity.clone(),
        }
    }
}

/// True if a credential plugin's output is valid; used by `fuzz/`.
#[doc(hidden)]
pub fn is_plugin_answer(output: &[u8]) -> bool {
    exec::is_answer(output, "client.authentication.k8s.io/v1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kubeconfig::{AuthProvider, Exec, InteractiveMode};
    use crate::text::go::url::Login;

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
    fn a_plain_http_server_gets_no_credentials() {
        let user = User {
            token: Some("t".into()),
            token_file: Some("/no/such".into()),
            exec: Some(exec("nonsense")),
            ..User::default()
        };
        let credentials =
            Credentials::new(&cluster("http://h"), &user, &PluginPolicy::AllowAll).unwrap();
        assert!(matches!(credentials.source, AuthorizationSource::Nothing));
        assert!(credentials.identity().is_none());
    }

    #[test]
    fn the_login_of_the_url_comes_before_all_other_credentials() {
        let login = Some(Login { username: "me".into(), password: "pw".into() });
        for server in ["https://h", "http://h"] {
            let cluster = Cluster { login: login.clone(), ..cluster(server) };
            for user in [
                User { token: Some("t".into()), ..User::default() },
                User { username: Some("other".into()), ..User::default() },
                User { exec: Some(exec("client.authentication.k8s.io/v1")), ..User::default() },
            ] {
                let credentials =
                    Credentials::new(&cluster, &user, &PluginPolicy::AllowAll).unwrap();
                let AuthorizationSource::Basic(name, _) = credentials.source else { panic!() };
                assert_eq!(name, "me");
            }
        }
    }

    #[test]
    fn a_token_and_a_user_name_are_refused_as_by_kubectl() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file").unwrap();
        let token_file = Some(file.path().to_owned());
        let me = || Some("me".to_owned());
        for (user, is_refused) in [
            (User { token_file: token_file.clone(), username: me(), ..User::default() }, true),
            (User { token: Some("t".into()), username: me(), ..User::default() }, true),
            (User { token_file, password: Some("pw".into()), ..User::default() }, false),
        ] {
            let result = Credentials::new(&cluster("https://h"), &user, &PluginPolicy::AllowAll);
            let refusal = "username/password or bearer token may be set, but not both";
            assert_eq!(result.is_err_and(|error| error.to_string() == refusal), is_refused);
        }
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
        assert!(matches!(credentials.source, AuthorizationSource::Nothing));
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
