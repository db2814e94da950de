//! The reading position in a YAML text, and the classes of characters of go-yaml 2
//! (`yamlprivateh.go`).

/// A position in a text. Beyond the end, the text reads as NUL bytes, which cannot be in it.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    /// The number of characters before the position.
    pub index: usize,
    /// The line, from 0.
    pub line: usize,
    /// The number of characters before the position in its line.
    pub column: usize,
}

impl<'a> Cursor<'a> {
    /// The start of `text`, which has no control characters.
    pub fn new(text: &'a str) -> Self {
        Self { text, offset: 0, index: 0, line: 0, column: 0 }
    }

    /// The byte `ahead` bytes after the position.
    pub fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.offset + ahead).copied().unwrap_or(0)
    }

    /// True if the text at the position starts with `text`.
    pub fn starts_with(&self, text: &str) -> bool {
        self.text.as_bytes()[self.offset..].starts_with(text.as_bytes())
    }

    pub fn is_end(&self) -> bool {
        self.offset >= self.text.len()
    }

    /// True for a space or a tab.
    pub fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// True for a line break of YAML 1.1: CR, LF, NEL, LS or PS.
    pub fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xc2 => self.byte(ahead + 1) == 0x85,
            0xe2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9),
            _ => false,
        }
    }

    pub fn is_break_or_end(&self) -> bool {
        self.byte(0) == 0 || self.is_break(0)
    }

    pub fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_blank(ahead) || self.is_break(ahead)
    }

    /// True for a character of a name: a letter, a digit, `_` or `-`, all in ASCII.
    pub fn is_word(&self) -> bool {
        let byte = self.byte(0);
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
    }

    /// True for `---` or `...` at the start of a line.
    pub fn is_document_mark(&self) -> bool {
        self.column == 0
            && (self.starts_with("---") || self.starts_with("..."))
            && self.is_blank_or_end(3)
    }

    /// Moves past `count` characters that are no line breaks.
    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.offset += self.width();
            self.index += 1;
            self.column += 1;
        }
    }

    /// Moves past one character, and appends it to `into`.
    pub fn read(&mut self, into: &mut String) {
        let end = self.offset + self.width();
        into.push_str(self.text.get(self.offset..end).unwrap_or_default());
        self.skip(1);
    }

    /// Moves past all ASCII characters that satisfy `test`, and appends them to `into`.
    pub fn read_while(&mut self, into: &mut String, test: fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.offset..];
        let length = rest.iter().take_while(|byte| byte.is_ascii() && test(**byte)).count();
        let end = self.offset + length;
        into.push_str(self.text.get(self.offset..end).unwrap_or_default());
        self.offset = end;
        self.index += length;
        self.column += length;
    }

    /// Moves past blanks and a comment, to the end of the line or to another character.
    pub fn skip_blanks_and_comment(&mut self) {
        while self.is_blank(0) {
            self.skip(1);
        }
        self.skip_comment();
    }

    /// Moves past a comment, to the end of the line.
    pub fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !self.is_break_or_end() {
                self.skip(1);
            }
        }
    }

    /// Moves past a line break, if there is one.
    pub fn skip_break(&mut self) {
        self.read_break(&mut String::new());
    }

    /// Moves past a line break, if there is one, and appends it to `into`. CR, LF and NEL become LF.
    pub fn read_break(&mut self, into: &mut String) {
        if !self.is_break(0) {
            return;
        }
        let is_pair = self.starts_with("\r\n");
        if self.byte(0) == 0xe2 {
            self.read(into);
        } else {
            into.push('\n');
            self.skip(1 + usize::from(is_pair));
        }
        self.column = 0;
        self.line += 1;
    }

    /// The length in bytes of the character at the position; 0 at the end.
    fn width(&self) -> usize {
        match self.byte(0) {
            0 => 0,
            0x01..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
        }
    }
}
