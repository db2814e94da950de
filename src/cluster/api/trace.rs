//! The log on stderr (`-v`), in the format of klog and of client-go's debugging round tripper.

use std::fmt::Write as _;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::text::terminal::{is_silent, masked, printable};
use crate::text::{go, stderr};

/// The log on stderr, up to a level.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace {
    level: i64,
}

/// Headers as `(name, value)`, with secrets masked.
type Headers = [(String, String)];

impl Trace {
    /// `level` is the value of `-v`.
    pub fn new(level: i64) -> Self {
        Self { level }
    }

    /// True if the log shows messages of this level.
    pub fn shows(self, level: i64) -> bool {
        self.level >= level
    }

    /// Logs one line of text, as klog's `V(level).Info`.
    pub fn info(self, level: i64, file: &str, text: &str) {
        if self.shows(level) {
            write_line(file, text);
        }
    }

    /// Logs a warning, which klog writes at every level.
    pub fn warning(file: &str, text: &str) {
        write_with_severity('W', file, text);
    }

    /// Logs an error that does not end the run, which klog writes at every level.
    pub(super) fn error(file: &str, text: &str) {
        write_with_severity('E', file, text);
    }

    pub(super) fn request(self, verb: &str, url: &str, headers: &Headers, body: &[u8]) {
        self.body("Request Body", body);
        match self.level {
            ..=6 => {}
            7 | 8 => write_line(
                FILE,
                &format!(
                    "\"Request\" verb={} url={} headers={}",
                    value(verb),
                    value(url),
                    value(&header_lines(headers))
                ),
            ),
            _ => write_line(
                FILE,
                &format!(
                    "\"Request\" curlCommand={}",
                    value(&format!("{}\n", curl(verb, url, headers)))
                ),
            ),
        }
    }

    /// Logs that a connection was opened for this request.
    pub(super) fn connected(self, address: &str) {
        if self.shows(9) {
            let text =
                format!("\"HTTP Trace: Dial succeed\" network=\"tcp\" address={}", value(address));
            write_line(FILE, &text);
        }
    }

    pub(super) fn response(self, exchange: &Exchange<'_>) {
        if !self.shows(6) {
            return;
        }
        let mut line = String::from("\"Response\"");
        if self.level == 6 || self.level >= 9 {
            push(&mut line, "verb", exchange.verb);
            push(&mut line, "url", exchange.url);
        }
        push(&mut line, "status", exchange.status);
        if self.shows(8) {
            push(&mut line, "headers", &header_lines(exchange.headers));
        }
        let _ = write!(line, " milliseconds={}", exchange.took.as_millis());
        if self.shows(9) {
            // The HTTP library measures TCP and TLS together. The log shows the sum as
            // `connectMilliseconds`, a key that client-go does not have.
            if let Some(connecting) = exchange.connecting {
                let _ = write!(line, " connectMilliseconds={}", connecting.as_millis());
            }
            let waited = exchange.took.saturating_sub(exchange.connecting.unwrap_or_default());
            let _ = write!(line, " serverProcessingMilliseconds={}", waited.as_millis());
        }
        write_line(FILE, &line);
    }

    pub(super) fn body(self, title: &str, body: &[u8]) {
        let limit = match self.level {
            ..=7 => return,
            8 => 1024,
            9 => 10240,
            _ => usize::MAX,
        };
        let text = String::from_utf8_lossy(body);
        let text = masked(&text);
        let shown = match text.char_indices().nth(limit) {
            Some((end, _)) => {
                format!("{} [truncated {} chars]", &text[..end], text[end..].chars().count())
            }
            None => text.into_owned(),
        };
        write_line(FILE, &format!("{} body={}", go::quote(title), value(&shown)));
    }
}

/// A request and its reply. `status` is empty without a reply.
pub struct Exchange<'a> {
    pub verb: &'a str,
    pub url: &'a str,
    pub status: &'a str,
    pub headers: &'a Headers,
    pub took: Duration,
    /// The time to open the connection; `None` if it was already open.
    pub connecting: Option<Duration>,
}

const FILE: &str = "trace.rs";

fn push(line: &mut String, key: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = write!(line, " {key}={}", value(text));
}

/// klog's form of a string: quoted, or an indented block for several lines.
fn value(text: &str) -> String {
    if !text.contains('\n') {
        return go::quote(text);
    }
    let mut block = String::from("<\n");
    for line in text.lines() {
        let _ = writeln!(block, "\t{line}");
    }
    block.push_str(" >");
    block
}

fn header_lines(headers: &Headers) -> String {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{}: {value}\n", canonical(name))).collect();
    lines.sort();
    lines.concat()
}

fn curl(verb: &str, url: &str, headers: &Headers) -> String {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("-H {}", go::quote(&format!("{}: {value}", canonical(name)))))
        .collect();
    format!("curl -v -X{verb}  {} '{url}'", headers.join(" "))
}

/// A header's name as Go prints it: `Content-Type` for `content-type`.
fn canonical(name: &str) -> String {
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn write_line(file: &str, text: &str) {
    write_with_severity('I', file, text);
}

/// Writes a line with klog's header: severity, date, local time, process, file.
fn write_with_severity(severity: char, file: &str, text: &str) {
    if is_silent() {
        return;
    }
    // The local time zone is not always known; then the log uses UTC.
    let now = OffsetDateTime::now_local().unwrap_or_else(|_| OffsetDateTime::now_utc());
    let stamp = now
        .format(format_description!("[month][day] [hour]:[minute]:[second].[subsecond digits:6]"))
        .unwrap_or_default();
    let pid = std::process::id();
    stderr::write(format!("{severity}{stamp} {pid:>7} {file}:1] {}", printable(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_become_a_block() {
        assert_eq!(value("a \"b\""), "\"a \\\"b\\\"\"");
        assert_eq!(value("{}\n"), "<\n\t{}\n >");
        assert_eq!(value("a\nb"), "<\n\ta\n\tb\n >");
    }

    #[test]
    fn header_names_have_gos_case_and_only_header_lines_are_sorted() {
        let headers = [
            ("user-agent".to_owned(), "x".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        assert_eq!(header_lines(&headers), "Accept: application/json\nUser-Agent: x\n");
        assert_eq!(
            curl("GET", "https://h/p?a=b", &headers),
            "curl -v -XGET  -H \"User-Agent: x\" -H \"Accept: application/json\" 'https://h/p?a=b'"
        );
    }
}
