//! `locustctl sandbox`: a simulated cluster for kubectl and scripts.

use std::{io::Write as _, path::Path, pin::pin};

use anyhow::{Context as _, Result};
use tempfile::{Builder, NamedTempFile, TempDir};

use super::signals::{self, unless_interrupted};
use crate::output::{self, Failed};
use crate::sandbox::{InitialObjects, Options, Sandbox};
use crate::text::terminal::say;

/// Runs a sandbox until Ctrl-C, SIGTERM or SIGHUP. Then it removes its kubeconfig, and returns `Ok`.
///
/// # Errors
/// The port is in use, or the kubeconfig cannot be written. A signal before it runs is an error.
pub async fn run(options: Options) -> Result<(), Failed> {
    // The handler must exist before the text is printed, since a signal can follow at once.
    let mut end = pin!(signals::first()?);
    let has_workers = options.objects == InitialObjects::Locust;
    let start = Sandbox::start(options);
    let sandbox =
        unless_interrupted(start, end.as_mut(), "the simulated cluster was not running yet")
            .await??;
    let directory = private_directory()?;
    let kubeconfig = write_kubeconfig(directory.path(), &sandbox.kubeconfig())?;
    announce(&sandbox, kubeconfig.path(), has_workers)?;
    end.await;
    say("Stopping the simulated cluster");
    sandbox.shutdown().await;
    Ok(())
}

/// Prints how to use the cluster. `has_workers` says that it has the default target.
fn announce(sandbox: &Sandbox, kubeconfig: &Path, has_workers: bool) -> Result<()> {
    let (server, path) = (sandbox.server(), kubeconfig.display());
    let commands = match has_workers {
        true => {
            "kubectl get deployments\n  locustctl scale --replicas=3\n  \
             locustctl scale --replicas=3 --context=sandbox-viewer     # a user with read access only"
        }
        false => "kubectl get all\n  locustctl status",
    };
    let text = format!(
        "A simulated cluster is listening on {server}\n  export KUBECONFIG={path}\n  {commands}\n\
         Press Ctrl-C to stop it.\n"
    );
    output::write_stdout(&text)
}

/// A directory that only its owner can read. It is deleted when the value is dropped.
fn private_directory() -> Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix("locustctl-sandbox-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().context("creating a directory for the kubeconfig")
}

/// A file `kubeconfig` that only its owner can read. It is deleted when the value is dropped.
fn write_kubeconfig(directory: &Path, text: &str) -> Result<NamedTempFile> {
    let mut file = Builder::new()
        .prefix("kubeconfig")
        .rand_bytes(0)
        .tempfile_in(directory)
        .context("creating the kubeconfig")?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("writing {}", file.path().display()))?;
    Ok(file)
}
