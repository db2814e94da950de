//! Targets from manifests: `-f` (files, patterns, directories, URLs, stdin) and `-k`.
//!
//! In two steps, as kubectl's: [`Sources::check`] resolves what was typed and finds what is wrong
//! with it, [`read`] reads. The rules are those of cli-runtime's `resource` package, the errors
//! are in its words.

mod complaint;
mod filenames;
mod glob;
mod go_yaml;
mod json;
mod kustomize;
mod object;
mod paths;
mod resolve;
mod selector;
mod stream;
mod url;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use filenames::split as split_filenames;
pub use object::{Document, Object};
pub use resolve::{ListErrors, ManifestRules, resolve_manifests};
pub use selector::Selector;

use crate::cluster::api::Failure;
use crate::text::bounded;
use crate::text::go::os_error;

/// More than any file that anybody wrote; etcd takes objects of 1.5 MiB.
const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// As for every answer from the network.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Each `-f`, split at commas ([`split_filenames`]).
    pub filenames: Vec<String>,
    /// `-k`; an empty one counts as none.
    pub kustomize: Option<String>,
    /// `-R`
    pub recursive: bool,
}

impl Sources {
    /// Whether neither `-f` nor `-k` names anything.
    pub fn is_empty(&self) -> bool {
        self.filenames.is_empty() && self.kustomize.as_deref().unwrap_or_default().is_empty()
    }
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`
    Stdin,
    /// `http://` or `https://`, as it was typed.
    Url(String),
    /// A file, typed or found.
    File(PathBuf),
    /// A directory with a kustomization, or whatever else `kustomize build` takes.
    Kustomization(String),
}

/// Why there is no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The whole text, without kubectl's `error: `.
    #[error("{0}")]
    Text(String),
    /// A URL could not be read. kubectl reports a single one of these as it reports an API server
    /// that cannot be reached, and this text only among others.
    #[error("Get {url:?}: {failure}")]
    Unreachable {
        /// As it was typed.
        url: String,
        /// What went wrong on the way.
        failure: Failure,
    },
}

impl Error {
    fn new(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// Reads everything, in the given order. An error ends its own stream at most: what follows in
/// other files, and in the same file behind an object that cannot be decoded, is read all the same.
pub async fn read(sources: &[Source]) -> Vec<Result<Document, Error>> {
    let mut documents = Vec::new();
    for source in sources {
        let (name, content) = match source {
            Source::Stdin => ("STDIN".to_owned(), in_background(read_stdin).await),
            Source::Url(url) => (url.clone(), url::read(url, LARGEST_ANSWER).await),
            Source::File(path) => {
                let file = path.clone();
                let content = in_background(move || read_file(&file)).await;
                (path.to_string_lossy().into_owned(), content)
            }
            Source::Kustomization(directory) => {
                (directory.clone(), kustomize::build(directory).await)
            }
        };
        match content {
            Ok(content) => documents.append(&mut parse(&content, &name)),
            Err(error) => documents.push(Err(error)),
        }
    }
    documents
}

/// The documents of one stream; `source` is what errors name it.
pub fn parse(content: &[u8], source: &str) -> Vec<Result<Document, Error>> {
    let documents = stream::documents(content).into_iter();
    let decode = |outcome| match outcome {
        stream::Outcome::Document(raw) => object::decode(raw, source),
        stream::Outcome::Undecodable(problem) => {
            Err(Error::new(format!("unable to decode {source:?}: {problem}")))
        }
        stream::Outcome::Broken(problem) => {
            Err(Error::new(format!("error parsing {source}: {problem}")))
        }
    };
    documents.map(decode).collect()
}

fn read_stdin() -> Result<Vec<u8>, Error> {
    bounded(io::stdin().lock(), "STDIN")
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let shown = path.to_string_lossy();
    let file = std::fs::File::open(path)
        .map_err(|error| Error::new(format!("open {shown}: {}", os_error(&error))))?;
    bounded(file, &shown)
}

fn bounded(from: impl Read, name: &str) -> Result<Vec<u8>, Error> {
    let content = bounded::read(from, LARGEST_FILE as u64).map_err(|error| {
        Error::new(format!("error parsing {name}: read {name}: {}", os_error(&error)))
    })?;
    content.ok_or_else(|| {
        let limit = LARGEST_FILE / (1024 * 1024);
        Error::new(format!("error parsing {name}: larger than {limit} MiB"))
    })
}

/// Runs what may block for ever, as reading a terminal or a pipe, where nothing waits for it: the
/// runtime's own threads would hold up the end of the program.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().spawn(move || drop(sender.send(work())));
    let failed = |problem: &str| Error::new(format!("reading manifests: {problem}"));
    started.map_err(|error| failed(&os_error(&error)))?;
    receiver.await.map_err(|_| failed("the reader broke off"))?
}

#[cfg(test)]
mod tests;
