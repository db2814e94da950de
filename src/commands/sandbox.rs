//! `locustctl sandbox`: a simulated cluster for kubectl and scripts, until Ctrl-C.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::sandbox::{Options, Sandbox};

/// Runs a sandbox until Ctrl-C or SIGTERM.
///
/// # Errors
/// When the port is taken, or the kubeconfig cannot be written.
pub async fn run(options: Options) -> Result<()> {
    // Before anything is printed: a signal that follows the text must not find the default handler.
    let end = end_signal()?;
    let sandbox = Sandbox::start(options).await?;
    let directory = PrivateDirectory::create()?;
    let path = directory.write("kubeconfig", &sandbox.kubeconfig())?;
    announce(&sandbox, &path)?;
    end.await;
    sandbox.shutdown().await;
    Ok(())
}

fn announce(sandbox: &Sandbox, kubeconfig: &Path) -> Result<()> {
    let mut out = io::stdout().lock();
    let text = format!(
        "A simulated cluster is listening on {server}\n  export KUBECONFIG={path}\n  kubectl get deployments\n  \
         locustctl scale --replicas=3\nPress Ctrl-C to end it.\n",
        server = sandbox.server(),
        path = kubeconfig.display(),
    );
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("writing to stdout")
}

#[cfg(unix)]
fn end_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// A directory that only we can read, gone when this is dropped.
struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    fn create() -> Result<Self> {
        let name = format!("locustctl-sandbox-{:08x}", fastrand::u32(..));
        let path = std::env::temp_dir().join(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Not recursive: a directory that somebody else prepared is an error.
        builder.create(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file =
            options.open(&path).with_context(|| format!("creating {}", path.display()))?;
        file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // Nobody is left to be told if it is gone already.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
