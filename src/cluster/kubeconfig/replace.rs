//! Replaces a file's content so that at every moment either the old or the new content is there.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

/// Replaces the content of an existing file, or of the file that a symbolic link leads to. Mode
/// and owner stay what they are.
///
/// # Errors
/// The file is as it was; or, in the one case where it may not be, the error names the copy.
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

/// So that the rename survives a power failure, too.
fn sync_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    #[test]
    fn a_link_mode_and_owner_stay_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        // Only root may do that; for others there is no other owner to keep.
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
    fn a_file_that_is_gone_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        assert!(replace(&path, b"new").is_err());
        assert!(!path.exists());
    }
}
