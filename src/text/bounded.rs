//! Bounded reading: a file or pipe that is larger than expected is not read to its end, and a file that is
//! read again while the program serves cannot make it wait.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file. It never waits, as opening a pipe does until a writer comes.
///
/// # Errors
/// The file cannot be opened, or it is a pipe, a directory or a device.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let check = |metadata: std::fs::Metadata| match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("this is not a regular file")),
    };
    // A pipe that is opened and closed again would end its writer.
    check(path.metadata()?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // The file may have become a pipe since.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    check(file.metadata()?)?;
    Ok(file)
}

/// True for a named pipe. Opening one waits until a writer comes.
pub fn is_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Reads everything; `None` when it is more than `limit` bytes.
///
/// # Errors
/// The reader's error.
pub fn read(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

/// Reads everything as UTF-8; `None` when it is more than `limit` bytes.
///
/// # Errors
/// The reader's error, or `InvalidData` for a content that is not UTF-8.
pub fn read_text(from: impl Read, limit: u64) -> io::Result<Option<String>> {
    let Some(content) = read(from, limit)? else { return Ok(None) };
    let text = String::from_utf8(content).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8")
    })?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_above_the_limit_is_not_returned() {
        assert_eq!(read(&b"abc"[..], 3).unwrap(), Some(b"abc".to_vec()));
        assert_eq!(read(&b"abcd"[..], 3).unwrap(), None);
        assert_eq!(read(io::repeat(0), 1000).unwrap(), None, "an endless reader");
    }

    #[test]
    fn text_is_checked_after_the_size() {
        assert_eq!(read_text(&b"abc"[..], 3).unwrap().as_deref(), Some("abc"));
        assert_eq!(read_text("aé".as_bytes(), 2).unwrap(), None);
        let error = read_text(&b"\xff"[..], 3).unwrap_err();
        assert_eq!(error.to_string(), "stream did not contain valid UTF-8");
    }
}
