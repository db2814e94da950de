//! Builds the nodes of the first document of a YAML text. The grammar and the texts of its errors are
//! those of go-yaml 2.

use std::collections::HashMap;

use super::scanner::{Scan, Scanner};
use super::token::{Token, TokenKind as Kind, YamlError};

/// The most levels of a document. kubectl allows 10,000; no kubeconfig or manifest has this many.
pub(super) const MAX_DEPTH: usize = 100;

const DEFAULT_TAGS: [(&str, &str); 2] = [("!", "!"), ("!!", "tag:yaml.org,2002:")];

/// The nodes of a document, each after the one that contains it.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// The place of a node in its [`Tree`].
pub(super) type NodeId = usize;

#[derive(Debug)]
pub(super) struct Node {
    pub content: Content,
    /// The line, from 0.
    pub line: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    /// The node that the alias repeats.
    Alias(NodeId),
}

#[derive(Debug, Default)]
pub(super) struct Scalar {
    pub text: String,
    /// The whole tag; empty without one.
    pub tag: String,
    /// True if the text decides the type: it is plain and without a tag, or has the tag `!`.
    pub is_implicit: bool,
}

impl Tree {
    /// Reads the first document; `None` if there is none. `max_nodes` limits the memory.
    pub fn of_first_document(text: &str, max_nodes: usize) -> Scan<Option<Self>> {
        let mut parser = Parser {
            scanner: Scanner::new(text),
            nodes: Vec::new(),
            max_nodes,
            anchors: HashMap::new(),
            tags: Vec::new(),
            depth: 0,
        };
        let has_document = parser.document()?;
        Ok(has_document.then_some(Self { nodes: parser.nodes }))
    }

    pub fn root(&self) -> NodeId {
        0
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    nodes: Vec<Node>,
    max_nodes: usize,
    anchors: HashMap<String, NodeId>,
    /// The handles of tags, each with its prefix.
    tags: Vec<(String, String)>,
    depth: usize,
}

/// The properties before a node's content.
#[derive(Default)]
struct Properties {
    anchor: Option<String>,
    tag: String,
}

impl Parser<'_> {
    fn kind(&mut self) -> Scan<&Kind> {
        self.scanner.peek().map(|token| &token.kind)
    }

    fn line(&mut self) -> Scan<usize> {
        self.scanner.peek().map(|token| token.line)
    }

    /// Takes the next token if `test` is true for it.
    fn take_if(&mut self, test: impl Fn(&Kind) -> bool) -> Scan<Option<Token>> {
        match test(self.kind()?) {
            true => self.scanner.take().map(Some),
            false => Ok(None),
        }
    }

    fn error<T>(&mut self, text: &str) -> Scan<T> {
        Err(YamlError::parser(self.line()?, text))
    }

    fn push(&mut self, content: Content, line: usize) -> Scan<NodeId> {
        if self.nodes.len() >= self.max_nodes {
            return Err(YamlError::too_many_values(self.max_nodes));
        }
        self.nodes.push(Node { content, line });
        Ok(self.nodes.len() - 1)
    }

    fn empty(&mut self, line: usize) -> Scan<NodeId> {
        let scalar = Scalar { is_implicit: true, ..Scalar::default() };
        self.push(Content::Scalar(scalar), line)
    }

    /// Reads a document and looks at the token after it. False if there is none.
    fn document(&mut self) -> Scan<bool> {
        let is_explicit = match self.kind()? {
            Kind::StreamEnd => return Ok(false),
            Kind::VersionDirective { .. } | Kind::TagDirective { .. } | Kind::DocumentStart => true,
            _ => false,
        };
        self.directives()?;
        if is_explicit {
            if self.take_if(|kind| *kind == Kind::DocumentStart)?.is_none() {
                return self.error("did not find expected <document start>");
            }
            match self.kind()? {
                Kind::VersionDirective { .. }
                | Kind::TagDirective { .. }
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd => {
                    let line = self.line()?;
                    self.empty(line)?;
                }
                _ => drop(self.node(true, false)?),
            }
        } else {
            self.node(true, false)?;
        }
        self.scanner.peek()?;
        Ok(true)
    }

    fn directives(&mut self) -> Scan<()> {
        let mut has_version = false;
        loop {
            let line = self.line()?;
            let is_directive = |kind: &Kind| {
                matches!(kind, Kind::VersionDirective { .. } | Kind::TagDirective { .. })
            };
            match self.take_if(is_directive)?.map(|token| token.kind) {
                Some(Kind::VersionDirective { .. }) if has_version => {
                    return Err(YamlError::parser(line, "found duplicate %YAML directive"));
                }
                Some(Kind::VersionDirective { major: 1, minor: 1 }) => has_version = true,
                Some(Kind::VersionDirective { .. }) => {
                    return Err(YamlError::parser(line, "found incompatible YAML document"));
                }
                Some(Kind::TagDirective { handle, .. })
                    if self.tags.iter().any(|(known, _)| *known == handle) =>
                {
                    return Err(YamlError::parser(line, "found duplicate %TAG directive"));
                }
                Some(Kind::TagDirective { handle, prefix }) => self.tags.push((handle, prefix)),
                _ => break,
            }
        }
        for (handle, prefix) in DEFAULT_TAGS {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    /// Reads a node. With `is_block`, it may be a block collection. With `is_indentless`, it may be a
    /// list at the column of its key.
    fn node(&mut self, is_block: bool, is_indentless: bool) -> Scan<NodeId> {
        let line = self.line()?;
        if self.depth >= MAX_DEPTH {
            return Err(YamlError::parser(line, &format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.depth += 1;
        let node = self.node_inside(is_block, is_indentless, line);
        self.depth -= 1;
        node
    }

    fn node_inside(&mut self, is_block: bool, is_indentless: bool, line: usize) -> Scan<NodeId> {
        if let Some(Token { kind: Kind::Alias(name), .. }) =
            self.take_if(|kind| matches!(kind, Kind::Alias(_)))?
        {
            let Some(target) = self.anchors.get(&name).copied() else {
                // kubectl also prints the name, which may be a part of a password.
                return Err(YamlError::decoder("unknown anchor referenced"));
            };
            return self.push(Content::Alias(target), line);
        }
        let Properties { anchor, tag } = self.properties()?;
        let has_properties = anchor.is_some() || !tag.is_empty();
        // The place of the node, so that an alias inside it finds it.
        let id = self.empty(line)?;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        let content = match self.kind()? {
            Kind::BlockEntry if is_indentless => self.indentless_sequence()?,
            Kind::Scalar { .. } => self.scalar(tag)?,
            Kind::FlowSequenceStart => self.flow_sequence()?,
            Kind::FlowMappingStart => self.flow_mapping()?,
            Kind::BlockSequenceStart if is_block => self.block_sequence()?,
            Kind::BlockMappingStart if is_block => self.block_mapping()?,
            _ if has_properties => {
                let is_implicit = tag.is_empty();
                Content::Scalar(Scalar { text: String::new(), tag, is_implicit })
            }
            _ => return self.error("did not find expected node content"),
        };
        self.nodes[id].content = content;
        Ok(id)
    }

    fn scalar(&mut self, tag: String) -> Scan<Content> {
        match self.scanner.take()?.kind {
            Kind::Scalar { text, is_plain } => {
                let is_implicit = tag.is_empty() && is_plain || tag == "!";
                Ok(Content::Scalar(Scalar { text, tag, is_implicit }))
            }
            _ => self.error("did not find expected node content"),
        }
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self) -> Scan<Properties> {
        let mut properties = Properties::default();
        let mut tag = None;
        for _ in 0..2 {
            match self.kind()? {
                Kind::Anchor(_) if properties.anchor.is_none() => {
                    if let Kind::Anchor(name) = self.scanner.take()?.kind {
                        properties.anchor = Some(name);
                    }
                }
                Kind::Tag { .. } if tag.is_none() => tag = Some(self.scanner.take()?),
                _ => break,
            }
        }
        if let Some(Token { kind: Kind::Tag { handle, suffix }, line }) = tag {
            properties.tag = match self.tags.iter().find(|(known, _)| *known == handle) {
                _ if handle.is_empty() => suffix,
                Some((_, prefix)) => format!("{prefix}{suffix}"),
                None => return Err(YamlError::parser(line, "found undefined tag handle")),
            };
        }
        Ok(properties)
    }

    fn block_sequence(&mut self) -> Scan<Content> {
        self.scanner.take()?;
        let mut items = Vec::new();
        loop {
            if let Some(entry) = self.take_if(|kind| *kind == Kind::BlockEntry)? {
                items.push(match self.kind()? {
                    Kind::BlockEntry | Kind::BlockEnd => self.empty(entry.line)?,
                    _ => self.node(true, false)?,
                });
            } else if self.take_if(|kind| *kind == Kind::BlockEnd)?.is_some() {
                return Ok(Content::Sequence(items));
            } else {
                return self.error("did not find expected '-' indicator");
            }
        }
    }

    fn indentless_sequence(&mut self) -> Scan<Content> {
        let mut items = Vec::new();
        while let Some(entry) = self.take_if(|kind| *kind == Kind::BlockEntry)? {
            items.push(match self.kind()? {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                    self.empty(entry.line)?
                }
                _ => self.node(true, false)?,
            });
        }
        Ok(Content::Sequence(items))
    }

    fn block_mapping(&mut self) -> Scan<Content> {
        self.scanner.take()?;
        let mut entries = Vec::new();
        loop {
            if let Some(key) = self.take_if(|kind| *kind == Kind::Key)? {
                let key = self.block_mapping_part(key.line)?;
                let value = match self.take_if(|kind| *kind == Kind::Value)? {
                    Some(value) => self.block_mapping_part(value.line)?,
                    None => {
                        let line = self.line()?;
                        self.empty(line)?
                    }
                };
                entries.push((key, value));
            } else if self.take_if(|kind| *kind == Kind::BlockEnd)?.is_some() {
                return Ok(Content::Mapping(entries));
            } else {
                return self.error("did not find expected key");
            }
        }
    }

    /// A key or a value of a block mapping.
    fn block_mapping_part(&mut self, line: usize) -> Scan<NodeId> {
        match self.kind()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(line),
            _ => self.node(true, true),
        }
    }

    fn flow_sequence(&mut self) -> Scan<Content> {
        self.scanner.take()?;
        let mut items = Vec::new();
        loop {
            if self.take_if(|kind| *kind == Kind::FlowSequenceEnd)?.is_some() {
                return Ok(Content::Sequence(items));
            }
            let is_first = items.is_empty();
            if !is_first && self.take_if(|kind| *kind == Kind::FlowEntry)?.is_none() {
                return self.error("did not find expected ',' or ']'");
            }
            if self.take_if(|kind| *kind == Kind::FlowSequenceEnd)?.is_some() {
                return Ok(Content::Sequence(items));
            }
            items.push(match self.take_if(|kind| *kind == Kind::Key)? {
                Some(key) => self.single_pair(key.line)?,
                None => self.node(false, false)?,
            });
        }
    }

    /// `key: value` in `[…]`, which is a mapping with one entry.
    fn single_pair(&mut self, line: usize) -> Scan<NodeId> {
        let is_end = |kind: &Kind| matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd);
        let id = self.empty(line)?;
        // If the key is missing, go-yaml consumes the token in its place.
        let no_key = |kind: &Kind| *kind == Kind::Value || is_end(kind);
        let key = match self.take_if(no_key)? {
            Some(token) => self.empty(token.line)?,
            None => self.node(false, false)?,
        };
        let has_value = self.take_if(|kind| *kind == Kind::Value)?.is_some();
        let value = match has_value && !is_end(self.kind()?) {
            true => self.node(false, false)?,
            false => self.empty(line)?,
        };
        self.nodes[id].content = Content::Mapping(vec![(key, value)]);
        Ok(id)
    }

    fn flow_mapping(&mut self) -> Scan<Content> {
        let is_end = |kind: &Kind| matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd);
        self.scanner.take()?;
        let mut entries = Vec::new();
        loop {
            if self.take_if(|kind| *kind == Kind::FlowMappingEnd)?.is_some() {
                return Ok(Content::Mapping(entries));
            }
            let is_first = entries.is_empty();
            if !is_first && self.take_if(|kind| *kind == Kind::FlowEntry)?.is_none() {
                return self.error("did not find expected ',' or '}'");
            }
            if self.take_if(|kind| *kind == Kind::FlowMappingEnd)?.is_some() {
                return Ok(Content::Mapping(entries));
            }
            let line = self.line()?;
            let entry = if self.take_if(|kind| *kind == Kind::Key)?.is_some() {
                let has_key = *self.kind()? != Kind::Value && !is_end(self.kind()?);
                let key = if has_key { self.node(false, false)? } else { self.empty(line)? };
                let has_value = self.take_if(|kind| *kind == Kind::Value)?.is_some();
                let value = match has_value && !is_end(self.kind()?) {
                    true => self.node(false, false)?,
                    false => self.empty(line)?,
                };
                (key, value)
            } else {
                (self.node(false, false)?, self.empty(line)?)
            };
            entries.push(entry);
        }
    }
}
