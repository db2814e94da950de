//! The entries of a kubeconfig: cluster, user and context, as one file defines them.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    fields::{base64, boolean, list, object, text, text_named, texts},
    named_list::extensions,
    types::{AuthProvider, Impersonation, InteractiveMode},
};

/// The cluster extension whose content credential plugins get.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// The file of an entry, and its directory, from which relative paths start.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    file: PathBuf,
    dir: PathBuf,
}

/// `cluster:` of an entry of `clusters`. A field that is not set is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct ClusterEntry {
    pub server: String,
    pub certificate_authority: PathBuf,
    /// Base64, checked.
    pub certificate_authority_data: String,
    pub insecure_skip_tls_verify: bool,
    pub tls_server_name: String,
    pub proxy_url: String,
    pub disable_compression: bool,
    pub exec_config: Option<Value>,
}

/// `context:` of an entry of `contexts`.
#[derive(Debug, Clone, Default)]
pub(super) struct ContextEntry {
    pub cluster: String,
    pub user: String,
    pub namespace: String,
}

/// `user:` of an entry of `users`. A field that is not set is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct UserEntry {
    /// The file of this entry.
    pub defined_in: PathBuf,
    pub token: SecretString,
    pub token_file: PathBuf,
    pub client_certificate: PathBuf,
    /// Base64, checked.
    pub client_certificate_data: String,
    pub client_key: PathBuf,
    /// Base64, checked.
    pub client_key_data: SecretString,
    pub username: String,
    pub password: SecretString,
    pub impersonate: Impersonation,
    pub exec: Option<ExecEntry>,
    pub auth_provider: Option<AuthProvider>,
}

/// `exec:` of a user, not validated.
#[derive(Debug, Clone, Default)]
pub(super) struct ExecEntry {
    pub api_version: String,
    pub command: String,
    pub args: Vec<String>,
    pub env: Vec<(String, SecretString)>,
    pub install_hint: String,
    pub provide_cluster_info: bool,
    pub interactive_mode: String,
}

impl Origin {
    /// The origin of the paths in `file`.
    pub fn of(file: &Path) -> Self {
        let dir = file.parent().unwrap_or(Path::new(""));
        let dir = std::path::absolute(dir.join(".")).unwrap_or_else(|_| dir.to_owned());
        Self { file: file.to_owned(), dir }
    }

    /// Resolves `path` from this directory, without `.` and `..`. An empty path stays empty.
    fn resolve(&self, path: String) -> PathBuf {
        if path.is_empty() || Path::new(&path).is_absolute() {
            return path.into();
        }
        let mut clean = PathBuf::new();
        for part in self.dir.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(clean.pop()),
                other => clean.push(other),
            }
        }
        clean
    }
}

impl ClusterEntry {
    pub fn from_value(value: Value, origin: &Origin) -> Result<Self, String> {
        const OWNER: &str = "Cluster";
        let mut entry = Self::default();
        for (key, value) in object(value, "NamedCluster", "clusters.cluster", "v1.Cluster")? {
            let path = format!("clusters.cluster.{key}");
            match key.as_str() {
                "certificate-authority" => {
                    entry.certificate_authority = origin.resolve(text(value, OWNER, &path)?);
                }
                "certificate-authority-data" => {
                    entry.certificate_authority_data = base64(value, OWNER, &path)?;
                }
                "disable-compression" => entry.disable_compression = boolean(value, OWNER, &path)?,
                "extensions" => {
                    let extension = extensions(value, OWNER, &path)?.into_iter();
                    entry.exec_config = extension
                        .filter(|(name, _)| name == EXEC_EXTENSION)
                        .map(|(_, config)| config)
                        .next();
                }
                "insecure-skip-tls-verify" => {
                    entry.insecure_skip_tls_verify = boolean(value, OWNER, &path)?;
                }
                "proxy-url" => entry.proxy_url = text(value, OWNER, &path)?,
                "server" => entry.server = text(value, OWNER, &path)?,
                "tls-server-name" => entry.tls_server_name = text(value, OWNER, &path)?,
                _ => {}
            }
        }
        Ok(entry)
    }
}

impl ContextEntry {
    pub fn from_value(value: Value) -> Result<Self, String> {
        const OWNER: &str = "Context";
        let mut entry = Self::default();
        for (key, value) in object(value, "NamedContext", "contexts.context", "v1.Context")? {
            let path = format!("contexts.context.{key}");
            match key.as_str() {
                "cluster" => entry.cluster = text(value, OWNER, &path)?,
                "extensions" => drop(extensions(value, OWNER, &path)?),
                "namespace" => entry.namespace = text(value, OWNER, &path)?,
                "user" => entry.user = text(value, OWNER, &path)?,
                _ => {}
            }
        }
        Ok(entry)
    }
}

impl UserEntry {
    pub fn from_value(value: Value, origin: &Origin) -> Result<Self, String> {
        const OWNER: &str = "AuthInfo";
        let mut entry = Self { defined_in: origin.file.clone(), ..Self::default() };
        for (key, value) in object(value, "NamedAuthInfo", "users.user", "v1.AuthInfo")? {
            let path = format!("users.user.{key}");
            match key.as_str() {
                "as" => entry.impersonate.user = text(value, OWNER, &path)?,
                "as-groups" => entry.impersonate.groups = texts(value, OWNER, &path)?,
                "as-uid" => entry.impersonate.uid = text(value, OWNER, &path)?,
                "as-user-extra" => {
                    let extra = object(value, OWNER, &path, "map[string][]string")?;
                    entry.impersonate.extra = extra
                        .into_iter()
                        .map(|(name, values)| Ok((name, texts(values, OWNER, &path)?)))
                        .collect::<Result<_, String>>()?;
                }
                "auth-provider" => entry.auth_provider = auth_provider(value)?,
                "client-certificate" => {
                    entry.client_certificate = origin.resolve(text(value, OWNER, &path)?);
                }
                "client-certificate-data" => {
                    entry.client_certificate_data = base64(value, OWNER, &path)?;
                }
                "client-key" => entry.client_key = origin.resolve(text(value, OWNER, &path)?),
                "client-key-data" => entry.client_key_data = base64(value, OWNER, &path)?.into(),
                "exec" => entry.exec = ExecEntry::from_value(value, origin)?,
                "extensions" => drop(extensions(value, OWNER, &path)?),
                "password" => entry.password = text(value, OWNER, &path)?.into(),
                "token" => entry.token = text(value, OWNER, &path)?.into(),
                "tokenFile" => entry.token_file = origin.resolve(text(value, OWNER, &path)?),
                "username" => entry.username = text(value, OWNER, &path)?,
                _ => {}
            }
        }
        Ok(entry)
    }

    /// True if a client certificate is configured, as data or as a file.
    pub fn has_certificate(&self) -> bool {
        !self.client_certificate.as_os_str().is_empty() || !self.client_certificate_data.is_empty()
    }

    /// True if no client key is configured.
    pub fn lacks_key(&self) -> bool {
        self.client_key.as_os_str().is_empty() && self.client_key_data.expose_secret().is_empty()
    }
}

impl ExecEntry {
    /// The mode; `None` if it is unknown, or not set and without a default.
    pub fn interactive_mode(&self) -> Option<InteractiveMode> {
        match self.interactive_mode.as_str() {
            "Never" => Some(InteractiveMode::Never),
            "IfAvailable" => Some(InteractiveMode::IfAvailable),
            "Always" => Some(InteractiveMode::Always),
            // Only the older API versions have a default.
            "" if self.api_version == "client.authentication.k8s.io/v1beta1"
                || self.api_version == "client.authentication.k8s.io/v1alpha1" =>
            {
                Some(InteractiveMode::IfAvailable)
            }
            _ => None,
        }
    }

    fn from_value(value: Value, origin: &Origin) -> Result<Option<Self>, String> {
        const OWNER: &str = "ExecConfig";
        if value.is_null() {
            return Ok(None);
        }
        let mut entry = Self::default();
        for (key, value) in object(value, "AuthInfo", "users.user.exec", "v1.ExecConfig")? {
            let path = format!("users.user.exec.{key}");
            match key.as_str() {
                "apiVersion" => entry.api_version = text(value, OWNER, &path)?,
                "args" => entry.args = texts(value, OWNER, &path)?,
                "command" => entry.command = resolve_command(text(value, OWNER, &path)?, origin),
                "env" => entry.env = exec_env(value, OWNER, &path)?,
                "installHint" => entry.install_hint = text(value, OWNER, &path)?,
                "interactiveMode" => {
                    let go_type = "v1.ExecInteractiveMode";
                    entry.interactive_mode = text_named(value, OWNER, &path, go_type)?;
                }
                "provideClusterInfo" => {
                    entry.provide_cluster_info = boolean(value, OWNER, &path)?;
                }
                _ => {}
            }
        }
        Ok(Some(entry))
    }
}

/// A command with a path separator is a path. Any other is a name on `$PATH`.
fn resolve_command(command: String, origin: &Origin) -> String {
    if !command.contains(std::path::is_separator) {
        return command;
    }
    origin.resolve(command).to_string_lossy().into_owned()
}

fn exec_env(value: Value, owner: &str, path: &str) -> Result<Vec<(String, SecretString)>, String> {
    let mut env = Vec::new();
    for item in list(value, owner, path, "[]v1.ExecEnvVar")? {
        let (mut name, mut content) = (String::new(), String::new());
        for (key, value) in object(item, owner, path, "v1.ExecEnvVar")? {
            match key.as_str() {
                "name" => name = text(value, "ExecEnvVar", &format!("{path}.name"))?,
                "value" => content = text(value, "ExecEnvVar", &format!("{path}.value"))?,
                _ => {}
            }
        }
        env.push((name, content.into()));
    }
    Ok(env)
}

fn auth_provider(value: Value) -> Result<Option<AuthProvider>, String> {
    const OWNER: &str = "AuthProviderConfig";
    const PATH: &str = "users.user.auth-provider";
    if value.is_null() {
        return Ok(None);
    }
    let mut provider = AuthProvider { name: String::new(), config: BTreeMap::new() };
    for (key, value) in object(value, "AuthInfo", PATH, "v1.AuthProviderConfig")? {
        let path = format!("{PATH}.{key}");
        match key.as_str() {
            "config" => {
                provider.config = object(value, OWNER, &path, "map[string]string")?
                    .into_iter()
                    .map(|(name, value)| Ok((name, text(value, OWNER, &path)?.into())))
                    .collect::<Result<_, String>>()?;
            }
            "name" => provider.name = text(value, OWNER, &path)?,
            _ => {}
        }
    }
    Ok(Some(provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_in_the_files_directory() {
        let origin = Origin::of("/etc/kube/config".as_ref());
        let table = [
            ("", ""),
            ("ca.pem", "/etc/kube/ca.pem"),
            ("./a/../../ca.pem", "/etc/ca.pem"),
            ("/abs/../ca.pem", "/abs/../ca.pem"),
            ("~/ca.pem", "/etc/kube/~/ca.pem"),
        ];
        for (path, expected) in table {
            assert_eq!(origin.resolve(path.into()), PathBuf::from(expected), "{path}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(Origin::of("config".as_ref()).resolve("x".into()), here.join("x"));
    }

    #[test]
    fn only_a_command_with_a_separator_is_a_path() {
        let origin = Origin::of("/etc/kube/config".as_ref());
        assert_eq!(resolve_command("aws".into(), &origin), "aws");
        assert_eq!(resolve_command("./aws".into(), &origin), "/etc/kube/aws");
        assert_eq!(resolve_command("/bin/aws".into(), &origin), "/bin/aws");
    }
}
