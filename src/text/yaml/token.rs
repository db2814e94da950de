//! The tokens of a YAML text, and the errors of its reader.

use std::fmt;

/// A token, and the line where it starts, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    VersionDirective { major: u8, minor: u8 },
    TagDirective { handle: String, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag { handle: String, suffix: String },
    Scalar { text: String, is_plain: bool },
}

/// A token that becomes a key if a `:` follows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SimpleKey {
    pub is_possible: bool,
    /// True if the text is wrong without a `:`.
    pub is_required: bool,
    /// True if the scanner holds back its token until the text shows whether a `:` follows.
    pub holds_token: bool,
    /// The number of tokens before it, taken or not.
    pub token: usize,
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

/// An error in a YAML text. `Display` is kubectl's text without a file name: `yaml: line 3: …`.
///
/// No text has a part of the document, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError(String);

impl YamlError {
    /// An error of the scanner, in the line `line` from 0. go-yaml prints it from 1, but no number
    /// for the first line.
    pub(super) fn scanner(line: usize, text: &str) -> Self {
        match line {
            0 => Self::decoder(text),
            _ => Self(format!("yaml: line {}: {text}", line + 1)),
        }
    }

    /// An error of the parser, in the line `line` from 0. go-yaml prints this number, but not for the
    /// first line.
    pub(super) fn parser(line: usize, text: &str) -> Self {
        match line {
            0 => Self::decoder(text),
            _ => Self(format!("yaml: line {line}: {text}")),
        }
    }

    /// An error of the decoder or of the reader of bytes. go-yaml prints no line for it.
    pub(super) fn decoder(text: &str) -> Self {
        Self(format!("yaml: {text}"))
    }

    /// The YAML is valid, but JSON cannot represent it. `text` is the whole text.
    pub(super) fn json(text: String) -> Self {
        Self(text)
    }

    /// The error for a document that is larger than our `limit`. kubectl would read it.
    pub(super) fn too_large(limit: &str) -> Self {
        let text = "the limit of locustctl; split the file";
        Self::decoder(&format!("the document has more than {limit}, {text}"))
    }

    pub(super) fn too_many_values(limit: usize) -> Self {
        Self::too_large(&format!("{limit} keys and values"))
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
