//! YAML as kubectl reads it, converted to a JSON value: YAML 1.1, only the first document, the last
//! of duplicate keys wins. JSON is valid YAML.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::{
    DuplicateKeyPolicy, Error as ParserError, MergeKeyPolicy, NonFiniteFloatPolicy, Options,
};

/// An error in a YAML text. `Display` is kubectl's text without a file name: `yaml: line 3: …`.
/// Unlike in kubectl, the line is never left out and always counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// The line, from 1; `None` if the error has no position.
    pub line: Option<u64>,
    /// libyaml's text if it has one.
    pub text: String,
    /// True if the YAML is valid, but has a value that JSON cannot represent.
    pub is_json: bool,
    /// True if `line` is the start of a quote or bracket that is never closed.
    pub is_unclosed: bool,
}

impl YamlError {
    fn at(line: Option<u64>, text: impl Into<String>) -> Self {
        Self { line, text: text.into(), is_json: false, is_unclosed: false }
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_json, self.line) {
            (true, _) => write!(f, "json: {}", self.text),
            (false, Some(line)) => write!(f, "yaml: line {line}: {}", self.text),
            (false, None) => write!(f, "yaml: {}", self.text),
        }
    }
}

/// Reads the first document of a file, in any encoding that kubectl accepts. A text without content
/// is `Null`.
///
/// # Errors
/// [`YamlError`]'s text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = decode(bytes)?;
    // The JSON reader is faster for JSON. Text that it refuses may still be YAML.
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(&text)
    {
        return Ok(value);
    }
    document(&text).map_err(|problem| problem.to_string())
}

/// Reads the first document of `text`. A document without content is `Null`. The limits are 100
/// levels and 2 million nodes.
///
/// The YAML reader differs from kubectl's in three points:
/// - Plain `yEs` and other mixed cases are booleans; in kubectl they are text.
/// - It accepts a few flow collections that libyaml refuses.
/// - `null` may be a key.
pub(crate) fn document(text: &str) -> Result<Value, YamlError> {
    // Most texts are printable ASCII. This check is cheaper than the search for control characters.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
    if !is_plain && let Some(at) = text.find(is_control) {
        let line = 1 + text[..at].matches('\n').count() as u64;
        return Err(YamlError::at(Some(line), "control characters are not allowed"));
    }
    // Errors in later documents must be ignored, so the first document is taken out of the reader
    // before the reader continues.
    let mut first = None;
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |reader| {
        first = Some(Node::deserialize(reader)?.0);
        Ok(())
    });
    match (first, read) {
        (Some(value), _) => Ok(value),
        (None, Ok(())) => Ok(Value::Null),
        (None, Err(err)) => Err(describe(&err)),
    }
}

/// The first duplicate key in the first document, and its line. [`parse`] reports all other errors.
pub(crate) fn duplicate_key(bytes: &[u8]) -> Option<(u64, String)> {
    let text = decode(bytes).ok()?;
    let mut options = options();
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    let read = serde_saphyr::with_deserializer_from_str_with_options(&text, options, |reader| {
        Node::deserialize(reader).map(drop)
    });
    match read.as_ref().err()?.without_snippet() {
        ParserError::DuplicateMappingKey { key: Some(key), location } => {
            Some((location.line(), key.clone()))
        }
        _ => None,
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 100, max_nodes: 2_000_000, max_events: 4_000_000 },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::Merge,
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

/// Decodes UTF-8, or UTF-16 after a byte order mark.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let utf16 = |of_pair: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| of_pair(*pair)).collect();
        String::from_utf16(&units)
            .ok()
            .filter(|_| rest.is_empty())
            .map(Cow::Owned)
            .ok_or_else(|| "yaml: incomplete UTF-16 character".to_owned())
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|err| {
                let read = &bytes[..err.valid_up_to()];
                let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
                format!("yaml: line {line}: invalid leading UTF-8 octet")
            })
        }
    }
}

/// True for a control character that libyaml's reader refuses at any position.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
}

/// Converts a parser error to kubectl's text.
fn describe(err: &ParserError) -> YamlError {
    let err = err.without_snippet();
    let line = err.location().map(|at| at.line()).filter(|line| *line > 0);
    let text = match err {
        ParserError::NonFiniteFloat { value, .. } => {
            return YamlError { is_json: true, ..YamlError::at(None, unsupported_number(value)) };
        }
        ParserError::MergeValueNotMapOrSeqOfMaps { .. } => {
            "map merge requires map or sequence of maps as the value".to_owned()
        }
        ParserError::UnknownAnchor { .. } => "unknown anchor referenced".to_owned(),
        ParserError::RecursiveReferencesRequireWeakTypes { .. } => {
            "anchor value contains itself".to_owned()
        }
        // Only the first line: some of the parser's texts are long.
        other => {
            let text = other.to_string();
            in_libyamls_words(text.lines().next().unwrap_or_default()).to_owned()
        }
    };
    let is_unclosed = err.to_string().contains("unclosed ");
    YamlError { is_unclosed, ..YamlError::at(line, text) }
}

/// The parser's text without context and position, or libyaml's text where they differ.
fn in_libyamls_words(message: &str) -> &str {
    const DIFFERENT: [(&str, &str); 7] = [
        ("unclosed quote", "found unexpected end of stream"),
        ("simple key expected", "could not find expected ':'"),
        ("mismatched bracket", "did not find expected node content"),
        ("misplaced bracket", "did not find expected key"),
        ("unclosed bracket '['", "did not find expected ',' or ']'"),
        ("unclosed bracket '{'", "did not find expected ',' or '}'"),
        ("unexpected character", "found character that cannot start any token"),
    ];
    let problem = match message.split_once(", ") {
        Some((context, problem)) if context.starts_with("while ") => problem,
        _ => message,
    };
    let problem = match problem.rfind(" at line ") {
        Some(at) => &problem[..at],
        None => problem,
    };
    let known = DIFFERENT.iter().find(|(start, _)| problem.starts_with(start));
    known.map_or(problem, |(_, text)| text)
}

fn unsupported_number(value: &str) -> String {
    let name = match value {
        v if v.to_ascii_lowercase().contains("nan") => "NaN",
        v if v.starts_with('-') => "-Inf",
        _ => "+Inf",
    };
    format!("unsupported value: {name}")
}

/// A YAML node as JSON. It is not `Value` itself, whose keys must be text: YAML has keys of any
/// type, which kubectl converts to text.
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Node)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Node(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((Node(key), Node(value))) = map.next_entry()? {
            let key = match key {
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => {
                    return Err(serde::de::Error::custom("invalid map key"));
                }
                other => other.to_string(),
            };
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_have_the_same_type_as_in_kubectl() {
        let table = [
            ("yes", json!(true)),
            ("On", json!(true)),
            ("y", json!(true)),
            ("N", json!(false)),
            ("off", json!(false)),
            ("'yes'", json!("yes")),
            ("!!str yes", json!("yes")),
            ("017", json!(15)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("1_000", json!(1000)),
            ("-0b1", json!(-1)),
            ("1e3", json!(1000.0)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("''", json!("")),
            ("2001-01-01", json!("2001-01-01")),
            ("12:30", json!("12:30")),
            ("!foo x", json!("x")),
            ("!!binary aGk=", json!("hi")),
            ("it # is", json!("it")),
            ("0o9", json!("0o9")),
        ];
        for (text, expected) in table {
            let value = parse(format!("a: {text}\n").as_bytes());
            assert_eq!(value, Ok(json!({ "a": expected })), "{text}");
        }
        for text in ["08", "0123456789", "123456789012345678901234567890"] {
            let value = parse(format!("a: {text}\n").as_bytes()).unwrap();
            assert!(value["a"].is_number(), "{text}: {value}");
        }
    }

    #[test]
    fn documents_and_encodings_are_read_as_kubectl_reads_them() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(bytes).collect::<Vec<u8>>()
        };
        let a = json!({"a": "b"});
        let table: Vec<(Vec<u8>, Value)> = vec![
            (b"".to_vec(), json!(null)),
            (b"# only a comment\n".to_vec(), json!(null)),
            (b"---\n---\na: b\n".to_vec(), json!(null)),
            (b"\xef\xbb\xbfa: b\n".to_vec(), a.clone()),
            (b"a: b\r\n".to_vec(), a.clone()),
            (b"a: b\n---\na: c\n".to_vec(), a.clone()),
            (b"a: b\n---\n}\n".to_vec(), a.clone()),
            (b"a: b\n...\nfoo\n".to_vec(), a.clone()),
            (b"{\"a\": \"b\"}".to_vec(), a.clone()),
            (b"{\"a\": \"b\",}".to_vec(), a.clone()),
            (b"{\"a\": \"b\"} x".to_vec(), a.clone()),
            (b"a: c\na: b\n".to_vec(), a.clone()),
            (b"<<: {a: c}\na: b\n".to_vec(), a.clone()),
            (b"<<: {a: b}\n".to_vec(), a.clone()),
            (utf16("a: b\n", u16::to_le_bytes), a.clone()),
            (utf16("a: b\n", u16::to_be_bytes), a),
            (b"x: &x {a: b}\n<<: [*x, {a: c}]\n".to_vec(), json!({"x": {"a": "b"}, "a": "b"})),
            (b"1: a\nyes: b\n~: c\n".to_vec(), json!({"1": "a", "true": "b", "null": "c"})),
        ];
        for (bytes, expected) in table {
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(parse(&bytes), Ok(expected), "{shown:?}");
        }
    }

    #[test]
    fn errors_have_the_line_and_libyamls_words() {
        let table: [(&[u8], &str); 15] = [
            (b"a: \"b\n", "yaml: line 1: found unexpected end of stream"),
            (b"a: [}\n", "yaml: line 1: did not find expected node content"),
            (b"a: b: c\n", "yaml: line 1: mapping values are not allowed in this context"),
            (b"a:\n b: @x\n", "yaml: line 2: found character that cannot start any token"),
            (b"a: b\nc: d\n]\n", "yaml: line 3: did not find expected key"),
            (b"a: {b\n", "yaml: line 1: did not find expected ',' or '}'"),
            (b"a: *x\n", "yaml: line 1: unknown anchor referenced"),
            (b"a: &a [*a]\n", "yaml: line 1: anchor value contains itself"),
            (b"a: \"\\q\"\n", "yaml: line 1: found unknown escape character"),
            (b"a: b\n\x01\n", "yaml: line 2: control characters are not allowed"),
            (b"a: b\n\xff\n", "yaml: line 2: invalid leading UTF-8 octet"),
            (b"\xff\xfea", "yaml: incomplete UTF-16 character"),
            (b"<<: 5\n", "yaml: line 1: map merge requires map or sequence of maps as the value"),
            (b"a: -.inf\n", "json: unsupported value: -Inf"),
            (b"[a]: b\n", "yaml: invalid map key"),
        ];
        for (bytes, expected) in table {
            let shown = String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(parse(bytes), Err(expected.to_owned()), "{shown:?}");
        }
    }

    #[test]
    fn depth_and_aliases_are_bounded() {
        let deep = "[".repeat(20_000);
        assert!(parse(deep.as_bytes()).is_err());
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (previous, name) in ('a'..'i').zip('b'..) {
            let items = vec![format!("*{previous}"); 10].join(",");
            bomb += &format!("{name}: &{name} [{items}]\n");
        }
        assert!(parse(bomb.as_bytes()).is_err());
    }
}
