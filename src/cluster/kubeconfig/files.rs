//! The kubeconfig files, and the errors about them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow};

use super::{ConfigError, Environment, entries::Origin, file::File, merge::merge};
use crate::text::bounded;
use crate::text::go::os_error;
use crate::text::yaml::read as yaml;

/// Larger than any kubeconfig. A larger file, such as a disk image or `/dev/zero`, is refused.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// The merged content of all files, and their paths.
#[derive(Debug, Default)]
pub(super) struct LoadedFiles {
    pub config: File,
    pub files: Vec<PathBuf>,
    pub missing: Vec<PathBuf>,
}

/// Reads `--kubeconfig`, or else the files of `$KUBECONFIG`, or else `~/.kube/config`.
///
/// # Errors
/// The file of `--kubeconfig` does not exist, or any file cannot be read or parsed. Files of
/// `$KUBECONFIG` that do not exist are skipped.
pub(super) fn load(explicit: Option<&Path>, environment: &Environment) -> Result<LoadedFiles> {
    let paths = match explicit {
        Some(path) => {
            if let Err(err) = fs::metadata(path)
                && err.kind() == io::ErrorKind::NotFound
            {
                return Err(anyhow!("stat {}: {}", path.display(), os_error(&err)));
            }
            vec![path.to_owned()]
        }
        None => candidates(environment),
    };
    let mut loaded = LoadedFiles::default();
    let (mut parsed, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        match read(&path) {
            Ok(Some(file)) => {
                parsed.push(file);
                loaded.files.push(path);
            }
            Ok(None) => loaded.missing.push(path),
            Err(problem) => problems
                .push(format!("error loading config file \"{}\": {problem}", path.display())),
        }
    }
    match problems.len() {
        0 => {}
        1 => return Err(anyhow!(problems.remove(0))),
        _ => return Err(ConfigError::Loading(problems).into()),
    }
    loaded.config = merge(parsed);
    Ok(loaded)
}

fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    match environment.kubeconfig.as_deref().filter(|list| !list.is_empty()) {
        Some(list) => {
            for path in std::env::split_paths(list) {
                if !path.as_os_str().is_empty() && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        None => {
            let home = environment.home.as_deref();
            paths.extend(home.map(|home| home.join(".kube").join("config")));
        }
    }
    paths
}

/// Reads a file; `None` if it does not exist.
fn read(path: &Path) -> Result<Option<File>, String> {
    match read_bytes(path)? {
        Some(bytes) => parse(&bytes, path).map(Some),
        None => Ok(None),
    }
}

/// Parses the content of the file at `path`.
pub(super) fn parse(content: &[u8], path: &Path) -> Result<File, String> {
    File::from_value(yaml::parse(content)?, &Origin::of(path))
}

/// The whole content of a file; `None` if it does not exist. A file above the size limit is an
/// error.
pub(super) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let failed =
        |doing: &str, err: &io::Error| format!("{doing} {}: {}", path.display(), os_error(err));
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed("open", &err)),
    };
    match bounded::read(file, MAX_SIZE).map_err(|err| failed("read", &err))? {
        Some(content) => Ok(Some(content)),
        None => Err("the file is too large for a kubeconfig: more than 16 MB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn listed(list: &str) -> Environment {
        Environment {
            kubeconfig: Some(OsString::from(list)),
            home: Some("/home/me".into()),
            ..Environment::default()
        }
    }

    #[test]
    fn the_list_replaces_the_home_directory_and_is_cleaned() {
        let paths = |list| candidates(&listed(list));
        assert_eq!(paths(""), [PathBuf::from("/home/me/.kube/config")]);
        assert_eq!(paths("/a"), [PathBuf::from("/a")]);
        #[cfg(unix)]
        assert_eq!(paths(":/b::/a:/b:"), [PathBuf::from("/b"), PathBuf::from("/a")]);
    }

    #[test]
    fn missing_files_are_skipped_except_the_flags() {
        let loaded = load(None, &listed("/nonexistent/a")).unwrap();
        assert_eq!(loaded.missing, [PathBuf::from("/nonexistent/a")]);
        let err = load(Some("/nonexistent/a".as_ref()), &listed("")).unwrap_err();
        assert_eq!(err.to_string(), "stat /nonexistent/a: no such file or directory");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display();
        let err = load(Some(dir.path()), &listed("")).unwrap_err().to_string();
        assert_eq!(
            err,
            format!("error loading config file \"{path}\": read {path}: is a directory")
        );
    }

    #[cfg(unix)]
    #[test]
    fn every_broken_file_of_the_list_is_reported_on_its_own_line() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, "users: 1").unwrap();
        fs::write(&b, "a: [").unwrap();
        let list = format!("{}:{}", a.display(), b.display());
        let err = load(None, &listed(&list)).unwrap_err();
        let err = err.downcast::<ConfigError>().unwrap();
        assert!(err.is_whole_text());
        let text = err.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].starts_with(&format!("error loading config file \"{}\": json:", a.display()))
        );
        assert!(
            lines[1].starts_with(&format!("error loading config file \"{}\": yaml:", b.display()))
        );
    }

    #[test]
    fn an_enormous_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MAX_SIZE + 1).unwrap();
        let err = load(Some(file.path()), &listed("")).unwrap_err().to_string();
        assert!(err.ends_with("the file is too large for a kubeconfig: more than 16 MB"), "{err}");
    }
}
