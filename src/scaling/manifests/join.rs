//! Go's `filepath.Join`.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// As `filepath.Join`, which also cleans: no `.`, no doubled slash, `..` resolved by name.
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
