//! A credential plugin: a command that prints a token or a client certificate. As client-go
//! `plugin/pkg/client/auth/exec` does, but bounded in time and output.

mod answer;
mod request;

use std::{io, io::IsTerminal, process::Stdio, sync::OnceLock, time::Duration};

use anyhow::Result;
use reqwest::Identity;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use self::answer::Answer;
use crate::kubeconfig::{Cluster, ConfigError, Exec, InteractiveMode, os_error};

/// No token or certificate is larger.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// For a plugin that asks nobody anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// For one that may be waiting for a person, at the terminal or in a browser.
const PATIENCE_WITH_PEOPLE: Duration = Duration::from_secs(600);

/// The plugin of one user, and what it last answered.
#[derive(Debug)]
pub(super) struct Plugin {
    exec: Exec,
    /// What `KUBERNETES_EXEC_INFO` says about the cluster.
    cluster: Option<request::ClusterInfo>,
    last: Mutex<Option<Answer>>,
    identity: OnceLock<Identity>,
}

impl Plugin {
    /// Prepares the plugin, without running it.
    ///
    /// # Errors
    /// An API version that does not exist, in kubectl's words.
    pub fn new(exec: &Exec, cluster: &Cluster) -> Result<Self> {
        match exec.api_version.strip_prefix("client.authentication.k8s.io/") {
            Some("v1" | "v1beta1") => {}
            _ => anyhow::bail!("exec plugin: invalid apiVersion {:?}", exec.api_version),
        }
        Ok(Self {
            exec: exec.clone(),
            cluster: exec.provide_cluster_info.then(|| request::ClusterInfo::of(cluster)),
            last: Mutex::new(None),
            identity: OnceLock::new(),
        })
    }

    /// The token, if the plugin gives one; runs it when there is no answer, or an expired one.
    ///
    /// # Errors
    /// The plugin cannot be run, fails, or answers something else; in kubectl's words.
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

    /// The certificate that the plugin gave when it first gave one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// Forgets the answer: the server did not take it.
    pub async fn forget(&self) {
        *self.last.lock().await = None;
    }

    async fn run(&self) -> Result<Answer, String> {
        let interactive = self.is_interactive()?;
        let child = self.start(interactive)?;
        let patience = if interactive { PATIENCE_WITH_PEOPLE } else { PATIENCE };
        let command = &self.exec.command;
        let output = match timeout(patience, output_of(child, command)).await {
            Ok(output) => output?,
            // The child is killed with its handle, which the future owned.
            Err(_) => {
                let seconds = patience.as_secs();
                return Err(format!("exec: executable {command} did not end within {seconds}s"));
            }
        };
        let (answer, identity) = Answer::parse(output.expose_secret(), &self.exec.api_version)?;
        if let Some(identity) = identity {
            let _ = self.identity.set(identity);
        }
        Ok(answer)
    }

    fn is_interactive(&self) -> Result<bool, String> {
        match self.exec.interactive_mode {
            InteractiveMode::Never => Ok(false),
            InteractiveMode::IfAvailable => Ok(io::stdin().is_terminal()),
            InteractiveMode::Always if io::stdin().is_terminal() => Ok(true),
            InteractiveMode::Always => Err("exec plugin cannot support interactive mode: \
                                            standard input is not a terminal"
                .to_owned()),
        }
    }

    fn start(&self, interactive: bool) -> Result<Child, String> {
        let info = request::info(&self.exec.api_version, self.cluster.as_ref(), interactive);
        let stdin = if interactive { Stdio::inherit() } else { Stdio::null() };
        let env = self.exec.env.iter().map(|(name, value)| (name, value.expose_secret()));
        Command::new(&self.exec.command)
            .args(&self.exec.args)
            .envs(env)
            .env("KUBERNETES_EXEC_INFO", info)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|err| self.not_started(&err))
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

/// What `child` prints, once it has ended well.
async fn output_of(mut child: Child, command: &str) -> Result<SecretString, String> {
    let failed = |err: io::Error| format!("exec: {command}: {}", os_error(&err));
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    }
    if bytes.len() as u64 > MAX_OUTPUT {
        return Err(format!("exec: executable {command} printed more than 1 MB"));
    }
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        // Go's word for a process that a signal ended is -1.
        let code = status.code().unwrap_or(-1);
        return Err(format!("exec: executable {command} failed with exit code {code}"));
    }
    String::from_utf8(bytes).map(SecretString::from).map_err(|_| {
        "decoding stdout: couldn't get version/kind; json parse error: invalid UTF-8".to_owned()
    })
}

/// A hint from a file that somebody else may have written, fit for a terminal.
fn printable(hint: &str) -> String {
    let mut text = String::new();
    for c in hint.chars() {
        match c {
            '\n' | '\t' => text.push(c),
            c if c.is_control() => text += &format!("U+{:04X}", c as u32),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
