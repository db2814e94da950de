//! The harness: the real binary, in surroundings that the test alone decides.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

pub mod cluster;
pub mod fake_locust;
pub mod issuer;
pub mod proxy;
pub mod running;
pub mod scaling;
pub mod secrets;
pub mod serving;
pub mod swarm;
pub mod tls;
pub mod waiting;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// One call of the binary. Nothing of the machine's own configuration reaches it.
pub struct Locustctl {
    command: Command,
    home: TempDir,
}

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary under test.
pub fn program() -> PathBuf {
    // A test program that is started without cargo finds the binary in the directory above its own.
    std::env::var_os("CARGO_BIN_EXE_locustctl").map_or_else(
        || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("locustctl"),
        PathBuf::from,
    )
}

/// The command line `locustctl ARGS…`, split at blanks.
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

    /// The home directory of the call, to put files into.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What it finds on standard input.
    pub fn stdin(mut self, text: &str) -> Self {
        let path = self.home().join("stdin");
        std::fs::write(&path, text).unwrap();
        self.command.stdin(std::fs::File::open(path).unwrap());
        self
    }

    /// Runs it to its end. Whatever it prints, no secret may be in it.
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
    /// Exit 0, exactly this on stdout, nothing on stderr.
    #[track_caller]
    pub fn prints(&self, stdout: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(0), stdout, ""));
    }

    /// Exit 0, exactly this on stdout, exactly this on stderr.
    #[track_caller]
    pub fn warns(&self, stdout: &str, stderr: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(0), stdout, stderr));
    }

    /// This exit code, and exactly this on stdout. The caller checks stderr.
    #[track_caller]
    pub fn exits(&self, code: i32, stdout: &str) {
        assert_eq!((self.code, &*self.stdout), (Some(code), stdout), "{self:?}");
    }

    /// Exit 1, nothing on stdout, exactly this on stderr.
    #[track_caller]
    pub fn refuses(&self, stderr: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(1), "", stderr));
    }
}

/// A kubeconfig for a server at which nobody listens: whoever gets there was not refused before.
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

/// Where the sandbox's Deployment `locust-slave` is.
pub const SLAVE: &str = "/apis/apps/v1/namespaces/default/deployments/locust-slave";
