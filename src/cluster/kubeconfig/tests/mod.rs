//! Tests of whole configurations, and the helpers that they share.

mod content;
mod damaged;
mod names;
mod pod;
mod round_trip;
mod trust;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;

const CLUSTERS: &str = "
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u, namespace: ns}
- name: two
  context: {cluster: plain, user: v}
- name: lost
  context: {cluster: gone, user: gone}
- name: bare
clusters:
- name: c
  cluster: {server: 'https://c:6443/prefix/', tls-server-name: inner, disable-compression: true}
- name: plain
  cluster: {server: 'http://plain'}
- name: unserved
  cluster: {}
users:
- name: u
  user: {token: t0ken}
- name: v
  user: {username: me, password: pw}
";

/// A directory of kubeconfigs, and an environment that names them.
struct Dir {
    dir: TempDir,
    environment: Environment,
}

impl Dir {
    fn of(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config"), config).unwrap();
        let environment = Environment {
            kubeconfig: Some(dir.path().join("config").into()),
            ..Environment::default()
        };
        Self { dir, environment }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(self, name: &str, content: &str) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// Sets the environment of a pod, with a service account in the directory.
    fn in_pod(mut self) -> Self {
        self = self.write("token", "pod-token\n").write("namespace", " pod-ns\n");
        self.environment.service_account = self.dir.path().to_owned();
        self.environment.service_host = Some("10.0.0.1".into());
        self.environment.service_port = Some("443".into());
        self
    }

    fn resolve(&self, flags: Overrides) -> Result<Access> {
        resolve(&flags, &self.environment)
    }

    fn error(&self, flags: Overrides) -> String {
        let text = self.resolve(flags).unwrap_err().to_string();
        text.replace(&self.dir.path().display().to_string(), "DIR")
    }
}

/// The flags of a command line, named without the dashes.
fn flags(pairs: &[(&str, &str)]) -> Overrides {
    let mut flags = Overrides::default();
    for (name, value) in pairs {
        let value = value.to_string();
        match *name {
            "context" => flags.context = Some(value),
            "cluster" => flags.cluster = Some(value),
            "user" => flags.user = Some(value),
            "namespace" => flags.namespace = Some(value),
            "server" => flags.server = Some(value),
            "token" => flags.token = Some(value.into()),
            "username" => flags.username = Some(value),
            "tls-server-name" => flags.tls_server_name = Some(value),
            "certificate-authority" => flags.certificate_authority = Some(value.into()),
            "client-certificate" => flags.client_certificate = Some(value.into()),
            "client-key" => flags.client_key = Some(value.into()),
            "insecure" => flags.insecure_skip_tls_verify = Some(true),
            "as" => flags.impersonate.user = value,
            "as-group" => flags.impersonate.groups.push(value),
            other => panic!("no flag {other}"),
        }
    }
    flags
}
