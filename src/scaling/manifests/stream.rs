//! Splits a stream into documents, as apimachinery's `YAMLOrJSONDecoder` does.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::json::{self, Problem};
use crate::text::yaml::read;

/// The most documents in a stream. Each needs at least one request.
const MAX_DOCUMENTS: usize = 10_000;

/// The most values in all documents together, since YAML aliases multiply them.
const MAX_NODES: usize = 1_000_000;

/// The number of bytes that decide if a stream is JSON or YAML.
const PEEKED: usize = 4096;

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub value: Value,
    /// The source text, if it is JSON.
    json: Option<String>,
}

impl Raw {
    /// The JSON that kubectl shows in errors.
    pub fn json(&self) -> String {
        self.json.clone().unwrap_or_else(|| compact(&self.value))
    }
}

/// The result for one document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Document(Raw),
    /// The JSON has a valid syntax, but cannot be read. The next documents are read.
    Undecodable(String),
    /// The syntax is wrong. The next documents cannot be read.
    Broken(String),
}

/// All documents except empty ones, up to the first syntax error.
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

/// Decodes UTF-16 if a byte order mark says so, otherwise UTF-8. Invalid bytes become U+FFFD, as in
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
    /// Reads JSON values, one after the other. If the first or the second fails, the rest is read as YAML.
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

    /// Reads YAML documents between lines of `---`. `first_error` replaces the error of the first one.
    fn yaml(&mut self, text: &str, mut first_error: Option<String>) -> Result<(), String> {
        let mut rest = text;
        while let Some((document, after)) = next_document(rest) {
            let value = document.and_then(|document| {
                read::document(&document)
                    .map_err(|problem| format!("error converting YAML to JSON: {}", problem))
            });
            let value = value.map_err(|problem| first_error.take().unwrap_or(problem))?;
            first_error = None;
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
        if self.seen > MAX_DOCUMENTS {
            return Err(format!("more than {MAX_DOCUMENTS} documents"));
        }
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} values"));
        }
        Ok(())
    }
}

/// The text of the next document and the rest, as `YAMLReader.Read` splits them; `None` at the end.
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

/// The text after the white space and the first line break, to be read as YAML. Go reads four bytes
/// at a time here, and stops if fewer are left.
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

/// Replaces one half of a UTF-16 pair of escapes by U+FFFD, as Go does. Our reader would refuse it.
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

/// The error for valid JSON that cannot be read. Go's reader fails only on a number that is too large
/// for a float.
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

/// Converts numbers as Go's reader of unstructured objects does: a whole number that fits into 64 bits
/// is an integer, and every other number is a float.
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
    /// Every whole float below this limit is exactly an `i64`.
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

/// JSON as Go's `json.Marshal` writes it, with the characters of HTML escaped.
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
