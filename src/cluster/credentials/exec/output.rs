//! Reads the output of a plugin until the plugin has ended.

use std::{io, process::ExitStatus, time::Duration};

use secrecy::SecretSlice;
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::process::ChildTree;
use crate::text::go::os_error;

/// Larger than any token or certificate.
const MAX_OUTPUT: usize = 1024 * 1024;

/// The silence that counts as the end of the output after the plugin has ended. A process that the
/// plugin leaves behind may keep its stdout open for ever.
const IDLE_TIMEOUT: Duration = Duration::from_millis(250);

/// Waits for the plugin to end with success, and returns its output. If it does not end, it is killed
/// with its children. If the plugin exits by itself, its background processes keep running.
///
/// # Errors
/// kubectl's text after `getting credentials: `. It never shows the output.
pub(super) async fn read(mut plugin: ChildTree, command: &str) -> Result<SecretSlice<u8>, String> {
    let child = &mut plugin.child;
    let failed = |err: io::Error| format!("exec: {command}: {}", os_error(&err));
    let mut output = Vec::new();
    let mut stdout = child.stdout.take();
    let status = read_while_running(child, &mut stdout, &mut output).await.map_err(failed)?;
    while let Some(pipe) = stdout.as_mut().filter(|_| output.len() <= MAX_OUTPUT) {
        match timeout(IDLE_TIMEOUT, pipe.read_buf(&mut output)).await {
            Ok(Ok(0)) | Err(_) => break,
            Ok(read) => drop(read.map_err(failed)?),
        }
    }
    if output.len() > MAX_OUTPUT {
        return Err(format!("exec: executable {command} printed more than 1 MB"));
    }
    if !status.is_some_and(|status| status.success()) {
        // Go's exit code for a process that a signal ended is -1.
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        return Err(format!("exec: executable {command} failed with exit code {code}"));
    }
    Ok(output.into())
}

/// Reads until the process ends, or has printed too much. In the second case there is no status.
async fn read_while_running(
    child: &mut Child,
    stdout: &mut Option<ChildStdout>,
    output: &mut Vec<u8>,
) -> io::Result<Option<ExitStatus>> {
    while let Some(pipe) = stdout.as_mut() {
        if output.len() > MAX_OUTPUT {
            return Ok(None);
        }
        tokio::select! {
            status = child.wait() => return status.map(Some),
            read = pipe.read_buf(output) => {
                if read? == 0 {
                    *stdout = None;
                }
            }
        }
    }
    child.wait().await.map(Some)
}
