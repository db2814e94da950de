//! Go's `filepath.Join`.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Joins a directory and a name, and cleans the result as Go's `filepath.Join` does: no `.`, no double
/// slash, and `..` is resolved without looking at the disk.
pub(super) fn join(directory: &Path, name: &OsStr) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in directory.join(name).components() {
        match (component, clean.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(clean.pop()),
            (component, _) => clean.push(component),
        }
    }
    clean
}
