//! `locustctl sandbox`: a simulated cluster for kubectl and scripts, until Ctrl-C.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::signals;
use crate::output;
use crate::sandbox::{Options, Sandbox};

/// Runs a sandbox until Ctrl-C, SIGTERM or SIGHUP.
///
/// # Errors
/// When the port is taken, or the kubeconfig cannot be written.
pub async fn run(options: Options) -> Result<()> {
    // Before anything is printed: a signal that follows the text must not find the default handler.
    let end = signals::first()?;
    let sandbox = Sandbox::start(options).await?;
    let directory = PrivateDirectory::create()?;
    let path = directory.write("kubeconfig", &sandbox.kubeconfig())?;
    announce(&sandbox, &path)?;
    end.await;
    sandbox.shutdown().await;
    Ok(())
}

fn announce(sandbox: &Sandbox, kubeconfig: &Path) -> Result<()> {
    let (server, path) = (sandbox.server(), kubeconfig.display());
    let text = format!(
        "A simulated cluster is listening on {server}\n  export KUBECONFIG={path}\n  \
         kubectl get deployments\n  locustctl scale --replicas=3\n  \
         locustctl scale --replicas=3 --context=sandbox-viewer     # a user who may only read\n\
         Press Ctrl-C to end it.\n"
    );
    output::write_stdout(&text)
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
