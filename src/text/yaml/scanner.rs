//! Splits a YAML text into tokens by the rules of go-yaml 2, which are those of libyaml. Errors have
//! its texts.

use std::collections::VecDeque;

use super::cursor::Cursor;
use super::token::{SimpleKey, Token, TokenKind, YamlError};

pub(super) type Scan<T> = Result<T, YamlError>;

/// The maximum length of a simple key: its `:` must come within this many characters after its start.
const MAX_SIMPLE_KEY: usize = 1024;

/// The most open brackets, and the most levels of indentation.
const MAX_DEPTH: usize = 10_000;

/// The scanner. Its other methods are in [`super::scan_properties`] and [`super::scan_scalars`].
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub cursor: Cursor<'a>,
    tokens: VecDeque<Token>,
    /// The number of tokens that were taken.
    taken: usize,
    /// True if the first token of the queue is final: no key can start before it any more.
    is_settled: bool,
    /// The column of the innermost block collection; -1 outside of all.
    pub indent: isize,
    /// The columns of the collections around it.
    indents: Vec<isize>,
    /// The possible simple key at each flow level. The first entry is that of the block context.
    simple_keys: Vec<SimpleKey>,
    pub is_simple_key_allowed: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            tokens: VecDeque::new(),
            taken: 0,
            is_settled: false,
            indent: -1,
            indents: Vec::new(),
            simple_keys: vec![SimpleKey::default()],
            is_simple_key_allowed: true,
        }
    }

    /// The next token, without taking it. There is none after [`TokenKind::StreamEnd`].
    pub fn peek(&mut self) -> Scan<&Token> {
        if !self.is_settled {
            self.settle()?;
        }
        self.tokens.front().ok_or_else(|| YamlError::decoder("did not find expected token"))
    }

    /// Takes the next token.
    pub fn take(&mut self) -> Scan<Token> {
        self.peek()?;
        self.is_settled = false;
        self.taken += 1;
        let token = self.tokens.pop_front();
        token.ok_or_else(|| YamlError::decoder("did not find expected token"))
    }

    pub fn in_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    /// An error at the position.
    pub fn error<T>(&self, text: &str) -> Scan<T> {
        Err(YamlError::scanner(self.cursor.line, text))
    }

    /// Reads tokens until the first one of the queue is final.
    fn settle(&mut self) -> Scan<()> {
        loop {
            if !self.tokens.is_empty() {
                // The keys have rising token numbers.
                let at = self.simple_keys.partition_point(|key| key.token < self.taken);
                let key = self.simple_keys[at..].iter().position(|key| key.is_possible);
                let first = key.map(|key| at + key);
                match first.filter(|first| self.simple_keys[*first].token == self.taken) {
                    Some(first)
                        if self.simple_keys[first].holds_token && self.is_valid(first)? => {}
                    _ => break,
                }
            }
            self.fetch()?;
        }
        self.is_settled = true;
        Ok(())
    }

    /// Reads one more token, or several.
    fn fetch(&mut self) -> Scan<()> {
        self.skip_to_next_token();
        self.unroll(self.column());
        let cursor = &self.cursor;
        let (first, is_last) = (cursor.byte(0), cursor.is_blank_or_end(1));
        match first {
            0 => self.fetch_end(),
            b'%' if cursor.column == 0 => self.fetch_directive(),
            _ if cursor.is_document_mark() => self.fetch_document_mark(),
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if is_last => self.fetch_block_entry(),
            b'?' if self.in_flow() || is_last => self.fetch_key(),
            b':' if self.in_flow() || is_last => self.fetch_value(),
            b'*' | b'&' | b'!' => self.fetch_property(first),
            b'|' | b'>' if !self.in_flow() => self.fetch_block_scalar(),
            b'\'' | b'"' => self.fetch_flow_scalar(),
            b'-' if !cursor.is_blank(1) => self.fetch_flow_scalar(),
            b'?' | b':' if !is_last => self.fetch_flow_scalar(),
            b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => self.no_token(),
            _ if cursor.is_blank_or_end(0) => self.no_token(),
            _ => self.fetch_flow_scalar(),
        }
    }

    fn no_token(&self) -> Scan<()> {
        self.error("found character that cannot start any token")
    }

    fn column(&self) -> isize {
        isize::try_from(self.cursor.column).unwrap_or(isize::MAX)
    }

    fn push(&mut self, kind: TokenKind, line: usize) {
        self.tokens.push_back(Token { kind, line });
    }

    /// Takes `width` characters as a token.
    fn push_indicator(&mut self, kind: TokenKind, width: usize) -> Scan<()> {
        let line = self.cursor.line;
        self.cursor.skip(width);
        self.push(kind, line);
        Ok(())
    }

    fn skip_to_next_token(&mut self) {
        loop {
            // A tab is no indentation.
            let tabs = self.in_flow() || !self.is_simple_key_allowed;
            while self.cursor.byte(0) == b' ' || tabs && self.cursor.byte(0) == b'\t' {
                self.cursor.skip(1);
            }
            self.cursor.skip_comment();
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.skip_break();
            if !self.in_flow() {
                self.is_simple_key_allowed = true;
            }
        }
    }

    /// True if the key is still possible here.
    fn is_valid(&mut self, at: usize) -> Scan<bool> {
        let key = self.simple_keys[at];
        if !key.is_possible {
            return Ok(false);
        }
        let is_out_of_reach =
            key.line < self.cursor.line || key.index + MAX_SIMPLE_KEY < self.cursor.index;
        if !is_out_of_reach {
            return Ok(true);
        }
        if key.is_required {
            return self.error("could not find expected ':'");
        }
        self.simple_keys[at].is_possible = false;
        Ok(false)
    }

    fn last_key(&self) -> usize {
        self.simple_keys.len() - 1
    }

    /// Notes that the next token may be a key.
    fn save_key(&mut self) -> Scan<()> {
        if !self.is_simple_key_allowed {
            return Ok(());
        }
        self.remove_key()?;
        let last = self.last_key();
        self.simple_keys[last] = SimpleKey {
            is_possible: true,
            is_required: !self.in_flow() && self.indent == self.column(),
            holds_token: true,
            token: self.taken + self.tokens.len(),
            index: self.cursor.index,
            line: self.cursor.line,
            column: self.cursor.column,
        };
        Ok(())
    }

    fn remove_key(&mut self) -> Scan<()> {
        let last = self.last_key();
        let key = &mut self.simple_keys[last];
        if key.is_possible && key.is_required {
            return self.error("could not find expected ':'");
        }
        key.is_possible = false;
        Ok(())
    }

    /// Starts a block collection at `column`, if it is deeper than the innermost one. Its token gets
    /// the place `at` in the queue, or the last one.
    fn roll(&mut self, column: usize, at: Option<usize>, kind: TokenKind, line: usize) -> Scan<()> {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return self.error("exceeded max depth of 10000");
        }
        let at = at.unwrap_or(self.tokens.len()).min(self.tokens.len());
        self.tokens.insert(at, Token { kind, line });
        Ok(())
    }

    /// Ends the block collections that are deeper than `column`.
    fn unroll(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(TokenKind::BlockEnd, self.cursor.line);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Ends all block collections, at the end of a document.
    fn end_collections(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.is_simple_key_allowed = false;
        Ok(())
    }

    fn fetch_end(&mut self) -> Scan<()> {
        if self.cursor.column != 0 {
            self.cursor.column = 0;
            self.cursor.line += 1;
        }
        self.end_collections()?;
        self.push(TokenKind::StreamEnd, self.cursor.line);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.end_collections()?;
        let line = self.cursor.line;
        let kind = self.directive()?;
        self.push(kind, line);
        Ok(())
    }

    fn fetch_document_mark(&mut self) -> Scan<()> {
        self.end_collections()?;
        let kind = match self.cursor.byte(0) {
            b'-' => TokenKind::DocumentStart,
            _ => TokenKind::DocumentEnd,
        };
        self.push_indicator(kind, 3)
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scan<()> {
        self.save_key()?;
        let token = self.taken + self.tokens.len();
        self.simple_keys.push(SimpleKey { token, ..SimpleKey::default() });
        if self.simple_keys.len() > MAX_DEPTH + 1 {
            return self.error("exceeded max depth of 10000");
        }
        self.is_simple_key_allowed = true;
        self.push_indicator(kind, 1)
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scan<()> {
        self.remove_key()?;
        if self.in_flow()
            && let Some(inner) = self.simple_keys.pop()
        {
            // As in go-yaml, the scanner does not wait for the `:` after a flow collection that has no
            // key inside. JSON has no such keys, so this changes only the text of the error.
            let last = self.last_key();
            self.simple_keys[last].holds_token &= self.simple_keys[last].token != inner.token;
        }
        self.is_simple_key_allowed = false;
        self.push_indicator(kind, 1)
    }

    fn fetch_flow_entry(&mut self) -> Scan<()> {
        self.remove_key()?;
        self.is_simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry, 1)
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if !self.in_flow() {
            if !self.is_simple_key_allowed {
                return self.error("block sequence entries are not allowed in this context");
            }
            let (column, line) = (self.cursor.column, self.cursor.line);
            self.roll(column, None, TokenKind::BlockSequenceStart, line)?;
        }
        self.remove_key()?;
        self.is_simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1)
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if !self.in_flow() {
            if !self.is_simple_key_allowed {
                return self.error("mapping keys are not allowed in this context");
            }
            let (column, line) = (self.cursor.column, self.cursor.line);
            self.roll(column, None, TokenKind::BlockMappingStart, line)?;
        }
        self.remove_key()?;
        self.is_simple_key_allowed = !self.in_flow();
        self.push_indicator(TokenKind::Key, 1)
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let last = self.last_key();
        if self.is_valid(last)? {
            let key = self.simple_keys[last];
            let at = key.token.checked_sub(self.taken);
            let place = at.unwrap_or(self.tokens.len()).min(self.tokens.len());
            self.tokens.insert(place, Token { kind: TokenKind::Key, line: key.line });
            self.roll(key.column, at, TokenKind::BlockMappingStart, key.line)?;
            self.simple_keys[last].is_possible = false;
            self.is_simple_key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.is_simple_key_allowed {
                    return self.error("mapping values are not allowed in this context");
                }
                let (column, line) = (self.cursor.column, self.cursor.line);
                self.roll(column, None, TokenKind::BlockMappingStart, line)?;
            }
            self.is_simple_key_allowed = !self.in_flow();
        }
        self.push_indicator(TokenKind::Value, 1)
    }

    /// An alias, an anchor or a tag.
    fn fetch_property(&mut self, indicator: u8) -> Scan<()> {
        self.save_key()?;
        self.is_simple_key_allowed = false;
        let line = self.cursor.line;
        let kind = match indicator {
            b'*' => TokenKind::Alias(self.anchor()?),
            b'&' => TokenKind::Anchor(self.anchor()?),
            _ => self.tag()?,
        };
        self.push(kind, line);
        Ok(())
    }

    fn fetch_block_scalar(&mut self) -> Scan<()> {
        self.remove_key()?;
        self.is_simple_key_allowed = true;
        let line = self.cursor.line;
        let text = self.block_scalar()?;
        self.push(TokenKind::Scalar { text, is_plain: false }, line);
        Ok(())
    }

    /// A scalar in quotes, or a plain one.
    fn fetch_flow_scalar(&mut self) -> Scan<()> {
        self.save_key()?;
        self.is_simple_key_allowed = false;
        let line = self.cursor.line;
        let is_plain = !matches!(self.cursor.byte(0), b'\'' | b'"');
        let text = if is_plain { self.plain()? } else { self.quoted()? };
        self.push(TokenKind::Scalar { text, is_plain }, line);
        Ok(())
    }
}
