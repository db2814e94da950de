//! `-k`: runs `kustomize build` on a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::builder_output::BuilderMessages;
use super::error::Error;
use crate::process::{ChildTree, Lookup, on_path};
use crate::text::go::os_error;
use crate::text::terminal::say;

/// Time limit for a build. It may fetch remote bases with git.
const BUILD_TIMEOUT: Duration = Duration::from_secs(300);

/// Maximum number of stderr bytes to keep.
const MAX_STDERR: usize = 64 * 1024;

/// Names of a kustomization file.
const KUSTOMIZATION_FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The programs that can build, each with the arguments before the directory. kubectl has kustomize
/// built in.
const BUILDERS: [(&str, &[&str]); 2] = [("kustomize", &["build"]), ("kubectl", &["kustomize"])];

/// Runs the first installed builder and returns its output. More than `limit` bytes are an error. If the
/// future is dropped, the builder and its children are killed.
pub(super) async fn build(directory: &str, limit: usize) -> Result<Vec<u8>, Error> {
    check(directory).map_err(Error::Text)?;
    for (program, arguments) in BUILDERS {
        let path = match on_path(program) {
            Lookup::Found(path) => path,
            Lookup::NotFound => continue,
            Lookup::InCurrentDirectory => {
                return Err(Error::new(format!(
                    "{program}: cannot run executable found relative to current directory: \
                     remove \".\" and empty elements from $PATH"
                )));
            }
        };
        let mut command = Command::new(path);
        command
            .args(arguments)
            .arg("--")
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        return match ChildTree::spawn(&mut command) {
            Ok(builder) => output(builder, program, limit).await.map_err(Error::Text),
            Err(error) => Err(Error::new(format!("{program}: {}", os_error(&error)))),
        };
    }
    Err(Error::new(
        "-k needs kustomize or kubectl, and neither is installed: install kustomize \
         (https://kubectl.docs.kubernetes.io/installation/kustomize/), or run `kustomize build` \
         elsewhere and pass its output with -f -",
    ))
}

/// Checks the directory before a builder runs, with kubectl's errors.
fn check(directory: &str) -> Result<(), String> {
    if is_remote(directory) {
        return Ok(());
    }
    let path = std::path::absolute(directory).unwrap_or_else(|_| directory.into());
    let real = path.canonicalize().map_err(|error| {
        let (first, problem) = (first_missing(&path), os_error(&error));
        format!(
            "must build at directory: not a valid directory: evalsymlink failure on \
             '{directory}' : lstat {}: {problem}",
            first.display()
        )
    })?;
    if !real.is_dir() {
        return Err(format!("must build at directory: '{directory}': file is not directory"));
    }
    if !KUSTOMIZATION_FILES.iter().any(|name| real.join(name).is_file()) {
        let [yaml, yml, plain] = KUSTOMIZATION_FILES;
        return Err(format!(
            "unable to find one of '{yaml}', '{yml}' or '{plain}' in directory '{}'",
            real.display()
        ));
    }
    Ok(())
}

/// True if `directory` looks like the URL of a git repository. The builder fetches it.
fn is_remote(directory: &str) -> bool {
    let marks = ["://", "git@", "git::", "github.com", ".git", "?ref=", "_git/"];
    !Path::new(directory).exists() && marks.iter().any(|mark| directory.contains(mark))
}

fn first_missing(path: &Path) -> PathBuf {
    let upwards: Vec<_> = path.ancestors().collect();
    let missing = upwards.into_iter().rev().find(|part| part.symlink_metadata().is_err());
    missing.unwrap_or(path).to_owned()
}

async fn output(mut builder: ChildTree, program: &str, limit: usize) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("{program}: {}", os_error(&error));
    let child = &mut builder.child;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        tokio::try_join!(
            beginning_of(stdout, limit + 1),
            beginning_of(stderr, MAX_STDERR),
            child.wait()
        )
    };
    let (output, errors, status) = match tokio::time::timeout(BUILD_TIMEOUT, work).await {
        Ok(result) => result.map_err(failed)?,
        Err(_) => {
            return Err(format!(
                "{program} timed out after {} s: build the manifests yourself and pass them with -f -",
                BUILD_TIMEOUT.as_secs()
            ));
        }
    };
    let BuilderMessages { reason, warnings } = match status.success() {
        true => BuilderMessages::of_success(&errors),
        false => BuilderMessages::of_failure(&errors),
    };
    // kubectl has kustomize built in and prints its warnings, so we print them as well.
    warnings.iter().for_each(|line| say(line));
    if !status.success() {
        return Err(match reason.as_str() {
            "" => format!("{program} failed: {status}"),
            _ => reason,
        });
    }
    if output.len() > limit {
        return Err(format!(
            "{program} printed more than {} MiB, the limit of locustctl: split the kustomization",
            limit / (1024 * 1024)
        ));
    }
    Ok(output)
}

/// Reads a pipe to its end and keeps the first `limit` bytes. The rest is read as well, because the
/// child would block on a full pipe.
async fn beginning_of(pipe: Option<impl AsyncRead + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(kept) };
    (&mut pipe).take(limit as u64).read_to_end(&mut kept).await?;
    let mut rest = vec![0; 64 * 1024];
    while pipe.read(&mut rest).await? > 0 {}
    Ok(kept)
}
