//! The atomic replacement of a file: at every moment it has either the old or the new content.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

/// Replaces the content of an existing file, or of the target of a symbolic link. The mode and the
/// owner stay.
///
/// # Errors
/// The file cannot be written. Either it has its old content, or the error names a copy of the new
/// content.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let original = fs::metadata(&real)?;
    let draft = write_draft(&real, content)?;
    let is_ready = keep_owner(draft.path(), &original).is_ok()
        && fs::set_permissions(draft.path(), original.permissions()).is_ok();
    let draft = match is_ready {
        true => match draft.persist(&real) {
            Ok(_) => return sync_directory(&real),
            Err(failed) => failed.file,
        },
        false => draft,
    };
    // The directory entry cannot be replaced (a file mounted into a container), or the owner would
    // change. The file is then overwritten. If that fails half way, the draft stays as a copy.
    let file = OpenOptions::new().write(true).open(&real)?;
    overwrite(file, content).map_err(|err| {
        let kept = draft.path().display().to_string();
        let text = match draft.keep() {
            Ok(_) => format!("{err}; its new content is in {kept}"),
            Err(_) => err.to_string(),
        };
        io::Error::new(err.kind(), text)
    })
}

/// The new content in a file of its own beside the old one. Only its owner can read it.
fn write_draft(real: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let directory = real.parent().unwrap_or(Path::new("."));
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let mut draft = tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(directory)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    Ok(draft)
}

fn overwrite(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

#[cfg(unix)]
fn keep_owner(path: &Path, original: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let ours = fs::metadata(path)?;
    match (ours.uid(), ours.gid()) == (original.uid(), original.gid()) {
        true => Ok(()),
        false => chown(path, Some(original.uid()), Some(original.gid())),
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Writes the directory to disk, so that the rename survives a power failure.
fn sync_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    #[test]
    fn a_link_and_the_mode_and_owner_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        // Only root can change the owner. The owner is the same anyway for other users.
        let _ = chown(&real, Some(1234), Some(1234));
        let before = fs::metadata(&real).unwrap();
        replace(&link, b"new").unwrap();
        let after = fs::metadata(&real).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(after.mode(), before.mode());
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "replaced, not overwritten");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no copy is left");
    }

    #[test]
    fn overwriting_leaves_nothing_of_a_longer_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "something long").unwrap();
        overwrite(OpenOptions::new().write(true).open(file.path()).unwrap(), b"short").unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"short");
    }

    #[test]
    fn a_deleted_file_is_not_created_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        assert!(replace(&path, b"new").is_err());
        assert!(!path.exists());
    }
}
