//! Reads the sources: files, stdin, URLs and kustomizations.

use std::io::{self, Read};
use std::path::Path;

use super::error::Error;
use super::object::{self, Document};
use super::sources::Source;
use super::{kustomize, stream, url};
use crate::text::bounded;
use crate::text::go::os_error;

/// Maximum size of a file, in bytes. An object in etcd has at most 1.5 MiB.
const MAX_FILE: usize = 16 * 1024 * 1024;

/// Maximum size of a manifest from a URL, in bytes, as for every answer from the network.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Reads all sources, in the given order. A syntax error ends its own file only. After an object that
/// cannot be decoded, the rest of the file is read.
pub async fn read(sources: &[Source]) -> Vec<Result<Document, Error>> {
    let mut documents = Vec::new();
    for source in sources {
        let (name, content) = match source {
            Source::Stdin => ("STDIN".to_owned(), in_background(read_stdin).await),
            Source::Url(url) => (url.clone(), url::read(url, MAX_ANSWER).await),
            Source::File(path) => {
                let file = path.clone();
                let content = in_background(move || read_file(&file)).await;
                (path.to_string_lossy().into_owned(), content)
            }
            Source::Kustomization(directory) => {
                (directory.clone(), kustomize::build(directory, MAX_FILE).await)
            }
        };
        match content {
            Ok(content) => documents.append(&mut parse(&content, &name)),
            Err(error) => documents.push(Err(error)),
        }
    }
    documents
}

/// The documents of one stream. `source` is its name in errors.
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
    read_bounded(io::stdin().lock(), "STDIN")
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let shown = path.to_string_lossy();
    let file = std::fs::File::open(path)
        .map_err(|error| Error::new(format!("open {shown}: {}", os_error(&error))))?;
    read_bounded(file, &shown)
}

fn read_bounded(from: impl Read, name: &str) -> Result<Vec<u8>, Error> {
    let content = bounded::read(from, MAX_FILE as u64).map_err(|error| {
        Error::new(format!("error parsing {name}: read {name}: {}", os_error(&error)))
    })?;
    content.ok_or_else(|| {
        let limit = MAX_FILE / (1024 * 1024);
        Error::new(format!("error parsing {name}: larger than {limit} MiB"))
    })
}

/// Runs work on its own thread, because it may block for ever: reading a terminal or a pipe.
/// The program can end while it blocks; a blocking thread of the runtime would prevent that.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().spawn(move || drop(sender.send(work())));
    let failed = |problem: &str| Error::new(format!("reading manifests: {problem}"));
    started.map_err(|error| failed(&os_error(&error)))?;
    receiver.await.map_err(|_| failed("the reading thread ended early"))?
}
