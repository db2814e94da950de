//! The harness: it runs the real binary in an environment that only the test defines.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

pub mod cluster;
pub mod fake_locust;
pub mod goaway;
pub mod issuer;
pub mod layouts;
pub mod proxy;
pub mod rights;
pub mod running;
pub mod scaling;
pub mod script;
pub mod secrets;
pub mod serving;
pub mod swarm;
pub mod terminal;
pub mod tls;
pub mod tls_server;
pub mod waiting;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// One call of the binary. It inherits nothing from the machine's own configuration.
pub struct Locustctl {
    command: Command,
    home: TempDir,
}

/// The result of a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary under test.
pub fn program() -> PathBuf {
    // A test program that runs without cargo finds the binary in the parent of its own directory.
    std::env::var_os("CARGO_BIN_EXE_locustctl").map_or_else(
        || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("locustctl"),
        PathBuf::from,
    )
}

/// The command line `locustctl LINE`, split at blanks.
pub fn locustctl(line: &str) -> Locustctl {
    Locustctl::new(line.split_whitespace())
}

impl Locustctl {
    pub fn new(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program());
        command.args(args).env_clear().env("HOME", home.path()).stdin(Stdio::null());
        Self { command, home }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn kubeconfig(self, path: impl AsRef<Path>) -> Self {
        self.env("KUBECONFIG", path.as_ref())
    }

    /// The home directory of the call, for files.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The content of standard input.
    pub fn stdin(mut self, text: &str) -> Self {
        let path = self.home().join("stdin");
        std::fs::write(&path, text).unwrap();
        self.command.stdin(std::fs::File::open(path).unwrap());
        self
    }

    /// Runs it to its end. No secret may be in its output.
    pub fn run(mut self) -> Outcome {
        let output = self.command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let outcome = Outcome {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for secret in secrets::all() {
            let shown = outcome.stdout.contains(&secret) || outcome.stderr.contains(&secret);
            assert!(!shown, "a secret is shown: {outcome:?}");
        }
        outcome
    }
}

impl Outcome {
    /// Asserts exit code 0, this text on stdout, and nothing on stderr.
    #[track_caller]
    pub fn prints(&self, stdout: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(0), stdout, ""));
    }

    /// Asserts exit code 0 and these texts on stdout and stderr.
    #[track_caller]
    pub fn warns(&self, stdout: &str, stderr: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(0), stdout, stderr));
    }

    /// Asserts this exit code and this text on stdout. The caller checks stderr.
    #[track_caller]
    pub fn exits(&self, code: i32, stdout: &str) {
        assert_eq!((self.code, &*self.stdout), (Some(code), stdout), "{self:?}");
    }

    /// Asserts exit code 1, nothing on stdout, and this text on stderr.
    #[track_caller]
    pub fn refuses(&self, stderr: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(1), "", stderr));
    }
}

/// A kubeconfig with the address of a server that does not exist. A command that tries to connect
/// to it has accepted its command line.
pub fn dead_kubeconfig(directory: &Path) -> PathBuf {
    let path = directory.join("dead-kubeconfig");
    let text = "\
apiVersion: v1
kind: Config
current-context: dead
contexts: [{name: dead, context: {cluster: dead, user: u}}]
clusters: [{name: dead, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: secret-token-of-the-test}}]
";
    std::fs::write(&path, text).unwrap();
    path
}

/// The path of the sandbox's Deployment `locust-slave`.
pub const SLAVE: &str = "/apis/apps/v1/namespaces/default/deployments/locust-slave";
