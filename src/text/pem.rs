//! PEM as Go's `encoding/pem` reads it, to the byte: kubectl reads all certificates and keys with it.
//!
//! A block begins and ends on lines of its own. Text between blocks is ignored, and so is a block
//! that is broken: without its END line, with another label there, or with a body that is not
//! base64.

use std::collections::BTreeMap;
use std::{fmt, iter};

use super::go::base64;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// The longest label that is shown whole. The labels of RFC 7468 have at most 21 characters.
const MAX_LABEL: usize = 64;

/// One PEM block.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// The label after `BEGIN`, such as `CERTIFICATE`. It is text of the file: use
    /// [`Block::shown_label`] in messages.
    pub label: String,
    /// The headers of RFC 1421, such as `Proc-Type`.
    pub headers: BTreeMap<String, String>,
    /// The decoded body. It may be a secret.
    pub content: Vec<u8>,
}

impl Block {
    /// The label for messages. A label that is longer than any real one is shown by its length,
    /// because it may be a part of a damaged key.
    pub fn shown_label(&self) -> String {
        match self.label.len() {
            0..=MAX_LABEL => self.label.clone(),
            length => format!("(a label of {length} bytes)"),
        }
    }
}

/// Leaves out the content, which may be a secret.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("label", &self.shown_label()).finish_non_exhaustive()
    }
}

/// All blocks of a text, in order.
pub fn blocks(text: &[u8]) -> impl Iterator<Item = Block> {
    let mut rest = text;
    iter::from_fn(move || {
        let (block, after) = decode(rest)?;
        rest = after;
        Some(block)
    })
}

/// The next block, and the text after it, as Go's `pem.Decode` (1.25.2 and later) finds them. The
/// time is linear in the length of the text.
pub fn decode(text: &[u8]) -> Option<(Block, &[u8])> {
    let mut searched = 0;
    loop {
        // The search goes back from the first END to the last BEGIN. This keeps the time linear: a
        // BEGIN without an END is skipped.
        let end = searched + find_end(&text[searched..])?;
        let from = searched;
        searched = end + END.len();
        let Some(begin) = find_last_begin(&text[from..end]).map(|at| from + at) else { continue };
        if begin != from && text[begin - 1] != b'\n' {
            continue;
        }
        let (label, body) = line(text, begin + BEGIN.len());
        let Some(label) = label.strip_suffix(DASHES) else { continue };
        let (headers, body) = headers(text, body)?;
        if body > searched {
            // The END line has a colon and was read as a header. Go then stops.
            return None;
        }
        // The END line must not follow the headers directly.
        if !headers.is_empty() && body > end {
            continue;
        }
        let Some(rest) = after_end(&text[searched..], label) else { continue };
        let Some(content) = content(text.get(body..end).unwrap_or_default()) else { continue };
        let label = String::from_utf8_lossy(label).into_owned();
        return Some((Block { label, headers, content }, rest));
    }
}

fn find_end(text: &[u8]) -> Option<usize> {
    let line_ends = text.iter().enumerate().filter(|(_, byte)| **byte == END[0]);
    line_ends.map(|(at, _)| at).find(|&at| text[at..].starts_with(END))
}

fn find_last_begin(text: &[u8]) -> Option<usize> {
    let dashes = text.iter().enumerate().rev().filter(|(_, byte)| **byte == BEGIN[0]);
    dashes.map(|(at, _)| at).find(|&at| text[at..].starts_with(BEGIN))
}

/// The line at an index, without trailing blanks, and the index of the next line.
fn line(text: &[u8], start: usize) -> (&[u8], usize) {
    let rest = &text[start..];
    let (mut line, next) = match rest.iter().position(|&byte| byte == b'\n') {
        Some(at) => (rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]), start + at + 1),
        None => (rest, text.len()),
    };
    while let [kept @ .., b' ' | b'\t'] = line {
        line = kept;
    }
    (line, next)
}

/// The lines with a colon at an index, and the index of the line after them. `None` if the text
/// ends with them.
fn headers(text: &[u8], mut start: usize) -> Option<(BTreeMap<String, String>, usize)> {
    let mut headers = BTreeMap::new();
    let trimmed = |part: &[u8]| String::from_utf8_lossy(part).trim().to_owned();
    while start < text.len() {
        let (line, next) = line(text, start);
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Some((headers, start));
        };
        headers.insert(trimmed(&line[..colon]), trimmed(&line[colon + 1..]));
        start = next;
    }
    None
}

/// Takes the text after `-----END `, and returns the text after that line. `None` if the line has
/// another label, or anything but blanks after the dashes.
fn after_end<'a>(text: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    let rest = text.strip_prefix(label)?.strip_prefix(DASHES)?;
    let (remains, next) = line(rest, 0);
    remains.is_empty().then(|| &rest[next..])
}

fn content(body: &[u8]) -> Option<Vec<u8>> {
    if !body.contains(&b' ') && !body.contains(&b'\t') {
        return base64::decode(body);
    }
    let mut compact = body.to_vec();
    compact.retain(|byte| !matches!(byte, b' ' | b'\t'));
    base64::decode(&compact)
}

#[cfg(test)]
mod tests {
    use ::base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    const A: &str = "-----BEGIN A-----\nYWJj\n-----END A-----\n";

    /// The labels and contents of all blocks, and the rest.
    fn read(text: &str) -> (Vec<(String, String)>, String) {
        let (mut found, mut rest) = (Vec::new(), text.as_bytes());
        while let Some((block, after)) = decode(rest) {
            found.push((block.label, String::from_utf8(block.content).unwrap()));
            rest = after;
        }
        (found, String::from_utf8(rest.to_vec()).unwrap())
    }

    fn labels(text: &str) -> String {
        let labels: Vec<_> = blocks(text.as_bytes()).map(|block| block.label).collect();
        labels.join(",")
    }

    #[test]
    fn blocks_and_the_rest_are_found_where_go_finds_them() {
        let (found, rest) = read(&format!("before\n{A}between\n{A}after"));
        assert_eq!(found, vec![("A".to_owned(), "abc".to_owned()); 2]);
        assert_eq!(rest, "after");
        assert_eq!(read("no block"), (vec![], "no block".to_owned()));
    }

    #[test]
    fn forms_that_go_takes() {
        for text in [
            // Line ends, blanks at the end of a line and inside the body, no last line end.
            "-----BEGIN A-----\r\nYWJj\r\n-----END A-----\r\n",
            "-----BEGIN A----- \t\nYWJj\n-----END A----- \t\n",
            "-----BEGIN A-----\n YW Jj\t\n-----END A-----",
            "-----BEGIN A-----\n\n\nY\nWJ\r\nj\n\n-----END A-----",
            // Headers, with a blank line after them and without one.
            "-----BEGIN A-----\nk: v\nProc-Type: 4,CLEAR\n\nYWJj\n-----END A-----",
            "-----BEGIN A-----\nk: v\nYWJj\n-----END A-----",
            // A BEGIN line whose END line is missing, before the block.
            "-----BEGIN B-----\nYWJj\n-----BEGIN A-----\nYWJj\n-----END A-----",
            "-----END A-----\n-----BEGIN A-----\nYWJj\n-----END A-----",
            // A broken block after the block.
            "-----BEGIN A-----\nYWJj\n-----END A-----\n-----BEGIN A-----\n%\n-----END A-----",
        ] {
            assert_eq!(read(text).0, [("A".to_owned(), "abc".to_owned())], "{text:?}");
        }
        assert_eq!(read("-----BEGIN A-----\n-----END A-----").0, [("A".into(), String::new())]);
        assert_eq!(read("-----BEGIN A-----\nYR==\n-----END A-----").0, [("A".into(), "a".into())]);
    }

    #[test]
    fn forms_that_go_ignores() {
        for text in [
            // Lines that do not begin a line, or do not end one.
            " -----BEGIN A-----\nYWJj\n-----END A-----\n",
            "\u{feff}-----BEGIN A-----\nYWJj\n-----END A-----\n",
            "-----BEGIN A-----\nYWJj\n -----END A-----\n",
            "-----BEGIN A----- x\nYWJj\n-----END A-----\n",
            "-----BEGIN A-----\nYWJj\n-----END A----- x\n",
            "-----BEGIN A-----\rYWJj\r-----END A-----\r",
            "-----BEGIN A----- YWJj -----END A-----",
            "-----BEGIN A-----\nYWJj-----END A-----\n",
            // Labels.
            "-----BEGIN A-----\nYWJj\n-----END B-----\n",
            "-----BEGIN A-----\nYWJj\n-----END AA-----\n",
            "-----BEGIN A----\nYWJj\n-----END A----\n",
            "----BEGIN A-----\nYWJj\n-----END A-----\n",
            "-----begin A-----\nYWJj\n-----end A-----\n",
            // Bodies.
            "-----BEGIN A-----\nYWJ\n-----END A-----\n",
            "-----BEGIN A-----\nYW-j\n-----END A-----\n",
            "-----BEGIN A-----\nYWJjZA==YWJj\n-----END A-----\n",
            "-----BEGIN A-----\n# YWJj\n-----END A-----\n",
            // Headers up to the END line, and a header inside the body.
            "-----BEGIN A-----\nk: v\n-----END A-----\n",
            "-----BEGIN A-----\nYWJj\nk: v\n-----END A-----\n",
            "-----BEGIN A-----\n",
            "-----BEGIN A-----\nYWJj\n",
            "-----BEGIN A-----\nYWJj\n-----END ",
        ] {
            assert_eq!(read(text), (vec![], text.to_owned()));
            // A good block after it is found.
            assert_eq!(labels(&format!("{text}\n{A}")), "A", "{text:?}");
        }
        // A colon in the END line makes it a header. Go stops there.
        assert_eq!(labels(&format!("-----BEGIN A-----\nk: v\n-----END A: -----\nx: y\n{A}")), "");
    }

    #[test]
    fn headers_are_read() {
        let text = "-----BEGIN A-----\nProc-Type :  4,ENCRYPTED \nDEK-Info: a:b\n\n-----END A-----";
        let (block, _) = decode(text.as_bytes()).unwrap();
        let headers: Vec<_> = block.headers.into_iter().collect();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(headers, [pair("DEK-Info", "a:b"), pair("Proc-Type", "4,ENCRYPTED")]);
    }

    #[test]
    fn a_damaged_key_is_shown_neither_as_a_label_nor_by_debug() {
        let body = "MHcCAQEE".repeat(9);
        let text = format!("-----BEGIN {body}-----\n{body}\n-----END {body}-----\n");
        let (block, _) = decode(text.as_bytes()).unwrap();
        assert_eq!(block.shown_label(), "(a label of 72 bytes)");
        assert!(!format!("{block:?}").contains("MHc"));
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let line_end = *random.choice(&["\n", "\r\n", " \n", "\t\r\n"]).unwrap();
            let (mut text, mut expected) = (String::new(), Vec::new());
            for _ in 0..random.usize(0..4) {
                let label = *random.choice(&["A", "RSA PRIVATE KEY", "", "- -", "Ä"]).unwrap();
                let mut content = vec![0; random.usize(..99)];
                random.fill(&mut content);
                let headers = format!("k: v:{line_end}").repeat(random.usize(..3));
                let width = random.usize(1..80);
                let body = BASE64_STANDARD.encode(&content);
                let lines: Vec<&str> = body
                    .as_bytes()
                    .chunks(width)
                    .map(|line| std::str::from_utf8(line).unwrap())
                    .collect();
                let noise =
                    *random.choice(&["", "subject: x\n", "-----\n", "-----BEGIN X\n"]).unwrap();
                let blank = if headers.is_empty() { "" } else { line_end };
                text += &format!(
                    "{noise}-----BEGIN {label}-----{line_end}{headers}{blank}{}{line_end}-----END {label}-----{line_end}",
                    lines.join(line_end)
                );
                expected.push((label.to_owned(), content));
            }
            let found = blocks(text.as_bytes()).map(|block| (block.label, block.content));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn damaged_text_neither_panics_nor_hangs() {
        let seed = format!("x\n{A}-----BEGIN B-----\nk: v\n\nYWJj\n-----END B-----\n{A}");
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..20_000 {
            let mut text = seed.clone().into_bytes();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..text.len());
                match random.u8(0..4) {
                    0 => text.truncate(at.max(1)),
                    1 => text.insert(at, *random.choice(b"-\n\r :A=\xff").unwrap()),
                    2 => text[at] = random.u8(..),
                    _ => drop(text.drain(at..(at + random.usize(1..12)).min(text.len()))),
                }
                if text.is_empty() {
                    break;
                }
            }
            let mut rest = &text[..];
            while let Some((block, after)) = decode(rest) {
                assert!(after.len() < rest.len() && rest.ends_with(after));
                assert!(block.content.len() < rest.len() - after.len());
                rest = after;
            }
        }
    }

    #[test]
    fn a_large_text_without_a_block_takes_linear_time() {
        for line in ["-----BEGIN A-----\n", "-----END A-----\n", "-----BEGIN A\n", "k: v\n", "-"] {
            assert_eq!(labels(&line.repeat(200_000)), "");
        }
        let open = "-----BEGIN A-----\nk: v\n\n-----END B-----\n".repeat(50_000);
        assert_eq!(labels(&open), "");
    }
}
