//! Replaces files atomically: a reader sees the old file or the whole new one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The names of stdout.
const STDOUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Checks that a file can be written, without changing it.
///
/// # Errors
/// The reason why it cannot be written.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::Error::other("it is a directory")),
        Ok(metadata) if metadata.is_file() => OpenOptions::new().append(true).open(path).map(drop),
        // A pipe or a device: opening it could have effects.
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            temporary(path).map(drop).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound if !directory(path).exists() => {
                    let directory = directory(path);
                    let text = format!("the directory {} does not exist", directory.display());
                    io::Error::other(text)
                }
                _ => error,
            })
        }
        Err(error) => Err(error),
    }
}

/// Replaces the content of a file, or creates it. A pipe or a device is written to. A file in a directory
/// that is not writable is overwritten in place, and so is a mounted file.
///
/// # Errors
/// The content cannot be written.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(stream) = standard_stream(path) {
        return write_to_stream(stream, content);
    }
    // A link stays a link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return write_to(OpenOptions::new().write(true).open(path)?, content);
    }
    let mut file = match temporary(path) {
        Ok(file) => file,
        Err(_) if old.is_some() => return overwrite(path, content),
        Err(error) => return Err(error),
    };
    file.write_all(content)?;
    if let Some(old) = &old {
        fs::set_permissions(file.path(), old.permissions())?;
    }
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(_) if old.is_some() => overwrite(path, content),
        Err(error) => Err(error.error),
    }
}

/// Appends to a file, or creates it.
///
/// # Errors
/// The content cannot be written.
pub(super) fn append(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(stream) = standard_stream(path) {
        return write_to_stream(stream, content);
    }
    write_to(OpenOptions::new().append(true).create(true).open(path)?, content)
}

fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    write_to(OpenOptions::new().write(true).truncate(true).open(path)?, content)
}

fn write_to(mut file: impl Write, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.flush()
}

/// If the reader has closed the pipe, the content is dropped, as that of the summary is.
fn write_to_stream(stream: impl Write, content: &[u8]) -> io::Result<()> {
    match write_to(stream, content) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The path without links and without `..`, also of a file that does not exist yet.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (standard_stream(path), path.file_name()) {
        (Some(_), _) => absolute(),
        (None, Some(name)) => fs::canonicalize(path).unwrap_or_else(|_| {
            fs::canonicalize(directory(path)).map_or_else(|_| absolute(), |real| real.join(name))
        }),
        (None, None) => absolute(),
    }
}

/// True if the path names stdout.
pub(super) fn is_stdout(path: &Path) -> bool {
    STDOUT.iter().any(|name| path == Path::new(name))
}

/// stdout or stderr, if the path names it. If it is redirected to a file, the path leads to that file. To
/// replace the file would lose all that is printed later, and a second position in it would overwrite that.
fn standard_stream(path: &Path) -> Option<Box<dyn Write>> {
    if is_stdout(path) {
        return Some(Box::new(io::stdout()));
    }
    match path.to_str()? {
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(Box::new(io::stderr())),
        _ => None,
    }
}

/// A temporary file beside the file, with the permissions of a new file.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".locustctl-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory(path))
}

fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
