//! YAML as kubectl reads it, converted to a JSON value: YAML 1.1, only the first document, the last
//! of duplicate keys wins. JSON is valid YAML, except for its escapes `\/` and `\ud83d\ude00`.
//!
//! kubectl reads with sigs.k8s.io/yaml, whose parser is go-yaml 2. The modules beside this one follow
//! its rules and have its error texts. Other YAML libraries differ in plain scalars in brackets, in
//! types and in errors.

use std::borrow::Cow;

use serde_json::Value;

use super::token::YamlError;
use super::tree::Tree;
use super::value;

/// The most keys and values in a configuration. A kubeconfig of 10,000 clusters with a user and a
/// context each has about 300,000.
const MAX_VALUES_OF_FILE: usize = 400_000;

/// The most keys and values in a document of a manifest.
const MAX_VALUES_OF_DOCUMENT: usize = 2_000_000;

/// Reads the first document of a file, in any encoding that kubectl accepts. A text without content
/// is `Null`. The limits are 100 levels and 400,000 keys and values.
///
/// # Errors
/// The text of [`YamlError`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = decode(bytes)?;
    read(&text, MAX_VALUES_OF_FILE).map_err(|problem| problem.to_string())
}

/// Reads the first document of `text`. A document without content is `Null`. The limits are 100
/// levels and 2 million keys and values.
pub(crate) fn document(text: &str) -> Result<Value, YamlError> {
    read(text, MAX_VALUES_OF_DOCUMENT)
}

/// The first duplicate key in the first document, and its line. [`parse`] reports all other errors.
pub(crate) fn duplicate_key(bytes: &[u8]) -> Option<(u64, String)> {
    let text = decode(bytes).ok()?;
    let tree = tree(&text, MAX_VALUES_OF_FILE).ok()??;
    value::duplicate_key(&tree, MAX_VALUES_OF_FILE)
}

fn read(text: &str, max_values: usize) -> Result<Value, YamlError> {
    match tree(text, max_values)? {
        Some(tree) => value::of_tree(&tree, max_values),
        None => Ok(Value::Null),
    }
}

/// The nodes of the first document. The scanner needs a text without control characters.
fn tree(text: &str, max_values: usize) -> Result<Option<Tree>, YamlError> {
    // Most texts are printable ASCII. This check is cheaper than the search for control characters.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
    if !is_plain && text.contains(is_control) {
        return Err(YamlError::decoder("control characters are not allowed"));
    }
    Tree::of_first_document(text, max_values)
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
            let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
            text.map_err(|err| format!("yaml: {}", invalid_utf8(&bytes[err.valid_up_to()..])))
        }
    }
}

/// go-yaml's text for bytes that do not start with a character in UTF-8.
fn invalid_utf8(bytes: &[u8]) -> &'static str {
    let width = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    match bytes.get(1..width) {
        None => "incomplete UTF-8 octet sequence",
        Some(rest) if rest.iter().any(|byte| byte & 0xc0 != 0x80) => "invalid trailing UTF-8 octet",
        Some(_) => "invalid length of a UTF-8 sequence",
    }
}

/// True for a character that go-yaml's reader refuses at any position.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
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
            ("yEs", json!("yEs")),
            ("1_", json!(1)),
            ("1e999", json!("1e999")),
            ("!!float 1", json!(1.0)),
            ("!!timestamp 2001-12-14", json!("2001-12-14")),
            ("[1.2.3.4, fd00::]", json!(["1.2.3.4", "fd00::"])),
            ("[a:]", json!(["a:"])),
            ("[a:, b]", json!(["a:", "b"])),
            ("{a: fd00::}", json!({"a": "fd00::"})),
            ("{a: fd00::, b: c}", json!({"a": "fd00::", "b": "c"})),
            ("{a:}", json!({"a:": null})),
            ("[-]", json!(["-"])),
            ("[a: b, c]", json!([{"a": "b"}, "c"])),
            ("\"b\"#c", json!("b")),
            ("'b'#c", json!("b")),
            ("|# c\n b", json!("b\n")),
            (">-\n b\n c\n\n d", json!("b c\nd")),
            ("\"b\n  c\\\n  d\"", json!("b cd")),
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
            (b"1: a\nyes: b\n1e3: c\n".to_vec(), json!({"1": "a", "true": "b", "1000": "c"})),
        ];
        for (bytes, expected) in table {
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(parse(&bytes), Ok(expected), "{shown:?}");
        }
    }

    #[test]
    fn errors_have_the_lines_and_texts_of_go_yaml() {
        let table: [(&[u8], &str); 24] = [
            (b"a: \"b\n", "yaml: line 2: found unexpected end of stream"),
            (b"a: [}\n", "yaml: did not find expected node content"),
            (b"x: [", "yaml: line 1: did not find expected node content"),
            (b"a: b: c\n", "yaml: mapping values are not allowed in this context"),
            (b"a:\n b: @x\n", "yaml: line 2: found character that cannot start any token"),
            (b"a: b\nc: d\n]\n", "yaml: line 2: did not find expected key"),
            (b"a: {b\n", "yaml: line 1: did not find expected ',' or '}'"),
            (b"a: {: b}\n", "yaml: did not find expected node content"),
            (b"a: *x\n", "yaml: unknown anchor referenced"),
            (b"a: &a [*a]\n", "yaml: anchor value contains itself"),
            (b"a: \"\\q\"\n", "yaml: found unknown escape character"),
            (b"{\"a\": \"\\/\"}\n", "yaml: found unknown escape character"),
            (b"a: \"\\ud83d\\ude00\"", "yaml: found invalid Unicode character escape code"),
            (b"%YAML 1.2\n---\na: b\n", "yaml: found incompatible YAML document"),
            (b"a: !!timestamp 2001-12-14T21:59Z\n", "yaml: cannot decode !!str as a !!timestamp"),
            (b"a: b\n\x01\n", "yaml: control characters are not allowed"),
            (b"a: b\n\xff\n", "yaml: invalid leading UTF-8 octet"),
            (b"a: b\n\xc3", "yaml: incomplete UTF-8 octet sequence"),
            (b"a: b\n\xc3b", "yaml: invalid trailing UTF-8 octet"),
            (b"\xff\xfea", "yaml: incomplete UTF-16 character"),
            (b"<<: 5\n", "yaml: map merge requires map or sequence of maps as the value"),
            (b"a: -.inf\n", "json: unsupported value: -Inf"),
            (b"~: a\n", "unsupported map key of type: %!s(<nil>)"),
            (b"[a]: b\n", "yaml: invalid map key"),
        ];
        for (bytes, expected) in table {
            let shown = String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(parse(bytes), Err(expected.to_owned()), "{shown:?}");
        }
    }

    #[test]
    fn depth_size_and_aliases_are_bounded() {
        let deep = "[".repeat(20_000);
        assert!(parse(deep.as_bytes()).is_err());
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (previous, name) in ('a'..'i').zip('b'..) {
            let items = vec![format!("*{previous}"); 10].join(",");
            bomb += &format!("{name}: &{name} [{items}]\n");
        }
        assert!(parse(bomb.as_bytes()).is_err());
        let too_large = |limit: &str| {
            Err(format!(
                "yaml: the document has more than {limit}, the limit of locustctl; split the file"
            ))
        };
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100));
        assert_eq!(parse(long.as_bytes()), too_large("64 MiB of text"));
        let keys: String = (0..1_000_000).map(|number| format!("k{number}: x\n")).collect();
        let too_many = too_large("400000 keys and values");
        assert_eq!(parse(keys.as_bytes()), too_many);
        let json = format!("{{{}\"k\": 0}}", keys.replace(" x\n", " 0, "));
        assert_eq!(parse(json.as_bytes()), too_many);
    }
}
