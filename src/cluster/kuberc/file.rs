//! A kuberc file. The first YAML document that is a `Preference` is used.

use std::fs;
use std::io;
use std::path::Path;

use super::document::{Document, Preference};
use super::location::Location;
use crate::text::bounded;
use crate::text::go::os_error;

/// Larger than any kuberc. A larger file, such as a disk image or `/dev/zero`, is refused.
const MAX_SIZE: u64 = 1024 * 1024;

/// The content of a file, before the check of the preference.
pub(super) struct UncheckedKuberc {
    pub preference: Result<Option<Preference>, String>,
    pub notice: Option<String>,
    pub log: Vec<String>,
}

impl UncheckedKuberc {
    fn nothing(preference: Result<Option<Preference>, String>) -> Self {
        Self { preference, notice: None, log: Vec::new() }
    }
}

/// Reads the file at `location`.
pub(super) fn load(location: &Location) -> UncheckedKuberc {
    let path = &location.path;
    let failed =
        |doing: &str, err: &io::Error| format!("{doing} {}: {}", path.display(), os_error(err));
    let content = match fs::File::open(path) {
        Ok(file) => read(file).map_err(|err| failed("read", &err)),
        Err(err) if err.kind() == io::ErrorKind::NotFound && !location.is_explicit => {
            return UncheckedKuberc::nothing(Ok(None));
        }
        Err(err) => Err(failed("open", &err)),
    };
    let mut kuberc = match content {
        Ok(content) => of_content(&content, path),
        Err(text) => UncheckedKuberc::nothing(Err(text)),
    };
    kuberc.preference = match kuberc.preference {
        Err(text) if location.is_explicit => Err(format!("kuberc error kuberc: {text}")),
        Err(text) => {
            let path = path.display();
            kuberc.notice = Some(format!("kuberc: no preferences loaded from {path}: {text}"));
            Ok(None)
        }
        preference => preference,
    };
    kuberc
}

fn read(file: fs::File) -> io::Result<Vec<u8>> {
    let content = bounded::read(file, MAX_SIZE)?;
    content.ok_or_else(|| io::Error::other("the file is too large for a kuberc: more than 1 MB"))
}

/// Reads the documents in order. `path` is for messages.
pub(super) fn of_content(content: &[u8], path: &Path) -> UncheckedKuberc {
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
                let errors = document.strict_errors.join(", ");
                let notice = (!errors.is_empty()).then(|| {
                    format!(
                        "kuberc: ignoring strict decoding error in {path}: strict decoding error: \
                         {errors}"
                    )
                });
                return UncheckedKuberc { preference: Ok(Some(document.preference)), notice, log };
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
    UncheckedKuberc { preference, notice: None, log }
}

/// The documents of a file. Only a line with nothing but `---` separates two documents, like in
/// apimachinery's `YAMLReader`.
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
