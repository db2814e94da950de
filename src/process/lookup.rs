//! Finds a program on `$PATH`, as Go's `exec.LookPath` does.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The result of a search on `$PATH`.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    Found(PathBuf),
    NotFound,
    /// The first match is in the current directory, or relative to it. Go refuses it with
    /// `exec.ErrDot`, because other people may be able to write there.
    InCurrentDirectory,
}

/// Finds `command`, a name without separators, on this process's `$PATH`.
pub fn on_path(command: &str) -> Lookup {
    find(command, &std::env::var_os("PATH").unwrap_or_default())
}

/// The first match decides. An empty element of `path` is the current directory.
fn find(command: &str, path: &OsStr) -> Lookup {
    // In Go, an empty list has no elements.
    if path.is_empty() {
        return Lookup::NotFound;
    }
    let name = format!("{command}{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::split_paths(path)
        .map(|directory| directory.join(&name))
        .find(|candidate| is_executable(candidate));
    match found {
        None => Lookup::NotFound,
        Some(path) if path.is_absolute() => Lookup::Found(path),
        Some(_) => Lookup::InCurrentDirectory,
    }
}

/// True for a file that this system may run.
#[cfg(unix)]
pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// True for a file.
#[cfg(not(unix))]
pub fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_decides_and_must_have_an_absolute_path() {
        let found = |path: &str| find("sh", OsStr::new(path));
        assert_eq!(found("/nonexistent:/bin"), Lookup::Found("/bin/sh".into()));
        assert_eq!(found(".::/bin"), Lookup::Found("/bin/sh".into()), "none is here");
        assert_eq!(found(""), Lookup::NotFound);
        assert_eq!(found("/nonexistent"), Lookup::NotFound);
        // The tests run in the directory of the package.
        let up = "../".repeat(30);
        assert_eq!(found(&format!("{up}bin:/bin")), Lookup::InCurrentDirectory);
    }
}
