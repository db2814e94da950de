//! From the global flags to a client for the right cluster.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use secrecy::SecretString;

use crate::api::{Client, Options, Timeout, Trace};
use crate::cli::{GlobalArgs, Hidden};
use crate::credentials::Credentials;
use crate::go;
use crate::kubeconfig::{self, Access, Cluster, Environment, Impersonation, Overrides, User};
use crate::sandbox::{Account, Sandbox};
use crate::terminal::printable;

/// A client, where it points to, and the simulated cluster behind it when there is one.
pub struct Connection {
    /// Ready; has not connected yet.
    pub client: Client,
    /// The namespace in effect.
    pub namespace: String,
    /// The server's address.
    pub server: String,
    /// The kubeconfig context in effect.
    pub context: Option<String>,
    /// What proves who we are; no secret.
    pub credentials: String,
    /// Ends when dropped.
    _sandbox: Option<Sandbox>,
}

/// Finds out which cluster and who we are, and prepares the client.
///
/// # Errors
/// Anything wrong with the flags, the kubeconfig or the files that it names.
pub async fn open(global: GlobalArgs) -> Result<Connection> {
    let trace = Trace::new(global.verbosity);
    let timeout = timeout(global.request_timeout.as_deref())?;
    let with_sandbox = global.sandbox;
    let disable_compression = global.disable_compression;
    let match_server_version = global.match_server_version;
    let overrides = overrides(global);
    let (mut access, sandbox) = if with_sandbox {
        refuse_beside_sandbox(&overrides)?;
        let sandbox = Sandbox::start(crate::sandbox::Options::default()).await?;
        (in_sandbox(&sandbox, overrides.namespace), Some(sandbox))
    } else {
        (kubeconfig::resolve(&overrides, &Environment::from_process())?, None)
    };
    access.cluster.disable_compression =
        disable_compression.unwrap_or(access.cluster.disable_compression);
    for file in &access.files {
        trace.info(6, "connection.rs", &format!("Config loaded from file:  {}", file.display()));
    }
    for warning in &access.warnings {
        eprintln!("Warning: {}", printable(warning));
    }
    let credentials = Credentials::new(&access.cluster, &access.user)?;
    credentials.prepare().await?;
    let kind = credentials.kind();
    let client = Client::new(
        &access.cluster,
        credentials,
        &access.user.impersonate,
        Options { timeout, trace },
    )?;
    if match_server_version {
        client.match_server_version().await?;
    }
    Ok(Connection {
        client,
        namespace: access.namespace,
        server: access.cluster.server,
        context: access.context,
        credentials: kind,
        _sandbox: sandbox,
    })
}

/// The simulated cluster's administrator, in the namespace asked for.
fn in_sandbox(sandbox: &Sandbox, namespace: Option<String>) -> Access {
    let cluster = Cluster {
        server: sandbox.server(),
        certificate_authority: Some(sandbox.certificate_authority().into()),
        ..Cluster::default()
    };
    let token = sandbox.token(Account::Admin).to_owned();
    let user = User { token: Some(token.into()), ..User::default() };
    let namespace = namespace.unwrap_or_else(|| "default".to_owned());
    Access { cluster, user, namespace, ..Access::default() }
}

/// A simulated cluster is never the one that these flags name.
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
            "--sandbox and {flag} cannot be used together: the simulated cluster is not yours; \
             leave one of them out"
        ),
        None => Ok(()),
    }
}

/// An empty text is as none, as in kubectl.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn overrides(global: GlobalArgs) -> Overrides {
    let secret =
        |hidden: Option<Hidden>| given(hidden.map(|hidden| hidden.0)).map(SecretString::from);
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
        impersonate: Impersonation {
            user: global.act_as.unwrap_or_default(),
            uid: global.as_uid.unwrap_or_default(),
            groups: global.as_group,
            extra: extra(&global.as_user_extra),
        },
    }
}

/// `KEY=VALUE`, several values for one key; what has no `=` is let go, as in kubectl.
fn extra(pairs: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut extra: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
        extra.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    extra
}

/// As `clientcmd.ParseTimeout`: whole seconds, or a duration.
fn timeout(text: Option<&str>) -> Result<Timeout> {
    let Some(text) = text else { return Ok(Timeout::Safety) };
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
    fn the_request_timeout_is_read_as_by_client_go() {
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
            (Some(""), None),
            (Some("9223372036854775807"), None),
        ] {
            assert_eq!(timeout(text).ok(), expected, "{text:?}");
        }
    }
}
