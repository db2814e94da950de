//! Finds the files for `-f`, as cli-runtime's `Builder.FilenameParam` does.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::join::join;
use super::sources::{Source, Sources};
use super::{glob, url};
use crate::text::go::os_error;

const EXTENSIONS: [&str; 3] = [".json", ".yaml", ".yml"];

/// Maximum number of files in one directory tree, so that a search through `/` ends.
const MAX_FILES: usize = 10_000;

/// Maximum nesting depth of directories. Each level takes some stack.
const MAX_DEPTH: usize = 100;

impl Sources {
    /// Finds all sources. Only directories are read. As in kubectl, all errors of this step are
    /// reported together, and then no source is read.
    pub fn check(&self) -> (Vec<Source>, Vec<Error>) {
        let mut check = Check::default();
        let kustomize = self.kustomize.as_deref().filter(|directory| !directory.is_empty());
        if !self.filenames.is_empty() && kustomize.is_some() {
            check.errors.push(Error::new("only one of -f or -k can be specified"));
        }
        if self.recursive && kustomize.is_some() {
            check.errors.push(Error::new("the -k flag can't be used with -f or -R"));
        }
        if !check.errors.is_empty() {
            return (Vec::new(), check.errors);
        }
        for name in &self.filenames {
            if let Err(error) = check.add(name, self.recursive) {
                check.errors.push(error);
            }
        }
        check.sources.extend(kustomize.map(|directory| Source::Kustomization(directory.into())));
        (check.sources, check.errors)
    }
}

#[derive(Default)]
struct Check {
    sources: Vec<Source>,
    errors: Vec<Error>,
}

impl Check {
    fn add(&mut self, name: &str, recursive: bool) -> Result<(), Error> {
        if name == "-" {
            let is_second = self.sources.contains(&Source::Stdin);
            self.sources.push(Source::Stdin);
            return match is_second {
                true => Err(Error::new("standard input cannot be used for multiple arguments")),
                false => Ok(()),
            };
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            url::check(name).map_err(|problem| {
                Error::new(format!("the URL passed to filename {name:?} is not valid: {problem}"))
            })?;
            self.sources.push(Source::Url(name.to_owned()));
            return Ok(());
        }
        self.paths(expand(name)?, recursive);
        Ok(())
    }

    fn paths(&mut self, paths: Vec<PathBuf>, recursive: bool) {
        for path in &paths {
            match path.metadata() {
                Ok(_) => self.path(path, recursive),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.errors.push(does_not_exist(&path.to_string_lossy()));
                }
                Err(error) => {
                    let (shown, problem) = (path.to_string_lossy(), os_error(&error));
                    self.errors.push(Error::new(format!(
                        "the path {shown:?} cannot be accessed: stat {shown}: {problem}"
                    )));
                }
            }
        }
        if self.sources.is_empty() && self.errors.is_empty() {
            let shown: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
            self.errors.push(Error::new(format!(
                "error reading [{}]: recognized file extensions are [{}]",
                shown.join(" "),
                EXTENSIONS.join(" ")
            )));
        }
    }

    /// Adds a file of any name, or the files of a directory. A link to a directory is not followed.
    fn path(&mut self, path: &Path, recursive: bool) {
        let is_directory = match path.as_os_str().as_encoded_bytes().last() {
            Some(b'/') => true,
            _ => path.symlink_metadata().is_ok_and(|meta| meta.is_dir()),
        };
        if !is_directory {
            self.sources.push(Source::File(path.to_owned()));
            return;
        }
        let mut files = Vec::new();
        if let Err(problem) = walk(path, recursive, 0, &mut files) {
            let shown = path.to_string_lossy();
            self.errors.push(Error::new(format!("error reading {shown:?}: {problem}")));
            return;
        }
        self.sources.extend(files.into_iter().map(Source::File));
    }
}

/// The path itself. If it does not exist, it is a pattern, and the results are its matches.
fn expand(name: &str) -> Result<Vec<PathBuf>, Error> {
    match Path::new(name).metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        _ => return Ok(vec![name.into()]),
    }
    match glob::glob(name) {
        Ok(found) if found.is_empty() => Err(does_not_exist(name)),
        Ok(found) => Ok(found),
        Err(glob::BadPattern) => {
            Err(Error::new(format!("pattern {name:?} is not valid: syntax error in pattern")))
        }
    }
}

fn does_not_exist(path: &str) -> Error {
    Error::new(format!("the path {path:?} does not exist"))
}

/// Adds the files of a directory in the order of Go's `filepath.Walk`: lexical, with the files of a
/// directory at the place of its name.
fn walk(
    directory: &Path,
    recursive: bool,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("directories are nested more than {MAX_DEPTH} levels deep"));
    }
    let failed = |error: io::Error| format!("open {}: {}", directory.display(), os_error(&error));
    let entries = directory.read_dir().map_err(failed)?;
    let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let path = join(directory, &name);
        if entry.file_type().map_err(failed)?.is_dir() {
            if recursive {
                walk(&path, recursive, depth + 1, files)?;
            }
        } else if has_known_extension(&name) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
    }
    Ok(())
}

/// True for a known extension, by the rule of Go's `filepath.Ext`: the file name `.yaml` is an
/// extension too.
fn has_known_extension(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.rfind('.').is_some_and(|at| EXTENSIONS.contains(&&name[at..]))
}
