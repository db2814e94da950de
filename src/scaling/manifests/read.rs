//! Reading the files, and stdin.

use std::io::{self, Read};
use std::path::Path;

use super::error::Error;
use super::object::{self, Document};
use super::sources::Source;
use super::{kustomize, stream, url};
use crate::text::bounded;
use crate::text::go::os_error;

/// More than any file that anybody wrote; etcd takes objects of 1.5 MiB.
const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// As for every answer from the network.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

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
                (directory.clone(), kustomize::build(directory, LARGEST_FILE).await)
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
