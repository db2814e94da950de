//! A kuberc file: the first of its YAML documents that is a `Preference` counts.

use std::fs;
use std::io;
use std::path::Path;

use super::Place;
use super::document::{Document, Preference};
use crate::text::bounded;
use crate::text::go::os_error;

/// No kuberc is larger; a file that is (a disk image, `/dev/zero`) is not read to its end.
const MAX_SIZE: u64 = 1024 * 1024;

/// What a file gave; the preference is not checked yet.
pub(super) struct Unchecked {
    pub preference: Result<Option<Preference>, String>,
    pub notice: Option<String>,
    pub log: Vec<String>,
}

impl Unchecked {
    fn nothing(preference: Result<Option<Preference>, String>) -> Self {
        Self { preference, notice: None, log: Vec::new() }
    }
}

/// Reads the file at `place`.
pub(super) fn load(place: &Place) -> Unchecked {
    let path = &place.path;
    let failed =
        |doing: &str, err: &io::Error| format!("{doing} {}: {}", path.display(), os_error(err));
    let content = match fs::File::open(path) {
        Ok(file) => read(file).map_err(|err| failed("read", &err)),
        Err(err) if err.kind() == io::ErrorKind::NotFound && !place.is_explicit => {
            return Unchecked::nothing(Ok(None));
        }
        Err(err) => Err(failed("open", &err)),
    };
    let mut unchecked = match content {
        Ok(content) => of_content(&content, path),
        Err(text) => Unchecked::nothing(Err(text)),
    };
    unchecked.preference = match unchecked.preference {
        Err(text) if place.is_explicit => Err(format!("kuberc error kuberc: {text}")),
        Err(text) => {
            let path = path.display();
            unchecked.notice = Some(format!("kuberc: no preferences loaded from {path}: {text}"));
            Ok(None)
        }
        preference => preference,
    };
    unchecked
}

fn read(file: fs::File) -> io::Result<Vec<u8>> {
    let content = bounded::read(file, MAX_SIZE)?;
    content.ok_or_else(|| io::Error::other("the file is larger than 1 MB, which no kuberc is"))
}

/// Reads the documents one after the other; `path` is for texts.
pub(super) fn of_content(content: &[u8], path: &Path) -> Unchecked {
    let path = path.display();
    let mut log = Vec::new();
    let mut attempted = 0;
    for document in documents(content) {
        if document.trim_ascii().is_empty() {
            continue;
        }
        attempted += 1;
        match Document::parse(document) {
            Ok(document) => {
                let version = document.group_version;
                log.push(format!("kuberc: using entry {attempted} ({version}) in {path}"));
                let oddities = document.oddities.join(", ");
                let notice = (!oddities.is_empty()).then(|| {
                    format!(
                        "kuberc: ignoring strict decoding error in {path}: strict decoding error: \
                         {oddities}"
                    )
                });
                return Unchecked { preference: Ok(Some(document.preference)), notice, log };
            }
            Err(text) => log.push(format!(
                "kuberc: strict decoding error for entry {attempted} in {path}: {text}"
            )),
        }
    }
    let preference = match attempted {
        0 => {
            log.push(format!("kuberc: no preferences found in {path}"));
            Ok(None)
        }
        _ => Err(format!("no valid preferences found in {path}, use --v=5 to see details")),
    };
    Unchecked { preference, notice: None, log }
}

/// As apimachinery's `YAMLReader`: only `---` alone on its line parts two documents.
fn documents(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(content);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut start = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            if line.strip_prefix(b"---").is_some_and(|rest| rest.trim_ascii().is_empty()) {
                rest = Some(&text[end..]);
                return Some(&text[..start]);
            }
            start = end;
        }
        rest = None;
        Some(text)
    })
}
