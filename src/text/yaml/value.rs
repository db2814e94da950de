//! Converts the nodes of a YAML document to a JSON value, as go-yaml 2 (`decode.go`) and
//! sigs.k8s.io/yaml do.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Number, Value};

use super::implicit_type::ScalarType;
use super::scanner::Scan;
use super::token::YamlError;
use super::tree::{Content, MAX_DEPTH, NodeId, Scalar, Tree};
use crate::text::go;

/// The text before the name of a standard type in a whole tag.
const STANDARD_TAG: &str = "tag:yaml.org,2002:";

/// The most bytes of text in a document, since aliases multiply it.
const MAX_TEXT: usize = 64 << 20;

/// Converts a document. `max_values` limits the values that aliases repeat.
///
/// # Errors
/// A tag does not fit its scalar, an alias is inside its own anchor, aliases repeat too much, there is
/// too much text, or JSON cannot represent a value or a key. No error shows a part of the document.
pub(super) fn of_tree(tree: &Tree, max_values: usize) -> Scan<Value> {
    let mut decoder = Decoder::new(tree, max_values);
    decoder.value(tree.root())
}

/// The first key that a mapping has twice, with the line of its second value, from 1. Keys from `<<`
/// count too.
pub(super) fn duplicate_key(tree: &Tree, max_values: usize) -> Option<(u64, String)> {
    let mut decoder = Decoder::new(tree, max_values);
    // The reader of the values reports the errors.
    let _ = decoder.value(tree.root());
    decoder.duplicate
}

struct Decoder<'a> {
    tree: &'a Tree,
    max_values: usize,
    /// The number of values so far, as go-yaml counts them.
    decoded: usize,
    /// The number of these inside aliases.
    repeated: usize,
    /// The aliases around the current value.
    aliases: Vec<NodeId>,
    depth: usize,
    /// The bytes of all texts so far.
    text: usize,
    duplicate: Option<(u64, String)>,
}

impl<'a> Decoder<'a> {
    fn new(tree: &'a Tree, max_values: usize) -> Self {
        Self {
            tree,
            max_values,
            // The document itself counts as one.
            decoded: 1,
            repeated: 0,
            aliases: Vec::new(),
            depth: 0,
            text: 0,
            duplicate: None,
        }
    }

    fn value(&mut self, id: NodeId) -> Scan<Value> {
        self.inside(|decoder| {
            let tree = decoder.tree;
            Ok(match &tree.node(id).content {
                Content::Scalar(scalar) => {
                    decoder.count_text(scalar)?;
                    json_scalar(scalar)?
                }
                Content::Sequence(items) => {
                    let items = items.iter().map(|item| decoder.value(*item));
                    Value::Array(items.collect::<Scan<_>>()?)
                }
                Content::Mapping(entries) => {
                    let mut fields = Map::new();
                    decoder.fields(entries, &mut fields)?;
                    Value::Object(fields)
                }
                Content::Alias(target) => decoder.repeat(id, *target, Self::value)?,
            })
        })
    }

    /// Counts a value, and reads it one level deeper with `read`.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Scan<T>) -> Scan<T> {
        self.decoded += 1;
        self.repeated += usize::from(!self.aliases.is_empty());
        if self.is_excessive() {
            return Err(YamlError::decoder("document contains excessive aliasing"));
        }
        if self.decoded > self.max_values {
            return Err(YamlError::too_many_values(self.max_values));
        }
        if self.depth > MAX_DEPTH {
            return Err(YamlError::decoder(&format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn count_text(&mut self, scalar: &Scalar) -> Scan<()> {
        self.text += scalar.text.len();
        match self.text {
            ..=MAX_TEXT => Ok(()),
            _ => Err(YamlError::too_large("64 MiB of text")),
        }
    }

    /// go-yaml's limit for aliases: in a small document 99 % of the values may come from them, in a
    /// large one 10 %.
    fn is_excessive(&self) -> bool {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        if self.repeated <= 100 || self.decoded <= 1000 {
            return false;
        }
        let (repeated, decoded) = (self.repeated as f64, self.decoded as f64);
        let allowed = 0.99 - 0.89 * ((decoded - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        repeated / decoded > allowed
    }

    /// Reads the target of an alias with `read`.
    fn repeat<T>(
        &mut self,
        alias: NodeId,
        target: NodeId,
        read: impl FnOnce(&mut Self, NodeId) -> Scan<T>,
    ) -> Scan<T> {
        if self.aliases.contains(&alias) {
            return Err(YamlError::decoder("anchor value contains itself"));
        }
        self.aliases.push(alias);
        let read = read(self, target);
        self.aliases.pop();
        read
    }

    fn fields(
        &mut self,
        entries: &[(NodeId, NodeId)],
        fields: &mut Map<String, Value>,
    ) -> Scan<()> {
        for (key, value) in entries {
            if self.is_merge(*key) {
                self.merge(*value, fields)?;
                continue;
            }
            let key = self.key(*key)?;
            let line = self.tree.node(*value).line;
            let value = self.value(*value)?;
            if self.duplicate.is_none() && fields.contains_key(&key) {
                self.duplicate = Some((line as u64 + 1, key.clone()));
            }
            fields.insert(key, value);
        }
        Ok(())
    }

    fn is_merge(&self, key: NodeId) -> bool {
        matches!(&self.tree.node(key).content, Content::Scalar(scalar) if scalar.text == "<<"
            && (scalar.is_implicit || scalar.tag == "tag:yaml.org,2002:merge"))
    }

    /// Adds the fields of a mapping, or of several, the most important first.
    fn merge(&mut self, id: NodeId, fields: &mut Map<String, Value>) -> Scan<()> {
        let tree = self.tree;
        match &tree.node(id).content {
            Content::Sequence(items) => {
                for item in items.iter().rev() {
                    self.merge_one(*item, fields)?;
                }
                Ok(())
            }
            _ => self.merge_one(id, fields),
        }
    }

    fn merge_one(&mut self, id: NodeId, fields: &mut Map<String, Value>) -> Scan<()> {
        let tree = self.tree;
        let no_map =
            || YamlError::decoder("map merge requires map or sequence of maps as the value");
        self.inside(|decoder| match &tree.node(id).content {
            Content::Mapping(entries) => decoder.fields(entries, fields),
            Content::Alias(target) => match &tree.node(*target).content {
                Content::Mapping(_) => {
                    decoder.repeat(id, *target, |decoder, target| decoder.merge_one(target, fields))
                }
                _ => Err(no_map()),
            },
            _ => Err(no_map()),
        })
    }

    /// A key as text.
    fn key(&mut self, id: NodeId) -> Scan<String> {
        self.inside(|decoder| {
            let tree = decoder.tree;
            let unsupported =
                |kind: &str| Err(YamlError::json(format!("unsupported map key of type: {kind}")));
            match &tree.node(id).content {
                Content::Scalar(scalar) => match scalar_type(scalar)? {
                    ScalarType::Text | ScalarType::Timestamp => {
                        decoder.count_text(scalar)?;
                        text(scalar)
                    }
                    ScalarType::Bool(value) => Ok(value.to_string()),
                    ScalarType::Int(number) => Ok(number.to_string()),
                    ScalarType::Float(number) if number.is_nan() => Ok(".nan".to_owned()),
                    ScalarType::Float(number) => Ok(float_key(number)),
                    ScalarType::Null => unsupported("%!s(<nil>)"),
                    ScalarType::Uint(_) => unsupported("uint64"),
                },
                Content::Alias(target) => decoder.repeat(id, *target, Self::key),
                Content::Sequence(_) | Content::Mapping(_) => {
                    Err(YamlError::decoder("invalid map key"))
                }
            }
        })
    }
}

/// The type of a scalar by its tag and its text.
fn scalar_type(scalar: &Scalar) -> Scan<ScalarType> {
    if scalar.tag.is_empty() {
        return Ok(match scalar.is_implicit {
            true => ScalarType::of(&scalar.text),
            false => ScalarType::Text,
        });
    }
    let Some(tag @ ("bool" | "int" | "float" | "null" | "timestamp")) =
        scalar.tag.strip_prefix(STANDARD_TAG)
    else {
        return Ok(ScalarType::Text);
    };
    let found = match ScalarType::of(&scalar.text) {
        // A date needs its own tag.
        ScalarType::Timestamp if tag != "timestamp" => ScalarType::Text,
        other => other,
    };
    let name = match found {
        ScalarType::Int(number) if tag == "float" => return Ok(ScalarType::Float(number as f64)),
        ScalarType::Null => "null",
        ScalarType::Bool(_) => "bool",
        ScalarType::Int(_) | ScalarType::Uint(_) => "int",
        ScalarType::Float(_) => "float",
        ScalarType::Timestamp => "timestamp",
        ScalarType::Text => "str",
    };
    if name == tag {
        return Ok(found);
    }
    // kubectl also prints the scalar, which may be a password.
    Err(YamlError::decoder(&format!("cannot decode !!{name} as a !!{tag}")))
}

/// A float as a key: the shortest digits of a 32-bit float, as in sigs.k8s.io/yaml.
fn float_key(number: f64) -> String {
    let narrow = number as f32;
    if narrow.is_infinite() {
        return if narrow > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    // The shortest digits of the narrow number, as a wide one.
    format!("{narrow:e}").parse().map_or_else(|_| narrow.to_string(), go::float)
}

/// A scalar as a JSON value.
fn json_scalar(scalar: &Scalar) -> Scan<Value> {
    Ok(match scalar_type(scalar)? {
        ScalarType::Text | ScalarType::Timestamp => Value::String(text(scalar)?),
        ScalarType::Null => Value::Null,
        ScalarType::Bool(value) => Value::Bool(value),
        ScalarType::Int(number) => number.into(),
        ScalarType::Uint(number) => number.into(),
        ScalarType::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                let name = match number {
                    number if number.is_nan() => "NaN",
                    number if number < 0.0 => "-Inf",
                    _ => "+Inf",
                };
                return Err(YamlError::json(format!("json: unsupported value: {name}")));
            }
        },
    })
}

/// The text of a scalar, with the base64 of `!!binary` decoded.
fn text(scalar: &Scalar) -> Scan<String> {
    if scalar.tag.strip_prefix(STANDARD_TAG) != Some("binary") {
        return Ok(scalar.text.clone());
    }
    // Go ignores line breaks in base64, and bits after the last byte.
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let base64: String = scalar.text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    match GeneralPurpose::new(&STANDARD, config).decode(base64) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => Err(YamlError::decoder("!!binary value contains invalid base64 data")),
    }
}
