//! Standard output. A closed pipe is no error.

use std::io::{self, ErrorKind, Write};

use anyhow::{Result, anyhow};

use crate::text::go::os_error;

/// Writes a text to standard output. If the reader has closed the pipe, the text is dropped.
///
/// # Errors
/// `write /dev/stdout: no space left on device`, in Go's words.
pub fn write_stdout(text: &str) -> Result<()> {
    write(&mut io::stdout(), text)
}

pub(super) fn write(out: &mut impl Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow!("write /dev/stdout: {}", os_error(&error)))
        }
        _ => Ok(()),
    }
}
