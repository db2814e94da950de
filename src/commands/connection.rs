//! The connection to the cluster that the global flags name.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use secrecy::SecretString;
use tokio::task::spawn_blocking;
use tokio::time::timeout as timeout_of;

use super::{events, sandbox_options};
use crate::cli::{GlobalArgs, Secret};
use crate::cluster::api::{Client, Options, Timeout, Trace};
use crate::cluster::body::{Budget, UNLIMITED};
use crate::cluster::credentials::Credentials;
use crate::cluster::kubeconfig::{
    self, Access, Cluster, ConfigError, Environment, Impersonation, InteractiveMode, Overrides,
    User,
};
use crate::cluster::kuberc::PluginPolicy;
use crate::sandbox::{self, Account, Sandbox};
use crate::text::terminal::say;
use crate::text::{bounded, go};

/// A shorter wait for a token is not reported.
const REPORT_DELAY: Duration = Duration::from_secs(2);

/// A client with a description of its cluster.
pub struct Connection {
    /// Has not connected yet.
    pub client: Client,
    /// The namespace in effect.
    pub namespace: String,
    /// The server's address.
    pub server: String,
    /// The kubeconfig context in effect.
    pub context: Option<String>,
    /// The kind of the credentials, without a secret.
    pub credentials: String,
    /// The simulated cluster. Dropping it stops it.
    sandbox: Option<Sandbox>,
}

impl Connection {
    /// True for the simulated cluster of `--sandbox`.
    pub fn is_simulated(&self) -> bool {
        self.sandbox.is_some()
    }
}

/// A connection whose settings are known. No process was started and no request was sent.
pub struct PreparedConnection {
    cluster: ClusterChoice,
    namespace: String,
    options: Options,
    plugin_policy: PluginPolicy,
    match_server_version: bool,
    is_unattended: bool,
}

enum ClusterChoice {
    /// The cluster of the kubeconfig.
    Configured(Box<Access>),
    /// A simulated cluster. It starts when the connection is opened.
    Sandbox(Box<Overrides>, Box<sandbox::Options>),
}

/// Reads the flags and the kubeconfig.
///
/// # Errors
/// A flag, the kubeconfig, or a file that it names cannot be used.
pub fn prepare(mut global: GlobalArgs) -> Result<PreparedConnection> {
    let trace = Trace::new(global.verbosity);
    let timeout = timeout(global.request_timeout.as_deref())?;
    let options = Options { timeout, trace, on_event: events::show, budget: &UNLIMITED };
    let (with_sandbox, match_server_version) = (global.sandbox, global.match_server_version);
    let plugin_policy = std::mem::take(&mut global.plugin_policy);
    let (cluster, namespace) = if with_sandbox {
        let simulated = sandbox_options::with_flags(sandbox::Options::default(), &global)?;
        let overrides = overrides(global);
        refuse_beside_sandbox(&overrides)?;
        let namespace = overrides.namespace.clone().unwrap_or_else(|| "default".to_owned());
        (ClusterChoice::Sandbox(Box::new(overrides), Box::new(simulated)), namespace)
    } else {
        sandbox_options::refuse_without_sandbox(&global)?;
        let overrides = overrides(global);
        let access = kubeconfig::resolve(&overrides, &Environment::from_process())?;
        for file in &access.files {
            let text = format!("Config loaded from file:  {}", file.display());
            trace.info(6, "connection.rs", &text);
        }
        for warning in &access.warnings {
            say(&format!("Warning: {warning}"));
        }
        let namespace = access.namespace.clone();
        (ClusterChoice::Configured(Box::new(access)), namespace)
    };
    Ok(PreparedConnection {
        cluster,
        namespace,
        options,
        plugin_policy,
        match_server_version,
        is_unattended: false,
    })
}

impl PreparedConnection {
    /// The namespace in effect.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Keeps standard input from the credential plugin, since it holds a manifest.
    ///
    /// # Errors
    /// The plugin requires standard input. The text is client-go's.
    pub fn without_stdin(mut self) -> Result<Self> {
        let ClusterChoice::Configured(access) = &mut self.cluster else { return Ok(self) };
        let Some(plugin) = &mut access.user.exec else { return Ok(self) };
        match plugin.interactive_mode {
            InteractiveMode::Never => {}
            InteractiveMode::IfAvailable => plugin.interactive_mode = InteractiveMode::Never,
            InteractiveMode::Always => bail!(ConfigError::Credentials(
                "getting credentials: exec plugin cannot support interactive mode: standard input \
                 is unavailable: used by stdin resource manifest reader"
                    .to_owned()
            )),
        }
        Ok(self)
    }

    /// Limits the answers in memory to this budget.
    pub fn within(mut self, budget: &'static Budget) -> Self {
        self.options.budget = budget;
        self
    }

    /// Forbids questions to a user; see [`Credentials::unattended`].
    pub fn unattended(self) -> Self {
        Self { is_unattended: true, ..self }
    }

    /// Starts the simulated cluster and the credential plugin if they are needed, and makes the
    /// client.
    ///
    /// # Errors
    /// The credentials cannot be obtained, or contradict each other.
    pub async fn open(self) -> Result<Connection> {
        let (access, sandbox) = match self.cluster {
            ClusterChoice::Configured(access) => (*access, None),
            ClusterChoice::Sandbox(flags, options) => {
                let sandbox = Sandbox::start(*options).await?;
                (in_sandbox(&sandbox, self.namespace, *flags), Some(sandbox))
            }
        };
        let mut credentials = credentials(&access, self.plugin_policy).await?;
        if self.is_unattended {
            credentials = credentials.unattended();
        }
        credentials.prepare().await?;
        let kind = credentials.kind();
        let act_as = &access.user.impersonate;
        let client = Client::new(&access.cluster, credentials, act_as, self.options)?;
        if self.match_server_version {
            client.match_server_version().await?;
        }
        Ok(Connection {
            client,
            namespace: access.namespace,
            server: access.cluster.server,
            context: access.context,
            credentials: kind,
            sandbox,
        })
    }
}

/// Prepares the credentials. If the token is in a pipe, this waits for the writer, as kubectl does. The thread
/// does not wait, so that a signal ends the program.
async fn credentials(access: &Access, policy: PluginPolicy) -> Result<Credentials> {
    let Access { cluster, user, .. } = access;
    let Some(pipe) = user.token_file.clone().filter(|path| bounded::is_pipe(path)) else {
        return Credentials::new(cluster, user, &policy);
    };
    let (cluster, user) = (cluster.clone(), user.clone());
    let mut reading = spawn_blocking(move || Credentials::new(&cluster, &user, &policy));
    let read = match timeout_of(REPORT_DELAY, &mut reading).await {
        Ok(read) => read,
        Err(_) => {
            let pipe = pipe.display();
            say(&format!(
                "Waiting for a token: the tokenFile {pipe} is a pipe, and no program writes to it"
            ));
            reading.await
        }
    };
    read.context("reading the tokenFile")?
}

/// The access of the simulated cluster's administrator.
fn in_sandbox(sandbox: &Sandbox, namespace: String, flags: Overrides) -> Access {
    let cluster = Cluster {
        server: sandbox.server(),
        certificate_authority: Some(sandbox.certificate_authority().into()),
        disable_compression: flags.disable_compression.unwrap_or_default(),
        ..Cluster::default()
    };
    let token = sandbox.token(Account::Admin).to_owned();
    let user = User { token: Some(token.into()), ..User::default() };
    Access { cluster, user, namespace, ..Access::default() }
}

/// Refuses flags that name a real cluster or user together with `--sandbox`.
fn refuse_beside_sandbox(flags: &Overrides) -> Result<()> {
    let named = [
        ("--kubeconfig", flags.kubeconfig.is_some()),
        ("--context", flags.context.is_some()),
        ("--cluster", flags.cluster.is_some()),
        ("--user", flags.user.is_some()),
        ("--server", flags.server.is_some()),
        ("--token", flags.token.is_some()),
        ("--username", flags.username.is_some()),
        ("--password", flags.password.is_some()),
        ("--certificate-authority", flags.certificate_authority.is_some()),
        ("--client-certificate", flags.client_certificate.is_some()),
        ("--client-key", flags.client_key.is_some()),
        ("--insecure-skip-tls-verify", flags.insecure_skip_tls_verify.is_some()),
        ("--tls-server-name", flags.tls_server_name.is_some()),
    ];
    match named.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => bail!(
            "--sandbox and {flag} cannot be used together: the simulated cluster has its own \
             settings; leave one of them out"
        ),
        None => Ok(()),
    }
}

/// Drops an empty text. kubectl reads it as a flag that is not given.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn overrides(global: GlobalArgs) -> Overrides {
    let secret =
        |secret: Option<Secret>| given(secret.map(|secret| secret.0)).map(SecretString::from);
    let path = |path: Option<std::path::PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
    Overrides {
        kubeconfig: path(global.kubeconfig),
        context: given(global.context),
        cluster: given(global.cluster),
        user: given(global.user),
        namespace: given(global.namespace),
        server: given(global.server),
        token: secret(global.token),
        username: given(global.username),
        password: secret(global.password),
        certificate_authority: path(global.certificate_authority),
        client_certificate: path(global.client_certificate),
        client_key: path(global.client_key),
        insecure_skip_tls_verify: global.insecure_skip_tls_verify,
        tls_server_name: given(global.tls_server_name),
        disable_compression: global.disable_compression,
        impersonate: Impersonation {
            user: global.act_as.unwrap_or_default(),
            uid: global.as_uid.unwrap_or_default(),
            groups: global.as_group,
            extra: extra(&global.as_user_extra),
        },
    }
}

/// Reads `KEY=VALUE` pairs. A key can have several values. A text without `=` is ignored, as in
/// kubectl.
fn extra(pairs: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut extra: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
        extra.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    extra
}

/// Reads whole seconds or a duration, like client-go's `clientcmd.ParseTimeout`.
fn timeout(text: Option<&str>) -> Result<Timeout> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Timeout::Safety) };
    let duration = match text.parse::<i64>() {
        Ok(seconds) if seconds >= 0 => go::Duration::from_seconds(seconds),
        Ok(_) => None,
        Err(_) => go::Duration::parse(text).ok(),
    };
    match duration {
        Some(go::Duration(0)) => Ok(Timeout::Never),
        Some(duration) => Ok(Timeout::After(duration)),
        None => Err(anyhow!(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer \
             followed by a corresponding time unit (e.g. 1s | 2m | 3h)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_timeout_is_read_like_in_client_go() {
        let after = |text| Some(Timeout::After(go::Duration::parse(text).unwrap()));
        for (text, expected) in [
            (None, Some(Timeout::Safety)),
            (Some("0"), Some(Timeout::Never)),
            (Some("0s"), Some(Timeout::Never)),
            (Some("30"), after("30s")),
            (Some("1m30s"), after("1m30s")),
            (Some("-1s"), after("-1s")),
            (Some("-1"), None),
            (Some("xx"), None),
            (Some(""), Some(Timeout::Safety)),
            (Some("9223372036854775807"), None),
        ] {
            assert_eq!(timeout(text).ok(), expected, "{text:?}");
        }
    }
}
