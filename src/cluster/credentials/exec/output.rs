//! What a plugin prints: read to its end, but not longer than the plugin lives.

use std::{io, process::ExitStatus, time::Duration};

use secrecy::SecretString;
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::text::go::os_error;

/// No token or certificate is larger.
const MAX_OUTPUT: usize = 1024 * 1024;

/// A process that the plugin leaves behind may hold its stdout open for ever. When the plugin has
/// ended, this much silence is taken for the end of its output.
const SILENCE: Duration = Duration::from_millis(250);

/// What `child` prints, once it has ended well.
///
/// # Errors
/// kubectl's text, to follow `getting credentials: `; never shows any of the output.
pub(super) async fn of(mut child: Child, command: &str) -> Result<SecretString, String> {
    let failed = |err: io::Error| format!("exec: {command}: {}", os_error(&err));
    let mut output = Vec::new();
    let mut stdout = child.stdout.take();
    let status = read_while_running(&mut child, &mut stdout, &mut output).await.map_err(failed)?;
    while let Some(pipe) = stdout.as_mut().filter(|_| output.len() <= MAX_OUTPUT) {
        match timeout(SILENCE, pipe.read_buf(&mut output)).await {
            Ok(Ok(0)) | Err(_) => break,
            Ok(read) => drop(read.map_err(failed)?),
        }
    }
    if output.len() > MAX_OUTPUT {
        return Err(format!("exec: executable {command} printed more than 1 MB"));
    }
    if !status.is_some_and(|status| status.success()) {
        // Go's word for a process that a signal ended is -1.
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        return Err(format!("exec: executable {command} failed with exit code {code}"));
    }
    String::from_utf8(output).map(SecretString::from).map_err(|_| {
        "decoding stdout: couldn't get version/kind; json parse error: invalid UTF-8".to_owned()
    })
}

/// Reads until the process ends, or has printed too much: then there is no status.
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
