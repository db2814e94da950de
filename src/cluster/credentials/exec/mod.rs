//! A credential plugin: a command that prints a token or a client certificate. The rules are those
//! of client-go's `plugin/pkg/client/auth/exec`. Unlike there, time and output are bounded.

mod credential;
mod output;
mod permission;
mod request;

use std::{io, io::IsTerminal, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use anyhow::Result;
use parking_lot::RwLock;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};
use tokio::{process::Command, sync::Mutex, time::timeout};

use self::credential::ExecCredential;
use crate::cluster::kubeconfig::{Cluster, ConfigError, Exec, InteractiveMode};
use crate::cluster::kuberc::PluginPolicy;
use crate::process::{ChildTree, Lookup, on_path};
use crate::text::go::os_error;

/// True if a plugin's output is valid.
pub(super) fn is_answer(output: &[u8], api_version: &str) -> bool {
    ExecCredential::parse(output, api_version).is_ok()
}

/// The time limits of a plugin.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The limit of a plugin that cannot ask the user.
    non_interactive: Duration,
    /// The limit of a plugin that may wait for the user, at the terminal or in a browser.
    interactive: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { non_interactive: Duration::from_secs(60), interactive: Duration::from_secs(600) }
    }
}

/// The plugin of one user, and its last credential.
#[derive(Debug)]
pub(super) struct Plugin {
    exec: Exec,
    policy: PluginPolicy,
    /// The part of `KUBERNETES_EXEC_INFO` about the cluster.
    cluster: Option<request::ClusterInfo>,
    limits: TimeLimits,
    last: Mutex<Option<ExecCredential>>,
    /// The last certificate.
    identity: RwLock<Option<Arc<CertifiedKey>>>,
    /// True if the plugin gets neither stdin nor stderr.
    pub is_unattended: bool,
}

impl Plugin {
    /// Prepares the plugin, without running it.
    ///
    /// # Errors
    /// The API version does not exist. The text is kubectl's.
    pub fn new(
        exec: &Exec,
        cluster: &Cluster,
        policy: &PluginPolicy,
        limits: TimeLimits,
    ) -> Result<Self> {
        match exec.api_version.strip_prefix("client.authentication.k8s.io/") {
            Some("v1" | "v1beta1") => {}
            _ => anyhow::bail!("exec plugin: invalid apiVersion {:?}", exec.api_version),
        }
        Ok(Self {
            exec: exec.clone(),
            policy: policy.clone(),
            cluster: exec.provide_cluster_info.then(|| request::ClusterInfo::of(cluster)),
            limits,
            last: Mutex::new(None),
            identity: RwLock::default(),
            is_unattended: false,
        })
    }

    /// The plugin's token, if it prints one. Runs the plugin if there is no credential, or an
    /// expired one.
    ///
    /// # Errors
    /// The plugin cannot be run, fails, or prints no valid credential. The text is kubectl's.
    pub async fn token(&self) -> Result<Option<SecretString>> {
        let mut last = self.last.lock().await;
        match last.as_ref() {
            Some(answer) if answer.is_valid() => Ok(answer.token.clone()),
            _ => {
                let answer = self.run().await.map_err(|problem| {
                    ConfigError::Credentials(format!("getting credentials: {problem}"))
                })?;
                Ok(last.insert(answer).token.clone())
            }
        }
    }

    /// The plugin's last certificate.
    pub fn identity(&self) -> Option<Arc<CertifiedKey>> {
        self.identity.read().clone()
    }

    /// Drops the credential after the server refused it.
    pub async fn forget(&self) {
        *self.last.lock().await = None;
    }

    async fn run(&self) -> Result<ExecCredential, String> {
        permission::check(&self.policy, &self.exec.command)?;
        let interactive = self.is_interactive()?;
        let child = self.start(interactive)?;
        let limit = if interactive { self.limits.interactive } else { self.limits.non_interactive };
        let command = &self.exec.command;
        let output = match timeout(limit, output::read(child, command)).await {
            Ok(output) => output?,
            // Dropping the future has dropped the child, which kills it and its children.
            Err(_) => {
                return Err(format!("exec: executable {command} did not end within {limit:?}"));
            }
        };
        let (answer, identity) =
            ExecCredential::parse(output.expose_secret(), &self.exec.api_version)?;
        if identity.is_some() {
            *self.identity.write() = identity;
        }
        Ok(answer)
    }

    fn is_interactive(&self) -> Result<bool, String> {
        match self.exec.interactive_mode {
            InteractiveMode::Never => Ok(false),
            InteractiveMode::IfAvailable if self.is_unattended => Ok(false),
            InteractiveMode::IfAvailable => Ok(io::stdin().is_terminal()),
            InteractiveMode::Always if !self.is_unattended && io::stdin().is_terminal() => Ok(true),
            InteractiveMode::Always => Err("exec plugin cannot support interactive mode: \
                                            standard input is not a terminal"
                .to_owned()),
        }
    }

    fn start(&self, interactive: bool) -> Result<ChildTree, String> {
        let info = request::info(&self.exec.api_version, self.cluster.as_ref(), interactive);
        let stdin = if interactive { Stdio::inherit() } else { Stdio::null() };
        let stderr = if self.is_unattended { Stdio::null() } else { Stdio::inherit() };
        let env = self.exec.env.iter().map(|(name, value)| (name, value.expose_secret()));
        let mut command = Command::new(self.executable()?);
        command
            .args(&self.exec.args)
            .envs(env)
            .env("KUBERNETES_EXEC_INFO", info)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr);
        ChildTree::spawn(&mut command).map_err(|err| self.not_started(&err))
    }

    fn executable(&self) -> Result<PathBuf, String> {
        let command = &self.exec.command;
        if command.contains(std::path::is_separator) {
            return Ok(command.into());
        }
        match on_path(command) {
            Lookup::Found(path) => Ok(path),
            // client-go has the same text for both.
            Lookup::NotFound | Lookup::InCurrentDirectory => {
                Err(self.not_started(&io::ErrorKind::NotFound.into()))
            }
        }
    }

    fn not_started(&self, err: &io::Error) -> String {
        let command = &self.exec.command;
        if command.contains(std::path::is_separator) {
            return format!("exec: fork/exec {command}: {}", os_error(err));
        }
        if err.kind() != io::ErrorKind::NotFound {
            return format!("exec: {command}: {}", os_error(err));
        }
        let mut text = format!(
            "exec: executable {command} not found\n\n\
             It looks like you are trying to use a client-go credential plugin that is not installed.\n\n\
             To learn more about this feature, consult the documentation available at:\n      \
             https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
        );
        if !self.exec.install_hint.is_empty() {
            text += "\n\n";
            text += &printable(&self.exec.install_hint);
        }
        text
    }
}

/// Escapes the control, direction and invisible characters of an install hint. The hint comes from
/// a file that another person may have written, and goes to a terminal.
fn printable(hint: &str) -> String {
    let is_unseen = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
    };
    let mut text = String::new();
    for c in hint.chars() {
        match c {
            '\n' | '\t' => text.push(c),
            c if c.is_control() || is_unseen(c) => text += &format!("U+{:04X}", c as u32),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
