//! A stream of documents → JSON values, as apimachinery's `YAMLOrJSONDecoder` takes it apart.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::go_yaml;
use super::json::{self, Problem};
use crate::text::yaml::read;

/// More than a namespace holds; each costs at least a request.
const MOST_DOCUMENTS: usize = 10_000;

/// Over all documents: what aliases multiply must end somewhere.
const MOST_NODES: usize = 1_000_000;

/// How much of a stream is looked at to tell JSON from YAML.
const PEEKED: usize = 4096;

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub value: Value,
    /// The text it was read from, if that is JSON.
    json: Option<String>,
}

impl Raw {
    /// Its JSON as kubectl shows it in errors.
    pub fn json(&self) -> String {
        self.json.clone().unwrap_or_else(|| compact(&self.value))
    }
}

/// What one document came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Document(Raw),
    /// JSON whose syntax holds, and which still cannot be read: the stream goes on.
    Undecodable(String),
    /// Nothing after this can be read.
    Broken(String),
}

/// All documents but the empty ones, up to and with the first error.
pub(super) fn documents(bytes: &[u8]) -> Vec<Outcome> {
    let text = decode(bytes);
    let mut documents = Documents { found: Vec::new(), seen: 0, nodes: 0 };
    let is_json = text.as_bytes()[..text.len().min(PEEKED)].trim_ascii_start().starts_with(b"{");
    let result = match is_json {
        true => documents.json(&text),
        false => documents.yaml(&text, None),
    };
    if let Err(problem) = result {
        documents.found.push(Outcome::Broken(problem));
    }
    documents.found
}

/// UTF-16 where a byte order mark says so, else UTF-8; whatever is neither becomes U+FFFD, as by
/// Go's `unicode.BOMOverride`.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |of_pair: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| of_pair(*pair)).collect();
        let mut text = String::from_utf16_lossy(&units);
        if !rest.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        Cow::Owned(text)
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

struct Documents {
    found: Vec<Outcome>,
    seen: usize,
    nodes: usize,
}

impl Documents {
    /// JSON values one after the other. After none or one of them it may still be YAML.
    fn json(&mut self, text: &str) -> Result<(), String> {
        let (mut at, mut count) = (0, 0);
        loop {
            let start = json::skip_space(text, at);
            if start == text.len() {
                return Ok(());
            }
            match json::end_of_value(text, start) {
                Ok(end) => {
                    self.json_value(&text[start..end])?;
                    count += 1;
                    at = end;
                }
                Err(problem) if count > 1 => return Err(plain(problem)),
                Err(problem) => {
                    let problem = ambiguous(problem);
                    let Some(rest) = after_line_break(&text[at..]) else { return Err(problem) };
                    return self.yaml(rest, Some(problem));
                }
            }
        }
    }

    fn json_value(&mut self, text: &str) -> Result<(), String> {
        if text == "null" {
            return self.count(&Value::Null);
        }
        match serde_json::from_str::<Value>(&without_lone_surrogates(text)) {
            Ok(value) => self.add(value, Some(text)),
            Err(error) => {
                self.count(&Value::Null)?;
                self.found.push(Outcome::Undecodable(unreadable(text, &error)));
                Ok(())
            }
        }
    }

    /// YAML documents between lines of `---`. `instead` replaces the first document's error.
    fn yaml(&mut self, text: &str, mut instead: Option<String>) -> Result<(), String> {
        let mut rest = text;
        while let Some((document, after)) = next_document(rest) {
            let value = document.and_then(|document| {
                read::document(&document).map_err(|problem| {
                    format!(
                        "error converting YAML to JSON: {}",
                        go_yaml::describe(&problem, &document)
                    )
                })
            });
            let value = value.map_err(|problem| instead.take().unwrap_or(problem))?;
            instead = None;
            rest = after;
            self.add(value, None)?;
        }
        Ok(())
    }

    fn add(&mut self, value: Value, json: Option<&str>) -> Result<(), String> {
        self.count(&value)?;
        if !value.is_null() {
            let json = json.map(str::to_owned);
            self.found.push(Outcome::Document(Raw { value: integral(value), json }));
        }
        Ok(())
    }

    fn count(&mut self, value: &Value) -> Result<(), String> {
        self.seen += 1;
        self.nodes += nodes(value);
        if self.seen > MOST_DOCUMENTS {
            return Err(format!("more than {MOST_DOCUMENTS} documents"));
        }
        if self.nodes > MOST_NODES {
            return Err(format!("more than {MOST_NODES} values"));
        }
        Ok(())
    }
}

/// The next document's text, and what follows it; `None` at the end. As `YAMLReader.Read`.
fn next_document(text: &str) -> Option<(Result<String, String>, &str)> {
    let mut document = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        rest = after;
        if let Some(after) = line.strip_prefix("---") {
            let after = after.trim();
            if !after.is_empty() && !after.starts_with('#') {
                return Some((Err(format!("invalid Yaml document separator: {after}")), ""));
            }
            if !document.is_empty() {
                return Some((Ok(document), rest));
            }
        }
        document.push_str(line);
        document.push('\n');
    }
    (!document.is_empty()).then_some((Ok(document), ""))
}

/// What is left after white space up to and with the first line break, for YAML to read. Go reads
/// four bytes at a time here, and gives up where fewer are left.
fn after_line_break(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        if rest.len() < 4 {
            return None;
        }
        let first = rest.chars().next()?;
        if !first.is_whitespace() {
            return Some(rest);
        }
        rest = &rest[first.len_utf8()..];
        if first == '\n' {
            return Some(rest);
        }
    }
}

fn plain(problem: Problem) -> String {
    match problem {
        Problem::Syntax { text, .. } => text,
        Problem::UnexpectedEof => "unexpected EOF".to_owned(),
    }
}

fn ambiguous(problem: Problem) -> String {
    match problem {
        Problem::Syntax { offset, text } => format!("json: offset {offset}: {text}"),
        Problem::UnexpectedEof => "unexpected EOF".to_owned(),
    }
}

/// Half of a character's UTF-16 escape stands for U+FFFD in Go; our reader refuses it.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        let here = text.len() - rest.len() + at;
        let (length, is_lone) = match (unit(here), unit(here + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, false),
            (Some(0xd800..0xe000), _) => (6, true),
            _ => (2, false),
        };
        let escape = &rest[at..at + length];
        whole.push_str(if is_lone { "\\ufffd" } else { escape });
        rest = &rest[at + length..];
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// A number that no float holds is all that Go's reader stumbles on as well.
fn unreadable(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let is_numeric = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let before = line.get(..error.column()).unwrap_or(line).trim_end_matches(|c| !is_numeric(c));
    let start = before.rfind(|c| !is_numeric(c)).map_or(0, |at| at + 1);
    match error.to_string().starts_with("number out of range") {
        true => {
            let number: String = line[start..].chars().take_while(|c| is_numeric(*c)).collect();
            format!("json: cannot unmarshal number {number} into Go value of type float64")
        }
        false => format!("json: {error}"),
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0,
    }
}

/// As Go's reader of unstructured objects: what is whole is an integer if 64 bits hold it, and
/// everything else a float.
fn integral(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(as_go_number(number)),
        Value::Array(items) => Value::Array(items.into_iter().map(integral).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, integral(value))).collect())
        }
        other => other,
    }
}

fn as_go_number(number: Number) -> Number {
    /// Below it every whole float is exactly an `i64`.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.as_i64().is_some() {
        return number;
    }
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < LIMIT => (float as i64).into(),
        Some(float) => Number::from_f64(float).unwrap_or(number),
        None => number,
    }
}

/// As Go's `json.Marshal`, which has HTML in mind.
fn compact(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => text.push(other),
        }
    }
    text
}
